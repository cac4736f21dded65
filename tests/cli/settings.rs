//! A wrong value stops the start with the name of its setting, and is not repeated where it may be a secret.

use crate::place::Place;
use crate::program::keyway;

#[tokio::test]
async fn a_wrong_value_is_named_by_flag_and_variable() {
    for (variable, value, said) in [
        ("KEYWAY_LISTEN", "8080", "invalid socket address"),
        ("KEYWAY_RETENTION", "soon", "not a time such as 7d"),
        ("KEYWAY_AUDIT_READS", "later", "must be sync or batched"),
        ("KEYWAY_RATE_LIMIT_KEY", "0/m", "not a rate such as 600/m"),
        (
            "KEYWAY_RATE_LIMIT_TENANT",
            "600/d",
            "not a rate such as 600/m",
        ),
        (
            "KEYWAY_PUBLIC_URL",
            "keyway.example.com",
            "not an absolute URL",
        ),
        (
            "KEYWAY_EGRESS_ALLOW",
            "https://vault.corp",
            "not a host, address or network",
        ),
    ] {
        let answer = keyway("serve").env(variable, value).answer().await;
        let refusal = answer.refusal(2);
        assert!(refusal.contains(variable), "{refusal}");
        assert!(refusal.contains(said), "{refusal}");
    }
    let place = Place::new();
    let answer = keyway("")
        .env("KEYWAY_LOG", "loud")
        .on(&place)
        .answer()
        .await;
    assert!(answer.refusal(78).contains("KEYWAY_LOG: part 1"));
    assert!(!place.data_dir().exists());
}

#[tokio::test]
async fn a_wrong_file_of_shared_apps_stops_the_start_and_repeats_nothing() {
    let place = Place::new();
    let pasted = "[[apps]]\nslug = \"github\"\nclient_secret = \"CANARY\"\n";
    let file = place.write("apps.toml", pasted, 0o644);
    for command in ["serve", "serve --managed-apps-file"] {
        let run = keyway(command)
            .env("KEYWAY_LISTEN", "127.0.0.1:0")
            .env("KEYWAY_LOG", "trace")
            .on(&place);
        let run = match command {
            "serve" => run.env("KEYWAY_MANAGED_APPS_FILE", &file),
            _ => run.arg(&file),
        };
        let answer = run.answer().await;
        let refusal = answer.refusal(78);
        let said = format!(
            "KEYWAY_MANAGED_APPS_FILE: {}, line 3: an unknown key",
            file.display()
        );
        assert!(refusal.contains(&said), "{refusal}");
        assert!(!refusal.contains("CANARY"), "{refusal}");
        assert!(!place.data_dir().exists(), "nothing was begun");
    }
}

#[tokio::test]
async fn limits_are_set_by_flag_and_by_variable() {
    let place = Place::new();
    let run = keyway("serve --rate-limit-tenant 3/h").on(&place);
    let run = run.env("KEYWAY_RATE_LIMIT_KEY", "2/h");
    let server = run.serve(&place).await;
    let shown = server.shown_key();
    let made = keyway("key create --tenant default --json").on(&place);
    let second = made.answer().await.json();
    let second = second["api_key"].as_str().unwrap();

    for (key, status, policy) in [
        (shown.as_str(), 200, ""),
        (&shown, 200, ""),
        (&shown, 429, "2"),
        (second, 200, ""),
        (second, 429, "3"),
    ] {
        let reply = server.composio(key).get("/api/v3/auth_configs").await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert_eq!(reply.header("x-ratelimit"), policy);
    }
    assert_eq!(server.composio(second).get("/readyz").await.status, 200);
    server.stop(&place).await;
}

#[tokio::test]
async fn a_database_url_is_never_repeated() {
    for url in [
        "postgres://keyway:CANARY-1@[bad/keyway",
        "mysql://keyway:CANARY-1@localhost/keyway",
        "postgres://keyway:CANARY-1@localhost:port/keyway",
        "postgres://keyway:CANARY-1@localhost/keyway?sslmode=CANARY-2",
        "host=localhost password=CANARY-1",
        "",
    ] {
        let run = keyway("tenant list").env("DATABASE_URL", url);
        let answer = run.env("KEYWAY_ROOT_KEY", key()).answer().await;
        let refusal = answer.refusal(78);
        assert!(
            refusal.contains("DATABASE_URL is not a Postgres URL"),
            "{refusal}"
        );
        assert!(!refusal.contains("CANARY"), "{refusal}");
    }
}

#[tokio::test]
async fn a_postgres_that_is_away_is_named_without_its_password() {
    let url = "postgres://keyway:CANARY-1@127.0.0.1:9/keyway?CANARY-2=CANARY-3";
    for command in ["serve --listen 127.0.0.1:0", "tenant list", "migrate"] {
        let run = keyway(command).env("DATABASE_URL", url);
        let run = run.env("KEYWAY_LOG", "trace").env("KEYWAY_ROOT_KEY", key());
        let answer = run.answer().await;
        let refusal = answer.refusal(1);
        let said = "cannot connect to Postgres at 127.0.0.1:9 as keyway: ";
        assert!(refusal.contains(said), "{refusal}");
        assert!(refusal.contains("DATABASE_URL"), "{refusal}");
        assert!(!refusal.contains("CANARY"), "{refusal}");
    }
}

fn key() -> String {
    keyway::crypto::RootKey::generate().to_base64().to_string()
}
