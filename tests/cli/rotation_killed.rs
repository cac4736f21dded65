//! Rotations that are killed in the middle.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::time::sleep;

use crate::common::client::Client;
use crate::common::stored::Stored;
use crate::external::External;
use crate::program::Server;
use crate::rotation::{instance, new_key, read, store, with_both};

/// A server with one credential.
async fn fill(external: &External) -> (Server, Client, String) {
    let server = external.run("").serve(&external.place).await;
    let client = server.client(&server.shown_key());
    let id = instance(&client, "u").await;
    store(&client, &id, 7).await;
    (server, client, id)
}

#[tokio::test]
async fn a_rotation_that_is_killed_is_finished_by_the_next_run() {
    let external = External::new().await;
    let (mut server, client, id) = fill(&external).await;
    let mut ids = vec![id];
    for user in 0..40 {
        ids.push(instance(&client, &format!("user {user}")).await);
        store(&client, ids.last().unwrap(), 7).await;
    }
    // A lock on one table holds the command in the middle of its work.
    let mut killed = 0;
    for (command, table) in [
        ("tenant rotate-key default", "connections"),
        ("root-key rotate", "server_secrets"),
    ] {
        let (_, new) = new_key(&external.place, &format!("{table}.key"));
        if table == "server_secrets" {
            server.signal(Signal::TERM);
            server.ended().await;
            server = with_both(&external, &new, "").serve(&external.place).await;
        }
        let stored = external.stored();
        let mut holding = external.database.superuser().connect().await.unwrap();
        let hold = format!("BEGIN; LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
        sqlx::raw_sql(AssertSqlSafe(hold))
            .execute(&mut holding)
            .await
            .unwrap();
        let mut child = tokio::process::Command::new(crate::program::KEYWAY)
            .args(command.split(' '))
            .env_clear()
            .env(
                "DATABASE_URL",
                crate::external::url(&external.database.login()),
            )
            .env("KEYWAY_ROOT_KEY_FILE", &new)
            .env("KEYWAY_OLD_ROOT_KEY_FILES", &external.key_file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let waiting = format!(
            "pg_locks WHERE NOT granted AND relation = '{table}'::regclass
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        );
        until(&stored, &waiting, 1).await;
        if table == "connections" {
            // Begun: the new data key is there, and none of the rows lies under it.
            assert_eq!(stored.count("tenant_data_keys").await, 2);
        }
        assert!(child.try_wait().unwrap().is_none(), "{command} is at work");
        child.kill().await.unwrap();
        killed += 1;
        holding.close().await.unwrap();

        let again = with_both(&external, &new, command)
            .arg("--json")
            .answer()
            .await
            .json();
        if command == "tenant rotate-key default" {
            assert_eq!(
                (&again["data_key"], &again["resumed"]),
                (&json!(2), &json!(true))
            );
        } else {
            assert_eq!(again["remaining"], json!([]));
        }
    }
    assert_eq!(killed, 2);
    let client = server.client(&key_of(&external).await);
    for id in &ids {
        assert_eq!(read(&client, id).await, json!("7"));
    }
    let under_old = "connections WHERE substring(sealed_credential FROM 3 FOR 4) <> '\\x00000002'";
    assert_eq!(external.stored().count(under_old).await, 0);
    assert_eq!(external.stored().count("root_keys").await, 1);
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await, 0);
}

/// Waits until so many rows are there.
async fn until(stored: &Stored, from: &str, count: i64) {
    for _ in 0..600 {
        if stored.count(from).await >= count {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("never {count} {from}");
}

async fn key_of(external: &External) -> String {
    let file = external.place.file("server_secrets.key");
    let run = external.run("key create --tenant default --json");
    let made = run.env("KEYWAY_ROOT_KEY_FILE", file).answer().await;
    made.json()["api_key"].as_str().unwrap().to_owned()
}
