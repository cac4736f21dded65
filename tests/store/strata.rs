//! The sealed headers of external servers: bound to their strata and name, and moved by both rotations.

use keyway::crypto::{KeyRing, RootKey};
use keyway::domain::Service;
use keyway::domain::ids::StrataId;
use keyway::store::keys::Vault;
use keyway::store::{Db, strata as rows};
use serde_json::json;

use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary, settings};
use crate::rotation::{age, named, rotate};
use crate::rows::strata;

/// The keys of another process that holds these root keys.
async fn vault(app: &TestApp, ring: KeyRing) -> Vault {
    Vault::unlock(Db::new(app.superuser()), ring).await.unwrap()
}

fn old_root(app: &TestApp) -> RootKey {
    RootKey::from_base64(app.root_key()).unwrap()
}

/// Whether the headers of the strata's server open as those of `name`, and to `expected`.
async fn opens(
    app: &TestApp,
    vault: &Vault,
    tenant: &Tenant,
    (id, name): (StrataId, &str),
    expected: &str,
) -> bool {
    let query = "SELECT sealed_headers AS sealed FROM strata_external_servers WHERE name = 'wiki'";
    let row = app.sql(query).await;
    let hex = row[0]["sealed"].as_str().unwrap().trim_start_matches("\\x");
    let sealed: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let keys = vault.tenant_keys(tenant.id).await.unwrap();
    let opened = keys.open(&rows::place(tenant.id, id, name), &sealed);
    opened.is_ok_and(|secret| secret.same_as(expected))
}

#[tokio::test]
async fn headers_survive_both_rotations_and_open_in_their_own_place_only() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let id = strata(&alice, "Slack", "u1").await;
    let secret = canary();
    // As they were written: order, null and U+0000 too.
    let headers = format!(r#"{{"X-Z":"\u0000","Authorization":"Bearer {secret}","X-None":null}}"#);
    let body = format!(
        r#"{{"strataId":"{id}","externalServers":[{{"name":"wiki","url":"https://mcp.example","headers":{headers}}}]}}"#
    );
    let added = alice
        .klavis()
        .request(http::Method::POST, "/mcp-server/strata/add")
        .header("content-type", "application/json");
    assert_eq!(added.body(body).send().await.status, 200);
    let id: StrataId = id.parse().unwrap();
    let place = (id, "wiki");
    let first = vault(&app, KeyRing::new(&old_root(&app), &[])).await;
    assert!(opens(&app, &first, &alice, place, &headers).await);
    assert!(!opens(&app, &first, &alice, (id, "other"), &headers).await);
    assert!(!opens(&app, &first, &alice, (StrataId::new(), "wiki"), &headers).await);
    assert!(!opens(&app, &first, &bob, place, &headers).await);

    rotate(app.service(), "alice").await;
    age(&app).await;
    app.service().tidy().await.unwrap();
    let under = named(&app, &alice, "strata_external_servers", "sealed_headers").await;
    assert_eq!(under, [2]);
    let new = RootKey::generate();
    let both = vault(&app, KeyRing::new(&new, &[old_root(&app)])).await;
    let both = Service::new(both, settings("http://127.0.0.1:1"));
    let rotation = both.rotate_root_key(&|_| {}).await.unwrap();
    assert_eq!((rotation.damaged, rotation.remaining), (0, vec![]));

    let second = vault(&app, KeyRing::new(&new, &[])).await;
    assert!(opens(&app, &second, &alice, place, &headers).await);
    let shown = alice
        .klavis()
        .get(&format!("/mcp-server/strata/{id}"))
        .await;
    let wiki = json!([{"name": "wiki", "url": "https://mcp.example", "headers": null}]);
    assert_eq!(shown.json["connectedExternalServers"], wiki);
    app.finish().await;
}
