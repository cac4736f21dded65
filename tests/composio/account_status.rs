//! `PATCH /connected_accounts/{nanoid}/status`, `/revoke` and `/refresh`: what each does from each status.

use reqwest::Method;
use serde_json::{Value, json};

use crate::account_changing::{
    Account, assert_refused, assert_unknown, at, at_3_1, connected, revoke, revoked, set_status,
    switch,
};
use crate::account_making::{ACCOUNTS, audited, config, row};
use crate::common::client::{Client, Reply};
use crate::common::{TestApp, canary};
use crate::story::{assert_envelope, assert_invalid, told};

const STATUSES: [&str; 7] = [
    "INITIALIZING",
    "INITIATED",
    "ACTIVE",
    "INACTIVE",
    "EXPIRED",
    "FAILED",
    "REVOKED",
];
const SWITCHED_OFF: &str = "Connection status updated by user";
const REVOKED: &str = "Revoked via user-initiated revoke endpoint";

/// Status and reason of an account, and whether it has a credential.
async fn state(app: &TestApp, id: &str) -> (Value, Value, Value) {
    let row = row(app, id).await;
    (
        row["status"].clone(),
        row["status_reason"].clone(),
        row["sealed"].clone(),
    )
}

/// What switching does to an account in this status: the status after it, or why it is refused.
fn expected(status: &str, sealed: bool, takes_none: bool, enabled: bool) -> Result<&str, String> {
    match status {
        _ if takes_none => {}
        "EXPIRED" | "FAILED" | "REVOKED" => {
            return Err(format!("The connected account is {status}"));
        }
        _ if !sealed => return Err("The connected account has no credential".to_owned()),
        _ => {}
    }
    Ok(if enabled { "ACTIVE" } else { "INACTIVE" })
}

/// Every status, with and without a credential, of a scheme that needs one and of one that needs none.
#[tokio::test]
async fn switching_does_what_the_table_says() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let token = connected(&client, "BEARER_TOKEN", json!({ "token": canary() })).await;
    let bare = connected(&client, "BEARER_TOKEN", json!({ "token": "t" })).await;
    let none = connected(&client, "NO_AUTH", json!({})).await;
    app.execute(&format!(
        "UPDATE connections SET sealed_credential = NULL, generation = NULL WHERE public_id = '{}'",
        bare.id
    ))
    .await;
    for (account, sealed, takes_none) in [
        (&token, true, false),
        (&bare, false, false),
        (&none, false, true),
    ] {
        for status in STATUSES {
            for enabled in [true, false] {
                let what = format!("{status}, {sealed}, {takes_none}, {enabled}");
                set_status(&app, &account.id, status).await;
                let known = audited(&app, &account.uuid).await.len();
                let before = app.fingerprint().await;

                let reply = switch(&client, &account.id, enabled).await;

                let rows = audited(&app, &account.uuid).await.split_off(known);
                match expected(status, sealed, takes_none, enabled) {
                    Ok(after) => {
                        assert_eq!(
                            (reply.status, &reply.json),
                            (200, &json!({ "success": true })),
                            "{what}"
                        );
                        let (is, reason, has) = state(&app, &account.id).await;
                        let why = match after {
                            _ if after == status => json!("because"),
                            "INACTIVE" => json!(SWITCHED_OFF),
                            _ => Value::Null,
                        };
                        assert_eq!((&is, &reason, &has), (&json!(after), &why, &json!(sealed)));
                        let audit = (
                            "connection.set_status".to_owned(),
                            json!({ "status": after }),
                        );
                        let written: &[_] = if after == status { &[] } else { &[audit] };
                        assert_eq!(rows, written, "{what}");
                        assert_eq!(app.fingerprint().await == before, after == status, "{what}");
                    }
                    Err(message) => {
                        let fix = if message.ends_with("credential") {
                            "Connect it first: POST /connected_accounts/link."
                        } else {
                            "Give it a new credential: PATCH /connected_accounts/{nanoid}."
                        };
                        assert_refused(&reply, (&message, fix));
                        assert_eq!(app.fingerprint().await, before, "{what}");
                        assert_eq!(rows, []);
                    }
                }
            }
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_switch_says_which_way() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let Account { id, .. } = connected(&client, "BEARER_TOKEN", json!({ "token": "t" })).await;
    let path = format!("{}/status", at(&id));
    for (body, error) in [
        (json!({}), "Error in payload.enabled: Required"),
        (
            json!({ "enabled": "true" }),
            "Error in payload.enabled: Expected boolean, received string",
        ),
        (
            json!({ "enabled": null }),
            "Error in payload.enabled: Expected boolean, received null",
        ),
        (
            json!([true]),
            "Error in payload: Expected object, received array",
        ),
    ] {
        assert_invalid(&client.patch(&path, body).await, &[error]);
    }
    let path = at_3_1(&id, "/status");
    let reply = client
        .patch(&path, json!({ "enabled": false, "x": 1 }))
        .await;
    assert_eq!(reply.json, json!({ "success": true }));
    assert_eq!(row(&app, &id).await["status"], "INACTIVE");
}

#[tokio::test]
async fn revoking_destroys_the_credential_from_every_status() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    for scheme in ["BEARER_TOKEN", "NO_AUTH", "OAUTH2"] {
        for status in STATUSES {
            let val = json!({ "token": canary(), "access_token": canary() });
            let Account { id, uuid } = connected(&client, scheme, val).await;
            set_status(&app, &id, status).await;
            let known = audited(&app, &uuid).await.len();

            revoked(&client, &id).await;

            let was_revoked = status == "REVOKED" && scheme == "NO_AUTH";
            let reason = if was_revoked { "because" } else { REVOKED };
            assert_eq!(
                state(&app, &id).await,
                (json!("REVOKED"), json!(reason), json!(false)),
                "{scheme} {status}"
            );
            let rows = audited(&app, &uuid).await.split_off(known);
            let audit = ("connection.revoke".to_owned(), Value::Null);
            let written: &[_] = if was_revoked { &[] } else { &[audit] };
            assert_eq!(rows, written, "{scheme} {status}");
            let before = (app.fingerprint().await, app.count("audit_log").await);
            revoked(&client, &id).await;
            let after = (app.fingerprint().await, app.count("audit_log").await);
            assert_eq!(after, before, "twice");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn an_account_that_waits_for_its_user_is_revoked_with_its_links() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "BEARER_TOKEN").await;
    let body = json!({ "auth_config_id": config, "user_id": "u-1", "connection_data": { "token": canary() } });
    let link = client.post(&format!("{ACCOUNTS}/link"), body).await;
    assert_eq!(link.status, 201, "{}", link.text);
    assert_eq!(app.count("link_tokens").await, 1);

    revoked(&client, link.json["connected_account_id"].as_str().unwrap()).await;

    assert_eq!(app.count("link_tokens").await, 0);
    app.finish().await;
}

/// The older prefix does not have it: it answers as any path that is none, whoever asks and however.
#[tokio::test]
async fn only_the_newer_prefix_can_revoke() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let Account { id, .. } = connected(&client, "BEARER_TOKEN", json!({ "token": "t" })).await;
    let before = app.fingerprint().await;
    let same = |reply: &Reply, nowhere: &Reply| {
        let told = told(reply);
        assert_eq!(told, (404, 10404, "HTTP_NotFound"), "{}", reply.text);
        assert_eq!(reply.json["error"]["message"], "URL not found");
        let names = |reply: &Reply| reply.headers.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(reply), names(nowhere));
    };
    for method in [Method::POST, Method::GET, Method::DELETE, Method::HEAD] {
        for id in [id.as_str(), "nonsense", "ca_abcdefghijkl"] {
            let path = format!("{}/revoke", at(id));
            let nowhere = format!("{}/revoked", at(id));
            for client in [&client, &app.anonymous()] {
                let hidden = client.request(method.clone(), &path).send().await;
                let nowhere = client.request(method.clone(), &nowhere).send().await;
                if method == Method::HEAD {
                    assert_eq!((hidden.status, nowhere.status), (404, 404));
                } else {
                    same(&hidden, &nowhere);
                }
            }
        }
    }
    assert_eq!(app.fingerprint().await, before);
    let unknown = "ca_abcdefghijkl";
    assert_unknown(&revoke(&client, unknown).await, unknown);
    assert_eq!(told(&revoke(&client, "nonsense").await).0, 400);
    let body = client
        .request(Method::POST, &at_3_1(&id, "/revoke"))
        .header("content-type", "application/json");
    assert_eq!(
        body.body("{ no json").send().await.status,
        200,
        "a body is not read"
    );
}

/// Every scheme that can be refreshed by nobody, and those that nobody refreshes yet.
fn schemes() -> Vec<(&'static str, Value)> {
    let dynamic = || json!({ "access_token": "a", "client_id": "c" });
    vec![
        ("API_KEY", json!({ "api_key": "k" })),
        ("BASIC", json!({ "username": "u" })),
        ("BEARER_TOKEN", json!({ "token": "t" })),
        ("NO_AUTH", json!({})),
        (
            "BASIC_WITH_JWT",
            json!({ "username": "u", "password": "p" }),
        ),
        (
            "GOOGLE_SERVICE_ACCOUNT",
            json!({ "credentials_json": "{}" }),
        ),
        (
            "SERVICE_ACCOUNT",
            json!({ "application_id": "a", "installation_id": "i", "private_key": "p" }),
        ),
        ("OAUTH2", json!({ "access_token": "a" })),
        ("DCR_OAUTH", dynamic()),
        ("CIMD_OAUTH", dynamic()),
        (
            "S2S_OAUTH2",
            json!({ "client_id": "c", "client_secret": "s" }),
        ),
        ("SAML", json!({ "assertion": "a" })),
    ]
}

/// What a refresh of an account of this scheme answers: status, code, slug, message, fix.
fn unrefreshed(scheme: &str) -> (u16, u32, &'static str, String, &'static str) {
    let not_built = |what: &str| {
        let message = format!("Not implemented: refreshing credentials {what}");
        let fix = "This server stores it but does not run it.";
        (501, 10501, "HTTP_NotImplemented", message, fix)
    };
    match scheme {
        "OAUTH2" | "DCR_OAUTH" | "CIMD_OAUTH" | "S2S_OAUTH2" => not_built("at the provider"),
        "SAML" => not_built("that are only stored"),
        _ => {
            let message = format!("Credentials of the scheme {scheme} cannot be refreshed");
            let fix = "Give the connected account a new credential instead.";
            (409, 10409, "HTTP_Conflict", message, fix)
        }
    }
}

#[tokio::test]
async fn refreshing_is_refused_by_what_the_scheme_is() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let refreshed = async |id: &str, body: &str| {
        let request = client
            .request(Method::POST, &format!("{}/refresh", at(id)))
            .header("content-type", "application/json");
        request.body(body.to_owned()).send().await
    };
    for (scheme, val) in schemes() {
        let Account { id, .. } = connected(&client, scheme, val).await;
        let before = (app.fingerprint().await, app.count("audit_log").await);
        for body in ["", "{}", r#"{"x":1,"validate_credentials":false}"#] {
            let reply = refreshed(&id, body).await;
            let (status, code, slug, message, fix) = unrefreshed(scheme);
            assert_envelope(&reply, (status, code, slug, &message, fix), &[]);
            assert_eq!(reply.header("x-should-retry"), "false");
        }
        let reply = refreshed(&id, r#"{"validate_credentials":true}"#).await;
        let (status, code, slug, ..) = unrefreshed(scheme);
        assert_eq!(told(&reply), (status, u64::from(code), slug));
        let after = (app.fingerprint().await, app.count("audit_log").await);
        assert_eq!(after, before, "{scheme}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_refresh_is_named_in_query_and_body() {
    let app = TestApp::start().await;
    let client: Client = app.tenant("alice").await.composio();
    let Account { id, .. } = connected(&client, "BEARER_TOKEN", json!({ "token": "t" })).await;
    let path = at_3_1(&id, "/refresh");
    let good = "https%3A%2F%2Fapp.example%2Fdone";
    let body = json!({ "redirect_url": 5, "validate_credentials": "yes" });
    assert_invalid(
        &client
            .post(
                &format!("{path}?redirect_url=http%3A%2F%2Fapp.example"),
                body.clone(),
            )
            .await,
        &[
            "Error in query.redirect_url: Invalid url",
            "Error in payload.redirect_url: Expected string, received number",
            "Error in payload.validate_credentials: Expected boolean, received string",
        ],
    );
    let query = format!("{path}?redirect_url=nowhere");
    let reply = client.request(Method::POST, &query).send().await;
    assert_invalid(&reply, &["Error in query.redirect_url: Invalid url"]);
    assert_eq!(
        told(
            &client
                .post(&format!("{path}?redirect_url={good}"), json!([]))
                .await
        )
        .0,
        400
    );
    let unknown = "ca_abcdefghijkl";
    let reply = client
        .post(&at_3_1(unknown, "/refresh?redirect_url=x"), body)
        .await;
    assert_unknown(&reply, unknown);
    let malformed = client
        .request(Method::POST, &path)
        .header("content-type", "application/json");
    assert_eq!(
        told(&malformed.body("{").send().await),
        (400, 10400, "HTTP_BadRequest")
    );
    let said = json!({ "redirect_url": "https://app.example/done" });
    let reply = client
        .post(&format!("{path}?redirect_url={good}"), said)
        .await;
    assert_eq!(told(&reply), (409, 10409, "HTTP_Conflict"));
}
