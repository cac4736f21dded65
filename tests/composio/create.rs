//! `POST /auth_configs`

use serde_json::json;

use crate::common::{TestApp, canary};
use crate::story::{V3, V3_1, assert_envelope, assert_invalid, custom, made, sealed, shown, told};

#[tokio::test]
async fn a_custom_config_is_made_under_both_prefixes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for prefix in [V3, V3_1] {
        let mut body = custom("OpenAI", "API_KEY", json!({ "generic_api_key": canary() }));
        body["auth_config"]["tool_access_config"] =
            json!({ "tools_available_for_execution": ["OPENAI_CHAT"] });

        let reply = alice.composio().post(prefix, body).await;

        let id = reply.json["auth_config"]["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(
            reply.json,
            json!({
                "toolkit": { "slug": "openai" },
                "auth_config": {
                    "id": id,
                    "auth_scheme": "API_KEY",
                    "is_composio_managed": false,
                    "restrict_to_following_tools": ["OPENAI_CHAT"],
                },
            })
        );
        assert!(id.starts_with("ac_") && id.len() == 15);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_name_is_made_from_the_toolkit_and_six_characters() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made(&alice, custom("github", "API_KEY", json!({}))).await;
    let name = shown(&alice, &id).await["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let suffix = name.strip_prefix("github-").unwrap();
    assert!(
        suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{name}"
    );
}

#[tokio::test]
async fn every_scheme_is_taken_for_any_toolkit() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let schemes = [
        "OAUTH2",
        "OAUTH1",
        "API_KEY",
        "BASIC",
        "BILLCOM_AUTH",
        "BEARER_TOKEN",
        "GOOGLE_SERVICE_ACCOUNT",
        "NO_AUTH",
        "BASIC_WITH_JWT",
        "CALCOM_AUTH",
        "SERVICE_ACCOUNT",
        "SAML",
        "DCR_OAUTH",
        "S2S_OAUTH2",
        "CIMD_OAUTH",
    ];
    for scheme in schemes {
        let body = custom(
            "slack",
            scheme,
            json!({ "client_id": "id", "client_secret": "secret" }),
        );
        let reply = alice.post(V3, body).await;
        // The SDK's list has no CIMD_OAUTH: it is shown as DCR_OAUTH.
        let shown_scheme = if scheme == "CIMD_OAUTH" {
            "DCR_OAUTH"
        } else {
            scheme
        };
        assert_eq!(
            (reply.status, &reply.json["auth_config"]["auth_scheme"]),
            (201, &json!(shown_scheme)),
            "{}",
            reply.text
        );
        let id = reply.json["auth_config"]["id"].as_str().unwrap();
        assert_eq!(shown(&alice, id).await["auth_scheme"], shown_scheme);
    }
}

#[tokio::test]
async fn each_credential_is_sealed_in_a_cell_of_its_own() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let mut body = custom(
        "slack",
        "OAUTH2",
        json!({ "client_id": "id-1", "client_secret": canary(), "extra": 7 }),
    );
    body["auth_config"]["shared_credentials"] = json!({ "team": canary() });
    let id = made(&alice, body).await;
    let cells = sealed(&app, &id).await;
    let names: Vec<_> = cells
        .iter()
        .map(|cell| {
            (
                cell["kind"].as_str().unwrap(),
                cell["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("credential", "client_id"),
            ("credential", "client_secret"),
            ("credential", "extra"),
            ("shared", "team")
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_managed_config_needs_an_app_of_the_operator() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let before = app.fingerprint().await;
    for body in [
        json!({ "toolkit": { "slug": "github" } }),
        json!({ "toolkit": { "slug": "github" }, "auth_config": { "type": "use_composio_managed_auth" } }),
    ] {
        let reply = alice.composio().post(V3, body).await;
        let (code, slug) = (306, "Auth_Config_DefaultAuthConfigNotFound");
        let message = "No managed auth config is available for toolkit \"github\"";
        let fix = "Use \"type\": \"use_custom_auth\" with credentials of your own app.";
        assert_envelope(&reply, (400, code, slug, message, fix), &[]);
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn an_unknown_toolkit_is_not_found() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let reply = alice
        .composio()
        .post(V3, custom("no-such-thing", "API_KEY", json!({})))
        .await;
    let expected = (
        404,
        401,
        "Toolkit_NotFound",
        "Toolkit not found",
        "Check toolkit.slug.",
    );
    assert_envelope(&reply, expected, &[]);
}

#[tokio::test]
async fn a_toolkit_without_authentication_takes_no_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let reply = alice
        .composio()
        .post(V3, custom("hacker-news", "API_KEY", json!({})))
        .await;
    assert_eq!(
        told(&reply),
        (400, 303, "Auth_Config_NoAuthApp"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn oauth2_needs_client_id_and_client_secret() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (credentials, field) in [
        (json!({}), "Client id"),
        (json!({ "client_secret": "s" }), "Client id"),
        (json!({ "client_id": "i" }), "Client secret"),
    ] {
        let reply = alice
            .composio()
            .post(V3, custom("github", "OAUTH2", credentials))
            .await;
        let message = format!(
            "Missing required field \"{field}\" for auth scheme \"OAUTH2\" in toolkit \"github\""
        );
        let (slug, fix) = (
            "Auth_Config_ValidationError",
            "Put the field into auth_config.credentials.",
        );
        assert_envelope(&reply, (400, 301, slug, &message, fix), &[]);
    }
}

#[tokio::test]
async fn every_fault_is_named_at_once_and_nothing_is_made() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let before = app.fingerprint().await;
    let body = json!({
        "toolkit": {},
        "auth_config": { "type": "use_custom_auth", "name": "", "credentials": { "scopes": 5, "k": canary() } },
    });
    let reply = alice.composio().post(V3, body).await;
    assert_invalid(
        &reply,
        &[
            "Error in payload.toolkit.slug: Required",
            "Error in payload.auth_config.authScheme: Required",
            "Error in payload.auth_config.name: String must contain at least 1 character(s)",
            "Error in payload.auth_config.credentials.scopes: \
             Invalid input: expected string or array of strings, received number",
        ],
    );
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}
