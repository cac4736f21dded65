//! `GET /toolkits/{slug}`

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Client;
use crate::managed::shared;
use crate::story::{assert_envelope, assert_invalid, told};

pub const V3: &str = "/api/v3/toolkits";
pub const V3_1: &str = "/api/v3.1/toolkits";

/// Makes an integration of the tenant's own; its id.
pub async fn own(langdock: &Client, name: &str) -> String {
    let body = json!({ "name": name, "description": format!("About {name}") });
    let made = langdock.post("/integrations/v1/create", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json["integration"]["id"].as_str().unwrap().to_owned()
}

async fn shown(client: &Client, slug: &str) -> Value {
    let reply = client.get(&format!("{V3_1}/{slug}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

fn field(name: &str, label: &str, description: &str, required: bool, secret: bool) -> Value {
    json!({
        "name": name, "displayName": label, "type": "string", "description": description,
        "required": required, "default": null, "is_secret": secret,
    })
}

fn fields(creation: [Value; 2], initiation: [Value; 2]) -> Value {
    let group =
        |[required, optional]: [Value; 2]| json!({ "required": required, "optional": optional });
    json!({ "auth_config_creation": group(creation), "connected_account_initiation": group(initiation) })
}

/// GitHub as the catalogue has it.
fn github() -> Value {
    let none = || [json!([]), json!([])];
    let proxy = json!({ "base_url": "https://api.github.com" });
    let mut scopes = field(
        "scopes",
        "Scopes",
        "What the OAuth app asks its users for.",
        false,
        false,
    );
    scopes["default"] = json!("repo read:org read:user user:email");
    let client = json!([
        field(
            "client_id",
            "Client id",
            "The id of your OAuth app.",
            true,
            false
        ),
        field(
            "client_secret",
            "Client secret",
            "The secret of your OAuth app.",
            true,
            true
        ),
    ]);
    let made = "Made under Settings, Developer settings, Personal access tokens.";
    let key = json!([field(
        "generic_api_key",
        "Personal access token",
        made,
        true,
        true
    )]);
    let account = json!([
        field(
            "application_id",
            "App id",
            "The id of your GitHub App.",
            true,
            false
        ),
        field(
            "installation_id",
            "Installation id",
            "The number at the end of the installation’s address.",
            true,
            false
        ),
        field(
            "private_key",
            "Private key",
            "The app's private key in PEM format.",
            true,
            true
        ),
    ]);
    json!({
        "slug": "github",
        "name": "GitHub",
        "type": "native",
        "enabled": true,
        "is_local_toolkit": false,
        "composio_managed_auth_schemes": [],
        "composio_managed_auth": [],
        "auth_config_details": [
            { "name": "OAuth 2", "mode": "OAUTH2", "fields": fields([client, json!([scopes])], none()), "proxy": proxy },
            { "name": "API key", "mode": "API_KEY", "fields": fields(none(), [key, json!([])]), "proxy": proxy },
            { "name": "Service account", "mode": "SERVICE_ACCOUNT", "fields": fields(none(), [account, json!([])]), "proxy": proxy },
        ],
        "auth_guide_url": "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps",
        "base_url": "https://api.github.com",
        "deprecated": { "toolkitId": "9105f154-70df-5eab-81d1-975b0907b813", "rawProxyInfoByAuthSchemes": [] },
        "meta": {
            "created_at": "2026-11-20T00:00:00.000Z",
            "updated_at": "2026-11-20T00:00:00.000Z",
            "description": "Host code, review changes and track issues.",
            "logo": "",
            "app_url": "https://github.com",
            "categories": [{ "slug": "developer-tools", "name": "Developer tools" }],
            "triggers_count": 0,
            "tools_count": 0,
            "version": "20261120_00",
            "available_versions": ["20261120_00"],
        },
    })
}

#[tokio::test]
async fn a_service_of_the_catalogue_is_told_with_the_fields_of_its_schemes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let before = app.fingerprint().await;
    for slug in [
        "github",
        "GITHUB",
        "Git%20Hub",
        "git-hub",
        "github?version=latest",
        "github?version=20250909_00",
    ] {
        assert_eq!(shown(&alice, slug).await, github(), "{slug}");
    }
    assert_eq!(alice.get(&format!("{V3}/github")).await.json, github());
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn the_operators_app_is_told_by_its_scheme_alone() {
    let app = TestApp::start_managing(shared(&["github"])).await;
    let alice = app.tenant("alice").await.composio();
    let mut expected = github();
    let scopes = ["repo", "read:org", "read:user", "user:email"];
    expected["composio_managed_auth_schemes"] = json!(["OAUTH2"]);
    expected["composio_managed_auth"] =
        json!([{ "mode": "OAUTH2", "scopes": { "available": scopes } }]);
    assert_eq!(shown(&alice, "github").await, expected);
    assert_eq!(
        shown(&alice, "slack").await["composio_managed_auth_schemes"],
        json!([])
    );
    app.finish().await;
}

#[tokio::test]
async fn urls_that_depend_on_the_user_are_left_out() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let zendesk = shown(&alice, "zendesk").await;
    assert_eq!(zendesk.get("base_url"), None);
    let oauth = &zendesk["auth_config_details"][0];
    assert_eq!(oauth.get("proxy"), None);
    let needed = &oauth["fields"]["connected_account_initiation"]["required"];
    assert_eq!(needed[0]["name"], "subdomain");
}

#[tokio::test]
async fn an_integration_of_ones_own_is_custom_with_the_fields_of_its_default_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = own(&alice.langdock(), "Acme CRM").await;
    let empty = [json!([]), json!([])];
    let found = shown(&alice.composio(), "ACME_CRM").await;
    let (created, updated) = (&found["meta"]["created_at"], &found["meta"]["updated_at"]);
    let day = created.as_str().unwrap()[..10].replace('-', "");
    let expected = json!({
        "slug": "acme-crm",
        "name": "Acme CRM",
        "type": "custom",
        "enabled": true,
        "is_local_toolkit": false,
        "composio_managed_auth_schemes": [],
        "composio_managed_auth": [],
        "auth_config_details": [
            { "name": "No authentication", "mode": "NO_AUTH", "fields": fields(empty.clone(), empty.clone()) },
        ],
        "deprecated": { "toolkitId": id, "rawProxyInfoByAuthSchemes": [] },
        "meta": {
            "created_at": created,
            "updated_at": updated,
            "description": "About Acme CRM",
            "logo": "",
            "categories": [],
            "triggers_count": 0,
            "tools_count": 0,
            "version": format!("{day}_00"),
            "available_versions": [format!("{day}_00")],
        },
    });
    assert_eq!(found, expected);

    let auth = json!({ "authType": "API_KEY", "authFields": [
        { "slug": "token", "label": "Token", "type": "PASSWORD", "required": true, "description": "From the settings" },
        { "slug": "region", "label": "Region", "type": "NUMBER", "required": false },
    ]});
    let path = format!("/integrations/v1/{id}/auth");
    assert_eq!(alice.langdock().patch(&path, auth).await.status, 200);
    let mut region = field("region", "Region", "", false, false);
    region["type"] = json!("number");
    let token = field("token", "Token", "From the settings", true, true);
    let found = shown(&alice.composio(), "acme-crm").await;
    let details = fields(empty, [json!([token]), json!([region])]);
    assert_eq!(
        found["auth_config_details"],
        json!([{ "name": "API key", "mode": "API_KEY", "fields": details }])
    );

    let oauth = json!({ "authType": "OAUTH", "authFields": [] });
    assert_eq!(alice.langdock().patch(&path, oauth).await.status, 200);
    let found = shown(&alice.composio(), "acme-crm").await;
    let creation = &found["auth_config_details"][0]["fields"]["auth_config_creation"];
    assert_eq!(creation["required"][0]["name"], "client_id");
    assert_eq!(creation["required"][1]["name"], "client_secret");
}

#[tokio::test]
async fn what_no_name_leads_to_is_unknown() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    own(&alice.langdock(), "Acme CRM").await;
    let unknown = (
        404,
        401,
        "Toolkit_NotFound",
        "Toolkit not found",
        "Check toolkit.slug.",
    );
    for slug in [
        "nowhere",
        "%FF",
        "%00",
        "...",
        "acme-crm",
        "nowhere?version=%00",
    ] {
        let reply = bob.composio().get(&format!("{V3}/{slug}")).await;
        assert_envelope(&reply, unknown, &[]);
    }
    let reply = bob
        .composio()
        .get(&format!("{V3}/github?version=%00&version=x"))
        .await;
    assert_invalid(
        &reply,
        &["Error in query.version: Expected string, received array"],
    );
}

#[tokio::test]
async fn a_limited_key_knows_its_own_integrations_only() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (acme, other) = (
        own(&alice.langdock(), "Acme").await,
        own(&alice.langdock(), "Other").await,
    );
    let instance = json!({ "serverName": "GitHub", "userId": "u" });
    assert_eq!(
        alice
            .klavis()
            .post("/mcp-server/instance/create", instance)
            .await
            .status,
        200
    );
    let github_id = app
        .sql("SELECT integration_id FROM integrations WHERE slug = 'github'")
        .await;
    let github_id = github_id[0]["integration_id"].as_str().unwrap().to_owned();
    let limited = alice.limited_to(&[acme, github_id]).await.composio();

    assert_eq!(shown(&limited, "github").await, github());
    assert_eq!(shown(&limited, "acme").await["type"], "custom");
    for slug in ["other", "slack", &other] {
        let reply = limited.get(&format!("{V3}/{slug}")).await;
        assert_eq!(told(&reply), (404, 401, "Toolkit_NotFound"), "{slug}");
    }
}
