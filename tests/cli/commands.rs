//! Results, shapes and exit codes of the commands, beside a running server and alone.

use serde_json::json;

use crate::place::Place;
use crate::program::{Answer, keyway};

async fn on(place: &Place, arguments: &str) -> Answer {
    keyway(arguments).on(place).answer().await
}

#[tokio::test]
async fn tenants_are_made_listed_and_deleted_with_and_without_a_server() {
    let place = Place::new();
    let made = on(&place, "tenant create alice --json").await;
    let id = made.json()["tenant_id"].as_str().unwrap().to_owned();
    assert_eq!(made.json(), json!({ "tenant_id": id, "name": "alice" }));
    assert_eq!(made.stdout.lines().count(), 1);
    assert!(!place.has_postgres(), "a command leaves nothing running");

    let server = keyway("").on(&place).serve(&place).await;
    let made = on(&place, "tenant create bob").await;
    assert!(made.ok().starts_with("Made tenant bob ("), "{made:?}");
    assert!(made.ok().contains("`keyway key create --tenant bob`"));
    let listed = on(&place, "--json tenant list").await.json();
    let names: Vec<_> = listed.as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 2);
    let at = &listed[0]["created_at"];
    assert_eq!(
        listed[0],
        json!({ "tenant_id": id, "name": "alice", "created_at": at })
    );
    let table = on(&place, "tenant list").await;
    let lines: Vec<Vec<&str>> = table
        .ok()
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["NAME", "ID", "MADE"]);
    assert_eq!(lines[1][..2], ["alice", id.as_str()]);
    let gone = on(&place, "tenant delete alice --json").await.json();
    assert_eq!(
        gone,
        json!({ "tenant_id": id, "name": "alice", "deleted": true })
    );
    server.stop(&place).await;

    let again = on(&place, "tenant delete alice").await;
    let said = again.refusal(1);
    assert!(said.contains(r#"there is no tenant "alice": `keyway tenant list` shows them"#));
    let taken = on(&place, "tenant create bob").await;
    assert!(taken.refusal(1).contains("choose another name"));
    let nameless = keyway("tenant create").arg("").on(&place).answer().await;
    assert!(nameless.refusal(2).contains("1 to 100 characters"));
}

#[tokio::test]
async fn stdout_holds_the_result_and_stderr_the_logs() {
    let place = Place::new();
    let made = keyway("tenant create alice --json")
        .env("KEYWAY_LOG", "trace")
        .on(&place);
    let made = made.answer().await;
    assert!(made.json().is_object());
    assert!(made.stderr.contains("made the root key"), "{made:?}");
}

#[tokio::test]
async fn global_flags_may_stand_on_either_side_of_the_command() {
    let place = Place::new();
    let data_dir = place.data_dir().display().to_string();
    for line in [
        format!("--json --data-dir {data_dir} tenant list"),
        format!("tenant list --json --data-dir {data_dir}"),
        format!("tenant --data-dir {data_dir} list --json"),
    ] {
        assert_eq!(keyway(&line).answer().await.json(), json!([]), "{line}");
    }
}

#[tokio::test]
async fn what_is_not_understood_ends_with_two() {
    for line in [
        "frobnicate",
        "tenant",
        "tenant create",
        "key create",
        "--listen nowhere",
        "serve --retention soon",
        "key create --tenant a --expires yesterday",
        "openapi soap",
        "migrate",
    ] {
        let answer = keyway(line).answer().await;
        assert!(!answer.refusal(2).is_empty(), "{line}");
    }
    let misplaced = keyway("--listen 127.0.0.1:9 serve").answer().await;
    assert!(misplaced.refusal(2).contains("it belongs behind `serve`"));
    let misplaced = keyway("--retention 0 tenant list").answer().await;
    assert!(
        misplaced
            .refusal(2)
            .contains("--retention stands before `tenant`")
    );
}

#[tokio::test]
async fn help_version_openapi_and_root_keys_need_no_database() {
    for line in ["--help", "help", "serve --help", "--version"] {
        let answer = keyway(line).answer().await;
        if line == "help" {
            answer.refusal(2);
        } else {
            assert!(!answer.ok().is_empty());
        }
        assert!(!answer.stdout.contains("guard"), "{}", answer.stdout);
    }
    for dialect in ["klavis", "composio", "langdock"] {
        let document = keyway(&format!("openapi {dialect}")).answer().await;
        assert!(document.json()["openapi"].is_string());
    }
    let made = keyway("root-key new --json").answer().await.json();
    assert_eq!(made["root_key"].as_str().map(str::len), Some(44));
    assert_eq!(made["root_id"].as_str().map(str::len), Some(16));
    let plain = keyway("root-key new").answer().await;
    assert_eq!(plain.ok().trim_end().len(), 44);
    assert_ne!(made["root_key"], plain.ok().trim_end());
}

#[tokio::test]
async fn the_health_check_asks_a_server() {
    let place = Place::new();
    let server = keyway("").on(&place).serve(&place).await;
    let check = format!("healthcheck --address {}", server.address);
    keyway(&check).answer().await.ok();
    server.stop(&place).await;
    let gone = keyway(&check).answer().await;
    assert!(gone.refusal(1).contains("no server answers on 127.0.0.1:"));
}
