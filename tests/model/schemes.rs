//! One scheme under each dialect's word for it.

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::speak::{config, config_shown, instance, integration, read, set_auth, shown, store};

/// The name as it is given to Composio, Langdock's word, whether Klavis takes a credential.
const SCHEMES: [(&str, &str, bool); 15] = [
    ("OAUTH2", "OAUTH", true),
    ("OAUTH1", "API_KEY", true),
    ("API_KEY", "API_KEY", true),
    ("BASIC", "API_KEY", true),
    ("BILLCOM_AUTH", "API_KEY", true),
    ("BEARER_TOKEN", "API_KEY", true),
    ("GOOGLE_SERVICE_ACCOUNT", "SERVICE_ACCOUNT", true),
    ("NO_AUTH", "NONE", false),
    ("BASIC_WITH_JWT", "API_KEY", true),
    ("CALCOM_AUTH", "API_KEY", true),
    ("SERVICE_ACCOUNT", "SERVICE_ACCOUNT", true),
    ("SAML", "API_KEY", true),
    ("DCR_OAUTH", "OAUTH_DCR", true),
    ("S2S_OAUTH2", "OAUTH", true),
    ("CIMD_OAUTH", "OAUTH_DCR", true),
];

/// The public Composio SDK's closed list has no `CIMD_OAUTH`, so that it is shown as the flow that is like it.
fn shown_as(scheme: &'static str) -> &'static str {
    if scheme == "CIMD_OAUTH" {
        "DCR_OAUTH"
    } else {
        scheme
    }
}

#[tokio::test]
async fn every_scheme_has_its_word_in_every_dialect() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (scheme, word, takes_credentials) in SCHEMES {
        let name = format!("Service {scheme}");
        let id = integration(&alice, &name).await;

        let made = config(&alice, &name, scheme).await;

        assert_eq!(
            config_shown(&alice, &made).await["auth_scheme"],
            shown_as(scheme)
        );
        assert_eq!(
            app.count(&format!("auth_configs WHERE scheme = '{scheme}'"))
                .await,
            1
        );
        assert_eq!(read(&alice, &id).await["authType"], word, "{scheme}");
        let connection = instance(&alice, &name, "u1").await;
        assert_eq!(
            shown(&alice, &connection).await.json["authNeeded"],
            takes_credentials,
            "{scheme}"
        );
        let reply = store(&alice, &connection, json!({"token": "t"})).await;
        assert_eq!(
            (reply.status, &reply.json["success"]),
            (200, &json!(takes_credentials)),
            "{scheme}"
        );
        assert_eq!(
            shown(&alice, &connection).await.json["isAuthenticated"],
            takes_credentials,
            "{scheme}"
        );
    }
}

#[tokio::test]
async fn the_same_word_again_leaves_every_scheme_what_it_is() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (scheme, word, _) in SCHEMES {
        let name = format!("Service {scheme}");
        let id = integration(&alice, &name).await;
        let made = config(&alice, &name, scheme).await;
        let connection = instance(&alice, &name, "u1").await;

        set_auth(&alice, &id, json!({"authType": word})).await;

        assert_eq!(
            config_shown(&alice, &made).await["auth_scheme"],
            shown_as(scheme)
        );
        assert_eq!(
            app.count(&format!("auth_configs WHERE scheme = '{scheme}'"))
                .await,
            1
        );
        assert_eq!(
            shown(&alice, &connection).await.status,
            200,
            "{scheme}: its connections stay"
        );
    }
}

#[tokio::test]
async fn langdocks_words_make_these_schemes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    let config: Value = app.sql("SELECT public_id FROM auth_configs").await[0]["public_id"].clone();
    for (word, scheme) in [
        ("API_KEY", "API_KEY"),
        ("SERVICE_ACCOUNT", "SERVICE_ACCOUNT"),
        ("OAUTH", "OAUTH2"),
        ("OAUTH_DCR", "DCR_OAUTH"),
        ("NONE", "NO_AUTH"),
    ] {
        set_auth(&alice, &id, json!({"authType": word})).await;
        let seen = config_shown(&alice, config.as_str().unwrap()).await;
        assert_eq!(
            (&seen["auth_scheme"], &seen["is_composio_managed"]),
            (&json!(scheme), &json!(false))
        );
    }
}
