//! Every entry of the catalogue, under every name that it has, in both dialects that name services.

use keyway::domain::catalogue::Catalogue;
use serde_json::json;

use crate::common::TestApp;
use crate::speak::{configs, instance, make_config, shown};

#[tokio::test]
async fn every_name_of_an_entry_leads_to_one_integration() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let entries = Catalogue::built_in().entries();
    for entry in entries {
        let first = instance(&alice, &entry.slug, "u1").await;
        for name in entry.names() {
            for spelling in [
                name.to_owned(),
                name.to_uppercase().replace(['-', ' '], "_"),
            ] {
                assert_eq!(
                    instance(&alice, &spelling, "u1").await,
                    first,
                    "{spelling} of {}",
                    entry.slug
                );
            }
        }
        let expected = json!({
            "instanceId": first,
            "authNeeded": entry.default_scheme != "NO_AUTH",
            "isAuthenticated": false,
            "serverName": entry.klavis.as_deref().unwrap_or(&entry.name),
            "platform": null, "externalUserId": "u1", "oauthUrl": null,
        });
        assert_eq!(shown(&alice, &first).await.json, expected);
    }
    let made = i64::try_from(entries.len()).unwrap();
    assert_eq!(app.count("integrations").await, made);
    assert_eq!(app.count("connections").await, made);
    assert_eq!(
        app.count("auth_configs WHERE is_default AND is_implicit")
            .await,
        made
    );
}

#[tokio::test]
async fn composio_sees_what_klavis_made_under_its_own_slug() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for entry in Catalogue::built_in().entries() {
        instance(&alice, &entry.name, "u1").await;
        let slug = entry.toolkit_slug();

        let seen = configs(&alice, slug).await;

        assert_eq!(seen.len(), 1, "{slug}");
        assert_eq!(seen[0]["toolkit"]["slug"], slug);
        assert_eq!(
            seen[0]["auth_scheme"],
            entry.default_scheme.as_str(),
            "{slug}"
        );
        assert_eq!(seen[0]["no_of_connections"], 1, "{slug}");
    }
}

#[tokio::test]
async fn a_service_that_needs_no_auth_takes_no_config_and_no_credential() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let open: Vec<_> = Catalogue::built_in()
        .entries()
        .iter()
        .filter(|entry| entry.needs_no_auth())
        .collect();
    assert!(!open.is_empty());
    for entry in open {
        let reply = make_config(&alice, &entry.slug, "API_KEY", json!({})).await;
        assert_eq!(
            (reply.status, &reply.json["error"]["slug"]),
            (400, &json!("Auth_Config_NoAuthApp"))
        );
        let connection = instance(&alice, &entry.slug, "u1").await;
        assert_eq!(shown(&alice, &connection).await.json["authNeeded"], false);
    }
}
