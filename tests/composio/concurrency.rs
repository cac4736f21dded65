//! Sixty-four changes of one auth config at the same time.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::{Client, Reply};
use crate::story::{assert_envelope, made_key_config, path, sealed, shown, told, updated};

const WRITERS: usize = 64;

/// A change of every member that a `custom` config has, all of them marked by one writer.
fn everything(mark: &str) -> Value {
    json!({
        "type": "custom",
        "name": mark,
        "credentials": { "client_id": mark, "scopes": [mark, "and"], "user_scopes": mark },
        "proxy_config":
            { "proxy_url": format!("https://{mark}.example"), "proxy_auth_key": format!("{mark}-proxy-key") },
        "restrict_to_following_tools": ["the alias loses"],
        "tool_access_config":
            { "tools_for_connected_account_creation": [mark], "tools_available_for_execution": [mark, "and"] },
        "shared_credentials": { "client_id": mark, "consumer_key": mark },
        "is_enabled_for_tool_router": true,
    })
}

/// The members of a config as GET shows them that [`everything`] has set, where one writer has set them.
fn assert_is_of(told: &Value, mark: &str) {
    assert_eq!(told["name"], mark);
    assert_eq!(
        told["credentials"],
        json!({ "client_id": mark, "scopes": [mark, "and"], "user_scopes": mark })
    );
    let proxy = json!({ "proxy_url": format!("https://{mark}.example"), "proxy_auth_key": format!("{}...", &mark[..4]) });
    assert_eq!(told["proxy_config"], proxy);
    assert_eq!(told["restrict_to_following_tools"], json!([mark, "and"]));
    let tools = json!({
        "tools_for_connected_account_creation": [mark], "tools_available_for_execution": [mark, "and"],
    });
    assert_eq!(told["tool_access_config"], tools);
    assert_eq!(
        told["shared_credentials"],
        json!({ "client_id": mark, "consumer_key": mark })
    );
    assert_eq!(told["is_enabled_for_tool_router"], true);
}

/// The changes that were acknowledged; the rest was told to come again.
fn acknowledged(replies: &[Reply]) -> Vec<usize> {
    let done = replies.iter().enumerate().filter(|(_, reply)| {
        assert!([200, 503].contains(&reply.status), "{}", reply.text);
        reply.status == 200
    });
    let done: Vec<_> = done
        .map(|(writer, reply)| {
            assert_eq!(reply.json, updated());
            writer
        })
        .collect();
    assert!(done.len() > replies.len() / 8, "only {}", done.len());
    done
}

/// How often the config was written: each acknowledged change once, with its audit row.
async fn assert_written(app: &TestApp, client: &Client, id: &str, times: usize) {
    let etag = client.get(&path(id)).await.header("etag").to_owned();
    assert_eq!(etag, format!("\"{}\"", times + 1));
    let rows = app.count("audit_log WHERE action = 'auth_config.update'");
    assert_eq!(rows.await, i64::try_from(times).unwrap());
}

#[tokio::test]
async fn changes_of_the_same_fields_never_mix() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({ "client_id": "before" })).await;
    let place = path(&id);
    let mut written = 0;
    for round in 0..3 {
        let mark = |writer: usize| format!("w{round}x{writer:02}");
        let changes = (0..WRITERS).map(|writer| alice.patch(&place, everything(&mark(writer))));

        let done = acknowledged(&join_all(changes).await);

        let told = shown(&alice, &id).await;
        let last = done
            .iter()
            .map(|writer| mark(*writer))
            .find(|mark| told["name"] == **mark);
        assert_is_of(&told, &last.expect("somebody who was told so"));
        written += done.len();
        assert_written(&app, &alice, &id, written).await;
    }
    assert_eq!(app.deadlocks().await, 0);
}

/// Each writer has keys of its own in both maps, and one of the other members.
#[tokio::test]
async fn every_acknowledged_field_is_in_the_final_state() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let place = path(&id);
    let members = [
        "name",
        "proxy_config",
        "restrict_to_following_tools",
        "tools_for_connected_account_creation",
        "tools_available_for_execution",
        "is_enabled_for_tool_router",
    ];
    let change = |writer: usize| {
        let (mark, whole) = (
            format!("w{writer:02}"),
            everything(&format!("w{writer:02}")),
        );
        let own = format!("key_{writer:02}");
        let mut change = json!({
            "type": "custom", "credentials": { &own: { "of": mark } }, "shared_credentials": { own: mark },
        });
        let member = members[writer % members.len()];
        if member.starts_with("tools_") {
            change["tool_access_config"] = json!({ member: whole["tool_access_config"][member] });
        } else {
            change[member] = whole[member].clone();
        }
        if member == "restrict_to_following_tools" {
            change[member] = json!([mark, "and"]);
        }
        change
    };

    let replies = join_all((0..WRITERS).map(|writer| alice.patch(&place, change(writer)))).await;

    let done = acknowledged(&replies);
    let told = shown(&alice, &id).await;
    let cells = sealed(&app, &id).await;
    let names: Vec<_> = cells
        .iter()
        .map(|cell| cell["name"].as_str().unwrap())
        .collect();
    let expected: Vec<_> = done
        .iter()
        .map(|writer| format!("key_{writer:02}"))
        .collect();
    assert_eq!(names, [expected.clone(), expected].concat());
    // What several have set is what one of them has set, whole.
    let setters = |all: &[usize]| {
        let of = done
            .iter()
            .filter(|writer| all.contains(&(*writer % members.len())));
        of.map(|writer| format!("w{writer:02}")).collect::<Vec<_>>()
    };
    let one_of = |found: Value, setters: Vec<String>, value: fn(&str) -> Value| {
        assert!(setters.iter().any(|mark| value(mark) == found), "{found}");
    };
    one_of(told["name"].clone(), setters(&[0]), |mark| json!(mark));
    one_of(
        told["proxy_config"].clone(),
        setters(&[1]),
        |mark| json!({ "proxy_url": format!("https://{mark}.example"), "proxy_auth_key": format!("{mark}-...") }),
    );
    let tools = &told["tool_access_config"];
    let creation = tools["tools_for_connected_account_creation"].clone();
    one_of(creation, setters(&[3]), |mark| json!([mark]));
    let execution = tools["tools_available_for_execution"].clone();
    one_of(execution, setters(&[2, 4]), |mark| json!([mark, "and"]));
    assert_eq!(told["is_enabled_for_tool_router"], true);
    assert_written(&app, &alice, &id, done.len()).await;
}

/// The members that only a config with the operator's app has.
#[tokio::test]
async fn scopes_of_a_managed_config_never_mix() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    app.execute("UPDATE auth_configs SET managed = true").await;
    let place = path(&id);
    let changes = (0..WRITERS).map(|writer| {
        let mark = format!("w{writer:02}");
        let change = json!({ "type": "default", "name": mark, "scopes": [mark, "and"], "user_scopes": mark });
        alice.patch(&place, change)
    });

    let done = acknowledged(&join_all(changes).await);

    let hidden = json!({
        "client_id": "REDACTED", "client_secret": "REDACTED", "scopes": "REDACTED", "user_scopes": "REDACTED",
    });
    assert_eq!(shown(&alice, &id).await["credentials"], hidden);
    app.execute("UPDATE auth_configs SET managed = false").await;
    let told = shown(&alice, &id).await;
    let mark = told["name"].as_str().unwrap();
    assert_eq!(
        told["credentials"],
        json!({ "scopes": [mark, "and"], "user_scopes": mark })
    );
    assert!(done.iter().any(|writer| format!("w{writer:02}") == mark));
    assert_written(&app, &alice, &id, done.len()).await;
}

/// A change that saw a state which is there no more, and what it is told.
fn assert_lost(reply: &Reply) {
    let message = "The object was changed since the ETag in If-Match was read";
    let fix = "Read it again and send its new ETag.";
    let expected = (412, 10412, "HTTP_PreconditionFailed", message, fix);
    assert_envelope(reply, expected, &[]);
}

#[tokio::test]
async fn of_many_changes_with_one_etag_one_wins() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let place = path(&id);
    for round in 1..=4 {
        let etag = alice.get(&place).await.header("etag").to_owned();
        let mark = |writer: usize| format!("w{round}x{writer:02}");
        let changes = (0..WRITERS).map(|writer| {
            let request = alice.request(Method::PATCH, &place);
            let request = request.header("if-match", &etag);
            request.json(everything(&mark(writer))).send()
        });

        let replies = join_all(changes).await;

        let won: Vec<_> = (0..WRITERS)
            .filter(|writer| replies[*writer].status == 200)
            .collect();
        let [winner] = won.as_slice() else {
            panic!("{won:?} have won")
        };
        for (writer, reply) in replies.iter().enumerate() {
            if writer != *winner {
                assert_lost(reply);
            }
        }
        assert_is_of(&shown(&alice, &id).await, &mark(*winner));
        assert_written(&app, &alice, &id, round).await;
    }
    let any = alice.request(Method::PATCH, &place).header("if-match", "*");
    let any = any.json(json!({ "type": "custom", "name": "any" }));
    assert_eq!(any.send().await.status, 200);
    let of_many = alice
        .request(Method::PATCH, &place)
        .header("if-match", "\"0\", \"6\", W/\"6\"");
    let of_many = of_many.json(json!({ "type": "custom", "name": "listed" }));
    assert_eq!(of_many.send().await.status, 200);
    let weak = alice
        .request(Method::PATCH, &place)
        .header("if-match", "W/\"7\"");
    assert_lost(&weak.json(everything("weak")).send().await);
}

/// Those who name no state win whenever they come; of those who name it, one at most.
#[tokio::test]
async fn changes_with_and_without_an_etag_beside_each_other() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let place = path(&id);
    let etag = alice.get(&place).await.header("etag").to_owned();
    let changes = (0..WRITERS).map(|writer| {
        let request = alice.request(Method::PATCH, &place);
        let request = match writer % 2 {
            0 => request,
            _ => request.header("if-match", &etag),
        };
        let change =
            json!({ "type": "custom", "credentials": { format!("key_{writer:02}"): "v" } });
        request.json(change).send()
    });

    let replies = join_all(changes).await;

    let (bold, careful): (Vec<_>, Vec<_>) = (0..WRITERS).partition(|writer| writer % 2 == 0);
    let of = |writers: &[usize]| -> Vec<Reply> {
        writers
            .iter()
            .map(|writer| replies[*writer].clone())
            .collect()
    };
    let mut done: Vec<_> = acknowledged(&of(&bold))
        .iter()
        .map(|at| bold[*at])
        .collect();
    for writer in careful {
        let reply = &replies[writer];
        match reply.status {
            200 => done.push(writer),
            _ => assert!([412, 503].contains(&told(reply).0), "{}", reply.text),
        }
    }
    assert!(done.iter().filter(|writer| *writer % 2 == 1).count() <= 1);
    done.sort_unstable();
    let names: Vec<_> = sealed(&app, &id).await;
    let names: Vec<_> = names
        .iter()
        .map(|cell| cell["name"].as_str().unwrap())
        .collect();
    let expected: Vec<_> = done
        .iter()
        .map(|writer| format!("key_{writer:02}"))
        .collect();
    assert_eq!(names, expected);
    assert_written(&app, &alice, &id, done.len()).await;
}
