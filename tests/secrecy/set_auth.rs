//! Arbitrary JSON, and what is nearly JSON, for every set-auth of the Klavis dialect: `success` is told exactly of what
//! is stored from then on, everything else changes nothing, and nothing of it comes back but by get-auth.

use std::cell::Cell;

use http::Method;
use serde_json::{Value, json};

use crate::arbitrary::{check, runtime};
use crate::bodies::targets;
use crate::common::client::Client;
use crate::common::{TestApp, canary, secrecy};
use crate::near_json::{Tree, auth_data, manglings};

/// One set-auth: where it is asked, the members before `authData`, and where get-auth hands out. `$user` stands for a
/// user.
struct Door {
    path: &'static str,
    before: String,
    get_auth: String,
}

/// Makes what the door names; the instance of the service Acme and the user u1 is there.
type Open = fn(&Client, &str) -> futures_util::future::BoxFuture<'static, Door>;

fn instance(_: &Client, id: &str) -> futures_util::future::BoxFuture<'static, Door> {
    let door = Door {
        path: "/mcp-server/instance/set-auth",
        before: format!(r#""instanceId":"{id}""#),
        get_auth: format!("/mcp-server/instance/{id}/auth"),
    };
    Box::pin(async { door })
}

fn user(_: &Client, _: &str) -> futures_util::future::BoxFuture<'static, Door> {
    let door = Door {
        path: "/user/set-auth",
        before: r#""userId":"$user","more":{"a":"b"},"serverName":"Acme""#.to_owned(),
        get_auth: "/user/$user/auth/Acme".to_owned(),
    };
    Box::pin(async { door })
}

fn strata(klavis: &Client, _: &str) -> futures_util::future::BoxFuture<'static, Door> {
    let klavis = klavis.clone();
    Box::pin(async move {
        let body = json!({"userId": "u1", "servers": ["Acme"]});
        let made = klavis.post("/mcp-server/strata/create", body).await;
        let id = made.json["strataId"].as_str().unwrap().to_owned();
        Door {
            path: "/mcp-server/strata/set-auth",
            before: format!(r#""strataId":"{id}","serverName":"ACME""#),
            get_auth: format!("/mcp-server/strata/{id}/auth/Acme"),
        }
    })
}

/// The credential that get-auth hands out.
async fn handed_out(klavis: &Client, path: &str) -> Option<Tree> {
    let reply = klavis.get(path).await;
    assert_eq!(reply.status, 200, "{}", reply.status);
    let told = Tree::read(reply.text.as_bytes()).unwrap();
    let stored = told.member("authData").cloned();
    stored.filter(|stored| *stored != Tree::Null)
}

fn arbitrary_bodies(open: Open) {
    let runtime = runtime();
    let (app, klavis, door) = runtime.block_on(async {
        let app = TestApp::start().await;
        let alice = app.tenant("alice").await;
        let id = targets(&alice).await.instance;
        let klavis = alice.klavis();
        let door = open(&klavis, &id).await;
        (app, klavis, door)
    });
    let secret = canary();
    let (stored, refused) = (Cell::new(0_usize), Cell::new(0_usize));
    check(
        &runtime,
        400,
        &(auth_data(), manglings()),
        |(auth_data, mangling)| {
            // Each other case is of a user who is not there yet, where the door names one.
            let number = stored.get() + refused.get();
            let user = if number.is_multiple_of(2) {
                "u1".to_owned()
            } else {
                format!("new-{number}")
            };
            let before = door.before.replace("$user", &user);
            let get_auth = door.get_auth.replace("$user", &user);
            let body = mangling.apply(&before, &auth_data, &secret);
            let expected = Tree::read(&body).and_then(|body| body.member("authData")?.credential());
            runtime.block_on(async {
                let before = app.fingerprint().await;
                let audited = app.count("audit_log").await;
                let request = klavis.request(Method::POST, door.path);
                let request = request.header("content-type", "application/json");
                let reply = request.body(body).send().await;

                let said = format!("{:?}{}", reply.headers, reply.text);
                secrecy::assert_absent(door.path, &said);
                assert!(!said.contains("4815162342108"), "{said}");
                let success = reply.json["success"] == true;
                assert_eq!(success, expected.is_some(), "{} {said}", reply.status);
                if expected.is_some() {
                    assert_eq!(reply.status, 200, "{said}");
                    let out = handed_out(&klavis, &get_auth).await;
                    assert!(out == expected, "something else was stored");
                    stored.set(stored.get() + 1);
                } else {
                    let refusals = [200, 400, 422];
                    assert!(refusals.contains(&reply.status), "{} {said}", reply.status);
                    assert_eq!(app.fingerprint().await, before, "{said}");
                    assert_eq!(app.count("audit_log").await, audited, "{said}");
                    refused.set(refused.get() + 1);
                }
            });
            Ok(())
        },
    );
    let (stored, refused) = (stored.get(), refused.get());
    eprintln!("{}: {stored} stored, {refused} refused", door.path);
    assert!(
        stored >= 25 && refused >= 25,
        "{stored} stored, {refused} refused"
    );
    runtime.block_on(app.finish());
}

#[test]
fn set_auth_of_an_instance_stores_what_it_says_and_nothing_else() {
    arbitrary_bodies(instance);
}

#[test]
fn set_auth_of_a_user_stores_what_it_says_and_nothing_else() {
    arbitrary_bodies(user);
}

#[test]
fn set_auth_of_a_strata_stores_what_it_says_and_nothing_else() {
    arbitrary_bodies(strata);
}

/// What one door stores the others hand out: it is one credential.
#[tokio::test]
async fn every_door_leads_to_the_same_credential() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (id, klavis) = (targets(&alice).await.instance, alice.klavis());
    let mut doors = Vec::new();
    for open in [instance, user, strata] as [Open; 3] {
        let door = open(&klavis, &id).await;
        doors.push(Door {
            before: door.before.replace("$user", "u1"),
            get_auth: door.get_auth.replace("$user", "u1"),
            ..door
        });
    }
    for (number, door) in doors.iter().enumerate() {
        let auth_data = json!({"data": {"number": number, "secret": canary()}});
        let body = format!("{{{},\"authData\":{auth_data}}}", door.before);
        let body: Value = serde_json::from_str(&body).unwrap();
        let reply = klavis.post(door.path, body).await;
        assert_eq!(reply.json["success"], true, "{}", reply.text);
        for other in &doors {
            let expected = Tree::read(auth_data["data"].to_string().as_bytes());
            let out = handed_out(&klavis, &other.get_auth).await;
            assert!(out == expected, "{} then {}", door.path, other.get_auth);
        }
    }
    app.finish().await;
}
