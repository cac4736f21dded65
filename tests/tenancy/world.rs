//! Two tenants with rows in every table, and the things of theirs that a request can name.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};

/// A service that the catalogue knows, so that no tenant's request fails at its name.
pub const EVERYBODYS: &str = "Slack";

/// What a request can name of one tenant; with [`Named::nobodys`], what no one has.
#[derive(Clone)]
pub struct Named {
    /// A Langdock integration.
    pub integration: String,
    /// The name of that integration, which is its slug too.
    pub service: String,
    /// A user, who has an instance of it and one of [`EVERYBODYS`].
    pub user: String,
    /// A Klavis instance of it.
    pub instance: String,
    /// A Composio auth config of it.
    pub auth_config: String,
    /// A connected account of that auth config.
    pub account: String,
    /// A strata of the instance's user with it and with [`EVERYBODYS`].
    pub strata: String,
}

impl Named {
    /// Well-formed, and nowhere.
    pub fn nobodys() -> Self {
        let random = Uuid::new_v4().simple().to_string();
        Self {
            integration: Uuid::new_v4().to_string(),
            service: format!("vault-{}", &random[..8]),
            user: format!("user-{}", Uuid::new_v4()),
            instance: Uuid::new_v4().to_string(),
            auth_config: format!("ac_{}", &random[20..]),
            account: format!("ca_{}", &random[20..]),
            strata: Uuid::new_v4().to_string(),
        }
    }

    /// Every text that a request may carry of it.
    pub fn texts(&self) -> [&str; 7] {
        [
            &self.integration,
            &self.service,
            &self.user,
            &self.instance,
            &self.auth_config,
            &self.account,
            &self.strata,
        ]
    }
}

fn created(reply: crate::common::client::Reply) -> Value {
    assert!((200..300).contains(&reply.status), "{}", reply.text);
    reply.json
}

/// An integration with an instance that holds a credential, and a second auth config; all hold planted secrets.
pub async fn things_of(tenant: &Tenant) -> Named {
    let Named { service, user, .. } = Named::nobodys();
    let made = tenant
        .langdock()
        .post("/integrations/v1/create", json!({ "name": service }))
        .await;
    let integration = text(&created(made)["integration"]["id"]);
    let auth = json!({"authType": "API_KEY", "authFields": [{"slug": "key", "label": "Key", "type": "PASSWORD"}]});
    let path = format!("/integrations/v1/{integration}/auth");
    created(tenant.langdock().patch(&path, auth).await);
    let instance = instance(tenant, &service, &user).await;
    let config = json!({
        "toolkit": {"slug": service},
        "auth_config": {
            "type": "use_custom_auth", "authScheme": "API_KEY", "credentials": {"generic_api_key": canary()},
            "shared_credentials": {"subdomain": canary()},
            "proxy_config": {"proxy_url": "https://proxy.example", "proxy_auth_key": canary()},
        },
    });
    let made = tenant.composio().post("/api/v3/auth_configs", config).await;
    let auth_config = text(&created(made)["auth_config"]["id"]);
    let label = json!({
        "client_id": format!("app-of-{service}"), "client_secret": canary(), "server_name": service,
    });
    created(tenant.klavis().post("/white-labeling/create", label).await);
    let account = account(tenant, &auth_config, &user).await;
    let strata = strata(tenant, &service, &user).await;
    let link = json!({
        "auth_config_id": auth_config, "user_id": Named::nobodys().user, "connection_data": {"key": canary()},
    });
    let linked = tenant
        .composio()
        .post("/api/v3.1/connected_accounts/link", link)
        .await;
    created(linked);
    Named {
        integration,
        service,
        user,
        instance,
        auth_config,
        account,
        strata,
    }
}

/// A connected account that holds a planted credential, beside the user's instance and one that waits with a link, which
/// holds another.
async fn account(tenant: &Tenant, auth_config: &str, user: &str) -> String {
    let body = json!({
        "auth_config": {"id": auth_config},
        "connection": {"user_id": user, "state": {"authScheme": "API_KEY", "val": {"generic_api_key": canary()}}},
    });
    let made = tenant
        .composio()
        .post("/api/v3/connected_accounts", body)
        .await;
    let link = json!({
        "auth_config_id": auth_config, "user_id": user, "connection_data": {"generic_api_key": canary()},
    });
    let linked = tenant
        .composio()
        .post("/api/v3/connected_accounts/link", link)
        .await;
    created(linked);
    text(&created(made)["id"])
}

/// A strata with the service and with [`EVERYBODYS`], and with a server of others whose headers hold a planted secret.
async fn strata(tenant: &Tenant, service: &str, user: &str) -> String {
    let external = json!({
        "name": format!("external-{}", Uuid::new_v4()), "url": "https://mcp.example",
        "headers": {"Authorization": canary()},
    });
    let services = [service, EVERYBODYS];
    let body = json!({"userId": user, "servers": services, "externalServers": [external]});
    let made = tenant
        .klavis()
        .post("/mcp-server/strata/create", body)
        .await;
    text(&created(made)["strataId"])
}

/// An instance that holds a planted credential.
pub async fn instance(tenant: &Tenant, service: &str, user: &str) -> String {
    let body = json!({"serverName": service, "userId": user});
    let made = tenant
        .klavis()
        .post("/mcp-server/instance/create", body)
        .await;
    let id = text(&created(made)["instanceId"]);
    let body = json!({"instanceId": id, "authData": {"data": {"key": canary(), "more": {"nested": canary()}}}});
    let stored = tenant
        .klavis()
        .post("/mcp-server/instance/set-auth", body)
        .await;
    assert_eq!(created(stored)["success"], true);
    id
}

/// Retires a connection, so that this table has a row too.
async fn retire_one(tenant: &Tenant) {
    let things = things_of(tenant).await;
    let path = format!("/integrations/v1/{}/auth", things.integration);
    created(
        tenant
            .langdock()
            .patch(&path, json!({"authType": "SERVICE_ACCOUNT"}))
            .await,
    );
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The names of all tables that have a `tenant_id`.
pub async fn tenant_tables(app: &TestApp) -> Vec<String> {
    let rows = app
        .sql(
            "SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
             WHERE a.attname = 'tenant_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p') \
                 AND c.relnamespace = 'public'::regnamespace ORDER BY 1",
        )
        .await;
    rows.iter().map(|row| text(&row["name"])).collect()
}

/// Alice and Bob, each with rows in every tenant table.
pub async fn two_tenants(app: &TestApp) -> [Tenant; 2] {
    let tenants = [app.tenant("alice").await, app.tenant("bob").await];
    for tenant in &tenants {
        things_of(tenant).await;
        retire_one(tenant).await;
    }
    for table in tenant_tables(app).await {
        for tenant in &tenants {
            let rows = app
                .count(&format!("{table} WHERE tenant_id = '{}'", tenant.id))
                .await;
            assert!(
                rows > 0,
                "{table} has no row of this tenant: let `two_tenants` make one"
            );
        }
    }
    tenants
}

/// A digest of all rows of one tenant, those of the audit log too.
pub async fn digest(app: &TestApp, tenant: &Tenant) -> Vec<Value> {
    let mut digests = Vec::new();
    for table in tenant_tables(app).await {
        let rows = format!(
            "SELECT '{table}' AS name, count(*) AS rows, md5(string_agg(t::text, ' ' ORDER BY t::text)) AS digest \
             FROM {table} AS t WHERE tenant_id = '{}'",
            tenant.id
        );
        digests.extend(app.sql(&rows).await);
    }
    digests
}
