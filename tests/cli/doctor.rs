//! `keyway doctor`: healthy, and one test for each check that fails, with its remedy and exit code 1.

use serde_json::{Value, json};

use crate::external::{External, url};
use crate::place::Place;
use crate::program::{Answer, Run, keyway};

/// What the doctor says of one check, in JSON; it found something bad.
async fn ill(run: Run, check: &str) -> String {
    let answer = run.arg("--json").answer().await;
    assert_eq!(answer.code, 1, "{answer:?}");
    assert_eq!(answer.stderr, "", "{answer:?}");
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(report["healthy"], false);
    let bad: Vec<&Value> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| found["verdict"] == "bad")
        .collect();
    assert_eq!(bad.len(), 1, "{report:#}");
    assert_eq!(bad[0]["check"], check, "{report:#}");
    bad[0]["says"].as_str().unwrap().to_owned()
}

fn assert_healthy(answer: &Answer) {
    assert_eq!(answer.stderr, "");
    let report = answer.json();
    let found = report["checks"].as_array().unwrap();
    let names: Vec<&str> = found
        .iter()
        .map(|found| found["check"].as_str().unwrap())
        .collect();
    let all = [
        "disk",
        "managed apps",
        "roles",
        "clock",
        "database",
        "isolation",
        "login",
        "root key",
        "rotation",
    ];
    assert_eq!(names, all);
    for one in found {
        let disk = one["check"] == "disk" && one["verdict"] == "warning";
        assert!(one["verdict"] == "ok" || disk, "{one}");
    }
    assert_eq!(report["healthy"], json!(true));
}

#[tokio::test]
async fn a_healthy_house_is_found_healthy_with_and_without_its_server() {
    let place = Place::new();
    let server = keyway("").on(&place).serve(&place).await;
    assert_healthy(&keyway("doctor --json").on(&place).answer().await);
    let table = keyway("doctor").on(&place).answer().await;
    let first = table.ok().lines().next().unwrap();
    assert_eq!(
        first.split_whitespace().collect::<Vec<_>>(),
        ["CHECK", "FINDING"]
    );
    server.stop(&place).await;
    let before = place.all().await;
    assert_healthy(&keyway("doctor --json").on(&place).answer().await);
    assert_eq!(place.all().await, before, "it writes nothing");
    let external = External::new().await;
    external.run("tenant create alice").answer().await.ok();
    assert_healthy(&external.run("doctor --json").answer().await);
}

#[tokio::test]
async fn a_directory_without_a_database_stays_without() {
    let place = Place::new();
    let says = ill(keyway("doctor").on(&place), "database").await;
    assert!(says.contains("start `keyway` once"), "{says}");
    assert!(!place.data_dir().exists());
}

#[tokio::test]
async fn a_database_that_does_not_answer() {
    let key = keyway::crypto::RootKey::generate().to_base64();
    let run = keyway("doctor").env("KEYWAY_ROOT_KEY", key.as_str());
    let run = run.env(
        "DATABASE_URL",
        "postgres://keyway:CANARY@127.0.0.1:9/keyway",
    );
    let says = ill(run, "database").await;
    assert!(says.contains("check that it runs there"), "{says}");
    assert!(!says.contains("CANARY"));
}

#[tokio::test]
async fn a_schema_that_is_not_there() {
    let external = External::new().await;
    external
        .stored()
        .execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .await;
    let says = ill(external.run("doctor"), "database").await;
    assert!(says.contains("there is no Keyway schema"), "{says}");
    assert!(says.contains("keyway migrate --database-url"), "{says}");
}

#[tokio::test]
async fn isolation_that_was_switched_off() {
    for (break_it, named) in [
        (
            "ALTER TABLE connections DISABLE ROW LEVEL SECURITY",
            "connections",
        ),
        ("ALTER TABLE users NO FORCE ROW LEVEL SECURITY", "users"),
        ("DROP POLICY tenant ON auth_configs", "auth_configs"),
        (
            "CREATE POLICY everyone ON connections FOR SELECT USING (true)",
            "connections.everyone",
        ),
    ] {
        let external = External::new().await;
        external.run("tenant create alice").answer().await.ok();
        external.stored().execute(break_it).await;
        let says = ill(external.run("doctor"), "isolation").await;
        assert!(says.contains(named), "{says}");
        assert!(
            says.contains("Undo that change as the administrator"),
            "{says}"
        );
    }
}

#[tokio::test]
async fn a_superuser_as_login() {
    let external = External::new().await;
    external.run("tenant create alice").answer().await.ok();
    let superuser = external.database.superuser();
    let says = ill(external.run_as(&superuser, "doctor"), "login").await;
    assert!(says.contains("is a superuser"), "{says}");
    assert!(
        says.contains("`keyway migrate --database-url … --login NAME`"),
        "{says}"
    );
}

#[tokio::test]
async fn a_clock_that_is_wrong() {
    let external = External::new().await;
    external.run("tenant create alice").answer().await.ok();
    // The database's clock, an hour ahead: found before the catalogue's own function.
    let ahead = "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql
            AS 'SELECT pg_catalog.clock_timestamp() + interval ''1 hour''';
        DO $$ BEGIN
            EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
        END $$";
    external.stored().execute(ahead).await;
    let says = ill(external.run("doctor"), "clock").await;
    assert!(
        says.contains("s behind the database's: set both by NTP"),
        "{says}"
    );
}

#[tokio::test]
async fn a_shared_app_whose_secret_others_can_read() {
    let external = External::new().await;
    external.run("tenant create alice").answer().await.ok();
    let place = Place::new();
    let app = "[[apps]]\nslug = \"github\"\nclient_id = \"id\"\nclient_secret_file = \"secret\"\n";
    let file = place.write("apps.toml", app, 0o644);
    let secret = place.write("secret", "CANARY\n", 0o644);
    let doctor = || {
        external
            .run("doctor")
            .env("KEYWAY_MANAGED_APPS_FILE", &file)
    };
    let says = ill(doctor(), "managed apps").await;
    let remedy = "line 4: client_secret_file: the secret file can be read by group or others";
    assert!(says.contains(remedy), "{says}");
    // What is named may be the secret itself.
    assert!(!says.contains(&*secret.to_string_lossy()), "{says}");
    assert!(
        says.contains("KEYWAY_MANAGED_APPS_FILE") && !says.contains("CANARY"),
        "{says}"
    );

    place.write("secret", "CANARY\n", 0o400);
    let answer = doctor().answer().await;
    assert!(
        answer.ok().contains("tenants share the apps of: github"),
        "{answer:?}"
    );
    assert!(!answer.ok().contains("CANARY"));
}

#[tokio::test]
async fn a_root_key_that_does_not_fit_is_missing_or_exposed() {
    let place = Place::new();
    keyway("tenant create alice").on(&place).answer().await.ok();
    let wrong = place.file("wrong.key");
    keyway::crypto::RootKey::generate()
        .create_file(&wrong)
        .unwrap();
    let run = keyway("doctor")
        .env("KEYWAY_ROOT_KEY_FILE", &wrong)
        .on(&place);
    let says = ill(run, "root key").await;
    assert!(says.contains("but the database was sealed under"), "{says}");
    assert!(says.contains("KEYWAY_ROOT_KEY_FILE"), "{says}");

    let text = std::fs::read_to_string(place.root_key()).unwrap();
    std::fs::remove_file(place.root_key()).unwrap();
    let says = ill(keyway("doctor").on(&place), "root key").await;
    assert!(says.contains("is missing"), "{says}");
    assert!(
        says.contains("put the file back from your backup"),
        "{says}"
    );
    assert!(!place.root_key().exists());

    place.write("data/root.key", &text, 0o444);
    let says = ill(keyway("doctor").on(&place), "root key").await;
    let remedy = format!("run `chmod 0400 {}`", place.root_key().display());
    assert!(says.contains(&remedy), "{says}");
    place.write("data/root.key", &text, 0o400);
    keyway("doctor").on(&place).answer().await.ok();
}

#[tokio::test]
async fn a_root_key_that_was_not_given() {
    let external = External::new().await;
    external.run("tenant create alice").answer().await.ok();
    let run = keyway("doctor").env("DATABASE_URL", url(&external.database.login()));
    let says = ill(run, "root key").await;
    assert!(says.contains("KEYWAY_ROOT_KEY_FILE"), "{says}");
}

#[tokio::test]
async fn an_altered_canary() {
    let external = External::new().await;
    external.run("tenant create alice").answer().await.ok();
    let alter = "UPDATE root_keys SET sealed_canary = set_byte(sealed_canary, 60, 255 - get_byte(sealed_canary, 60))";
    external.stored().execute(alter).await;
    let says = ill(external.run("doctor"), "root key").await;
    assert!(says.contains("opening the canary"), "{says}");
    let served = external.run("serve --listen 127.0.0.1:0").answer().await;
    assert!(served.refusal(78).contains("opening the canary"));
}

#[tokio::test]
async fn a_rotation_that_cannot_be_finished() {
    let external = External::new().await;
    external.run("tenant create alice").answer().await.ok();
    let rotate = external.run("tenant rotate-key alice").answer().await;
    assert!(rotate.ok().contains("for 7 more minutes"), "{rotate:?}");
    let doctor = external.run("doctor").answer().await;
    assert!(
        doctor
            .ok()
            .contains("a running server encrypts that anew some minutes later")
    );
    let looked = "UPDATE tenant_data_keys SET looked_at = now() WHERE NOT active";
    external.stored().execute(looked).await;
    let says = ill(external.run("doctor"), "rotation").await;
    assert!(
        says.contains("restore the cells that the server's log names"),
        "{says}"
    );
}
