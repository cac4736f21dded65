//! A Postgres of the user's own, on a database of the shared test cluster.

use std::path::PathBuf;

use keyway::crypto::RootKey;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;

use crate::common::cluster::TestDatabase;
use crate::common::stored::Stored;
use crate::common::{self};
use crate::place::Place;
use crate::program::{Run, keyway};

/// The URL of these connect options, which lead to a unix socket.
pub fn url(options: &PgConnectOptions) -> String {
    format!(
        "postgres:///{}?host={}&port={}&user={}",
        options.get_database().unwrap(),
        options.get_socket().unwrap().display(),
        options.get_port(),
        options.get_username(),
    )
}

/// A migrated database and a root key file.
pub struct External {
    pub database: TestDatabase,
    pub place: Place,
    pub key_file: PathBuf,
}

impl External {
    pub async fn new() -> Self {
        let place = Place::new();
        let key_file = place.file("external.key");
        RootKey::generate().create_file(&key_file).unwrap();
        Self {
            database: common::database().await,
            place,
            key_file,
        }
    }

    pub fn stored(&self) -> Stored {
        Stored::new(self.database.superuser())
    }

    /// The program on this database by this login.
    pub fn run_as(&self, login: &PgConnectOptions, command: &str) -> Run {
        keyway(command)
            .env("DATABASE_URL", url(login))
            .env("KEYWAY_ROOT_KEY_FILE", &self.key_file)
    }

    /// The program on this database by the unprivileged login.
    pub fn run(&self, command: &str) -> Run {
        self.run_as(&self.database.login(), command)
    }
}

#[tokio::test]
async fn the_first_start_on_a_migrated_database_shows_a_key_and_the_second_server_does_not() {
    let external = External::new().await;
    let first = external.run("").serve(&external.place).await;
    let key = first.shown_key();
    let beside = Place::new();
    let second = external.run("serve").serve(&beside).await;
    assert_eq!(second.stdout(), "");
    let instance = json!({ "serverName": "Stripe", "userId": "u" });
    let made = first
        .client(&key)
        .post("/mcp-server/instance/create", instance)
        .await;
    let path = format!(
        "/mcp-server/instance/{}",
        made.json["instanceId"].as_str().unwrap()
    );
    assert_eq!(second.client(&key).get(&path).await.status, 200);
    let listed = external.run("tenant list --json").answer().await.json();
    assert_eq!(listed[0]["name"], "default");
    first.stop(&external.place).await;
    second.stop(&beside).await;
}

#[tokio::test]
async fn two_first_servers_show_one_key() {
    let (external, beside) = (External::new().await, Place::new());
    let (first, second) = tokio::join!(
        external.run("").serve(&external.place),
        external.run("").serve(&beside)
    );
    let shown = [&first, &second].map(|server| server.stdout().contains("KEYWAY_KEY="));
    assert_eq!(shown.iter().filter(|shown| **shown).count(), 1);
    first.stop(&external.place).await;
    second.stop(&beside).await;
}

#[tokio::test]
async fn a_root_key_is_asked_for_and_the_way_to_make_one_is_told() {
    let external = External::new().await;
    let before = external.stored().dump().await;
    let run = keyway("serve").env("DATABASE_URL", url(&external.database.login()));
    let answer = run.answer().await;
    let said = answer.refusal(78);
    assert!(said.contains("KEYWAY_ROOT_KEY_FILE"), "{said}");
    assert!(said.contains("keyway root-key new"), "{said}");
    assert_eq!(external.stored().dump().await, before);
}

#[tokio::test]
async fn a_wrong_root_key_writes_nothing() {
    let external = External::new().await;
    external.run("tenant create alice").answer().await.ok();
    let before = external.stored().dump().await;
    let wrong = external.place.file("wrong.key");
    RootKey::generate().create_file(&wrong).unwrap();
    let run = external.run("serve --listen 127.0.0.1:0");
    let answer = run.env("KEYWAY_ROOT_KEY_FILE", &wrong).answer().await;
    for file in [&external.key_file, &wrong] {
        let id = RootKey::from_file(file).unwrap().root_id().to_string();
        assert!(answer.refusal(78).contains(&id));
    }
    assert_eq!(external.stored().dump().await, before);
}

#[tokio::test]
async fn a_superuser_is_warned_of_loudly_and_works() {
    let external = External::new().await;
    let superuser = external.database.superuser();
    let server = external.run_as(&superuser, "").serve(&external.place).await;
    let logs = server.logs();
    let warning = logs
        .lines()
        .find(|line| line.contains(r#""level":"WARN""#))
        .unwrap();
    assert!(
        warning.contains("is a superuser or bypasses row-level security"),
        "{warning}"
    );
    assert!(warning.contains("keyway migrate"), "{warning}");
    let unknown = "/mcp-server/instance/0b0e5c3a-3c9b-4a3f-8f2e-0f6d7c1f4a10";
    let client = server.client(&server.shown_key());
    assert_eq!(client.get(unknown).await.status, 404);
    server.stop(&external.place).await;
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let external = External::new().await;
    let newer =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (99990101, 'from the future', true, '', 0)";
    external.stored().execute(newer).await;
    let before = external.stored().dump().await;
    for login in [external.database.login(), external.database.superuser()] {
        for command in ["serve --listen 127.0.0.1:0", "migrate", "tenant list"] {
            let answer = external.run_as(&login, command).answer().await;
            if command == "migrate" && login.get_username() == "keyway" {
                // It may not make roles; that it fails is enough.
                assert_ne!(answer.code, 0);
                continue;
            }
            let said = answer.refusal(78);
            assert!(
                said.contains("migrated by a newer keyway (migration 99990101)"),
                "{said}"
            );
        }
    }
    assert_eq!(external.stored().dump().await, before);
}

#[tokio::test]
async fn a_schema_that_does_not_isolate_tenants_is_not_served() {
    let external = External::new().await;
    external
        .stored()
        .execute("ALTER TABLE connections NO FORCE ROW LEVEL SECURITY")
        .await;
    let answer = external.run("serve --listen 127.0.0.1:0").answer().await;
    let said = answer.refusal(78);
    assert!(
        said.contains("the database does not isolate tenants"),
        "{said}"
    );
    assert!(said.contains("connections"), "{said}");
    assert!(said.contains("FORCE ROW LEVEL SECURITY"), "{said}");
}
