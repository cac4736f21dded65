//! `keyway migrate` on a cluster of its own, where no role of ours is there yet, and logins that may do less.

use keyway::store::embedded::{self, SUPERUSER};
use keyway::store::provision::{self, DATABASE};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};

use crate::common::stored::Stored;
use crate::external::{External, url};
use crate::place::Place;
use crate::program::{Answer, keyway};

fn as_user(place: &Place, user: &str) -> PgConnectOptions {
    embedded::connect_options(&place.data_dir(), "postgres", user)
}

async fn migrate(place: &Place, more: &str) -> Answer {
    let admin = url(&as_user(place, SUPERUSER));
    keyway(&format!("migrate {more}"))
        .env("DATABASE_URL", admin)
        .answer()
        .await
}

#[tokio::test]
async fn an_administrator_makes_everything_and_may_again_and_twice_at_once() {
    let place = Place::new();
    let postgres = place.postgres().await;
    let root_key = place.file("external.key");
    keyway::crypto::RootKey::generate()
        .create_file(&root_key)
        .unwrap();
    let serve = || {
        let login = url(&as_user(&place, "kw_app"));
        let run = keyway("serve --listen 127.0.0.1:0").env("DATABASE_URL", login);
        run.env("KEYWAY_ROOT_KEY_FILE", &root_key)
    };
    let unknown = serve().answer().await;
    assert!(
        unknown.refusal(1).contains("cannot connect to Postgres at"),
        "{unknown:?}"
    );

    let password = place.write("password", "p'a\\ss\n", 0o600);
    let line = format!(
        "--login kw_app --login-password-file {} --json",
        password.display()
    );
    let (one, other) = tokio::join!(migrate(&place, &line), migrate(&place, &line));
    for answer in [one, other, migrate(&place, &line).await] {
        assert_eq!(
            answer.json(),
            json!({ "migrated": true, "login": "kw_app" })
        );
        assert!(!answer.stderr.contains("p'a"), "{answer:?}");
    }
    let stored = Stored::new(as_user(&place, SUPERUSER));
    let login =
        "SELECT rolsuper, rolbypassrls, rolinherit, rolcreatedb, rolcreaterole, rolcanlogin,
        rolpassword LIKE 'SCRAM-SHA-256$%' AS scrambled FROM pg_authid WHERE rolname = 'kw_app'";
    assert_eq!(
        stored.rows(login).await,
        [
            json!({ "rolsuper": false, "rolbypassrls": false, "rolinherit": false, "rolcreatedb": false,
            "rolcreaterole": false, "rolcanlogin": true, "scrambled": true })
        ]
    );

    // From here on by password only.
    let rules = place.data_dir().join("postgres/data/pg_hba.conf");
    std::fs::write(
        &rules,
        "local all kw_app scram-sha-256\nlocal all all trust\n",
    )
    .unwrap();
    stored.execute("SELECT pg_reload_conf()").await;
    let with = |password: &str| as_user(&place, "kw_app").password(password);
    let begun = std::time::Instant::now();
    while PgConnection::connect_with(&with("wrong")).await.is_ok() {
        assert!(begun.elapsed().as_secs() < 5, "Postgres reads its rules");
    }
    let connected = PgConnection::connect_with(&with("p'a\\ss")).await.unwrap();
    connected.close().await.unwrap();

    let url = format!("{}&password=p'a%5Css", url(&as_user(&place, "kw_app")));
    let run = keyway("")
        .env("DATABASE_URL", url)
        .env("KEYWAY_ROOT_KEY_FILE", &root_key);
    let mut server = run.serve(&place).await;
    assert!(
        !server.logs().contains(r#""level":"WARN""#),
        "{}",
        server.logs()
    );
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.ended().await, 0);
    let refused = serve().answer().await;
    assert!(refused.refusal(1).contains("as kw_app"), "{refused:?}");
    drop(stored);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn two_databases_of_one_new_cluster_are_made_ready_at_once() {
    let place = Place::new();
    let postgres = place.postgres().await;
    let stored = Stored::new(as_user(&place, SUPERUSER));
    let databases = ["one", "two", "three"];
    for name in databases {
        stored.execute(&format!("CREATE DATABASE {name}")).await;
    }
    let migrate = |name| {
        let admin = embedded::connect_options(&place.data_dir(), name, SUPERUSER);
        keyway("migrate").env("DATABASE_URL", url(&admin)).answer()
    };
    let [one, two, three] = databases.map(migrate);
    let (one, two, three) = tokio::join!(one, two, three);
    for answer in [one, two, three] {
        assert!(answer.ok().contains("the server's login is keyway"));
    }
    drop(stored);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn an_administrator_need_not_be_a_superuser() {
    let place = Place::new();
    let postgres = place.postgres().await;
    let stored = Stored::new(as_user(&place, SUPERUSER));
    stored.execute("CREATE ROLE boss LOGIN CREATEROLE").await;
    stored.execute("CREATE DATABASE app OWNER boss").await;
    let app = |user| embedded::connect_options(&place.data_dir(), "app", user);
    // Before Postgres 15 the schema `public` was everybody's; since then the database's owner owns it.
    let migrate = || keyway("migrate").env("DATABASE_URL", url(&app("boss")));
    for _ in 0..2 {
        let answer = migrate().answer().await;
        assert!(
            answer.ok().contains("the server's login is keyway"),
            "{answer:?}"
        );
    }
    let state = provision::schema_state(&app("keyway")).await.unwrap();
    assert_eq!(state, provision::SchemaState::Current);
    drop(stored);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn what_migrate_needs_is_told() {
    let missing = keyway("migrate").answer().await;
    assert!(missing.refusal(2).contains("--database-url"));
    let place = Place::new();
    let two_lines = place.write("two", "one\ntwo\n", 0o600);
    let empty = place.write("empty", "\n", 0o600);
    for (arguments, code, said) in [
        (
            "--login Robert'); --".to_owned(),
            2,
            "--login must be 1 to 63 of",
        ),
        ("--login Robert".to_owned(), 2, "--login must be 1 to 63 of"),
        (
            "--login keyway_owner".to_owned(),
            2,
            "not be one of Keyway's roles",
        ),
        (
            format!("--login-password-file {}", two_lines.display()),
            1,
            "it must hold one line",
        ),
        (
            format!("--login-password-file {}", empty.display()),
            1,
            "it must hold one line",
        ),
        (
            "--login-password-file /nowhere".to_owned(),
            1,
            "reading --login-password-file /nowhere",
        ),
    ] {
        let run = keyway(&format!("migrate {arguments}"));
        let answer = run
            .env("DATABASE_URL", "postgres://x@127.0.0.1:9/x")
            .answer()
            .await;
        assert!(answer.refusal(code).contains(said), "{answer:?}");
    }
}

/// A login of this test on the shared cluster, with these roles; its connect options.
async fn login(external: &External, name: &str, roles: &str) -> PgConnectOptions {
    let stored = external.stored();
    stored.execute(&format!("DROP ROLE IF EXISTS {name}")).await;
    stored
        .execute(&format!("CREATE ROLE {name} LOGIN NOINHERIT"))
        .await;
    if !roles.is_empty() {
        stored.execute(&format!("GRANT {roles} TO {name}")).await;
    }
    external.database.login().username(name)
}

#[tokio::test]
async fn a_login_that_may_not_migrate_serves_a_current_schema_and_names_the_command_for_an_old_one()
{
    let external = External::new().await;
    let name = format!("kw_served_{}", std::process::id());
    let unprivileged = login(&external, &name, "keyway_tenant, keyway_auth, keyway_jobs").await;
    let server = external
        .run_as(&unprivileged, "")
        .serve(&external.place)
        .await;
    server.stop(&external.place).await;
    let doctor = external.run_as(&unprivileged, "doctor").answer().await;
    assert!(
        doctor
            .ok()
            .contains("`keyway migrate` makes the migrations"),
        "{doctor:?}"
    );

    external
        .stored()
        .execute("DELETE FROM _sqlx_migrations WHERE version = 1")
        .await;
    let before = external.stored().dump().await;
    let answer = external
        .run_as(&unprivileged, "serve --listen 127.0.0.1:0")
        .answer()
        .await;
    let said = answer.refusal(78);
    assert!(said.contains("the database needs 1 migration(s)"), "{said}");
    assert!(said.contains("keyway migrate --database-url"), "{said}");
    assert_eq!(external.stored().dump().await, before);
    external
        .stored()
        .execute(&format!("DROP ROLE {name}"))
        .await;
}

#[tokio::test]
async fn a_login_without_roles_is_told_who_gives_them() {
    let external = External::new().await;
    let name = format!("kw_bare_{}", std::process::id());
    let bare = login(&external, &name, "").await;
    let answer = external
        .run_as(&bare, "serve --listen 127.0.0.1:0")
        .answer()
        .await;
    let said = answer.refusal(78);
    assert!(
        said.contains("cannot switch to keyway_tenant, keyway_auth, keyway_jobs"),
        "{said}"
    );
    assert!(said.contains("keyway migrate --database-url"), "{said}");
    let doctor = external.run_as(&bare, "doctor --json").answer().await;
    assert_eq!(doctor.code, 1);
    assert!(
        doctor.stdout.contains("cannot switch to keyway_tenant"),
        "{doctor:?}"
    );
    external
        .stored()
        .execute(&format!("DROP ROLE {name}"))
        .await;
}

#[tokio::test]
async fn an_empty_database_is_not_served_by_a_login_that_cannot_make_the_schema() {
    let place = Place::new();
    let postgres = place.postgres().await;
    let stored = Stored::new(as_user(&place, SUPERUSER));
    stored.execute("CREATE ROLE somebody LOGIN").await;
    stored.execute(&format!("CREATE DATABASE {DATABASE}")).await;
    let options = embedded::connect_options(&place.data_dir(), DATABASE, "somebody");
    let root_key = keyway::crypto::RootKey::generate().to_base64();
    let run = keyway("serve --listen 127.0.0.1:0").env("DATABASE_URL", url(&options));
    let answer = run.env("KEYWAY_ROOT_KEY", root_key.as_str()).answer().await;
    assert!(
        answer.refusal(78).contains("keyway migrate --database-url"),
        "{answer:?}"
    );
    drop(stored);
    postgres.stop().await.unwrap();
}
