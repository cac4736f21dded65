//! What the tests of this program make rows with.

use futures_util::future::BoxFuture;
use keyway::domain::Error;
use keyway::domain::ids::{IntegrationId, TenantId};
use keyway::store::{Access, Db, TenantTx, integrations};
use serde_json::{Value, json};

use crate::common::cluster::TestDatabase;
use crate::common::stored::Stored;
use crate::common::tenant::Tenant;
use crate::common::{self, TestApp, canary};

/// A database with one tenant and nothing around it.
pub struct House {
    pub db: Db,
    pub stored: Stored,
    pub tenant: TenantId,
    _database: TestDatabase,
}

pub async fn house() -> House {
    let database = common::database().await;
    let stored = Stored::new(database.superuser());
    let tenant = TenantId::new();
    stored
        .execute(&format!(
            "INSERT INTO tenants (tenant_id, name) VALUES ('{tenant}', 'alice')"
        ))
        .await;
    House {
        db: Db::new(database.login()),
        stored,
        tenant,
        _database: database,
    }
}

impl House {
    /// Waits until no transaction is open, at most five seconds: none may be forgotten in the pool.
    pub async fn assert_nothing_is_open(&self) {
        let open = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
        for _ in 0..100 {
            if self.stored.count(open).await == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("transactions stay open on connections of the pool");
    }

    /// Runs a transaction that writes.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl for<'a> Fn(&'a mut TenantTx) -> BoxFuture<'a, Result<T, Error>>
        + Send
        + Sync
        + 'static,
    ) -> Result<T, Error> {
        self.db.tenant(self.tenant, Access::Write, work).await
    }
}

/// Inserts an integration of this slug in the transaction.
pub async fn insert(tx: &mut TenantTx, slug: &str) -> Result<IntegrationId, Error> {
    let row = integrations::NewRow {
        id: IntegrationId::new(),
        match_key: slug,
        slug,
        name: slug,
        description: "",
        catalogue_slug: None,
    };
    let made = integrations::insert(tx, &row).await?;
    Ok(made.expect("the slug is free").id)
}

/// A Langdock integration of scheme `API_KEY`: its id.
pub async fn integration(tenant: &Tenant, name: &str) -> String {
    let made = tenant
        .langdock()
        .post("/integrations/v1/create", json!({ "name": name }))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json["integration"]["id"].as_str().unwrap().to_owned();
    set_auth(tenant, &id, "API_KEY").await;
    id
}

/// Changes the kind of authentication.
pub async fn set_auth(tenant: &Tenant, integration: &str, kind: &str) {
    let path = format!("/integrations/v1/{integration}/auth");
    let reply = tenant
        .langdock()
        .patch(&path, json!({ "authType": kind }))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// A Klavis instance: its id.
pub async fn instance(tenant: &Tenant, service: &str, user: &str) -> String {
    let body = json!({"serverName": service, "userId": user});
    let made = tenant
        .klavis()
        .post("/mcp-server/instance/create", body)
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json["instanceId"].as_str().unwrap().to_owned()
}

/// Stores a credential.
pub async fn store(tenant: &Tenant, instance: &str, data: Value) {
    let body = json!({"instanceId": instance, "authData": {"data": data}});
    let reply = tenant
        .klavis()
        .post("/mcp-server/instance/set-auth", body)
        .await;
    assert_eq!(
        (reply.status, &reply.json["success"]),
        (200, &json!(true)),
        "{}",
        reply.text
    );
}

/// A strata with the service, and with a server of others whose headers hold a planted secret: its id.
pub async fn strata(tenant: &Tenant, service: &str, user: &str) -> String {
    let external = json!({"name": "wiki", "url": "https://mcp.example", "headers": {"Authorization": canary()}});
    let body = json!({"userId": user, "servers": [service], "externalServers": [external]});
    let made = tenant
        .klavis()
        .post("/mcp-server/strata/create", body)
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json["strataId"].as_str().unwrap().to_owned()
}

/// Adds `count` connections of as many new users to the default config of an integration, beside the API.
pub async fn many(app: &TestApp, integration: &str, count: u32) {
    app.execute(&format!(
        "INSERT INTO users (tenant_id, user_hash, user_id)
             SELECT i.tenant_id, sha256(('many-' || n)::bytea), 'many-' || n
             FROM integrations i, generate_series(1, {count}) n WHERE i.integration_id = '{integration}'
             ON CONFLICT DO NOTHING;
         INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id,
                 user_hash, is_primary, status, generation, sealed_credential)
             SELECT c.tenant_id, gen_random_uuid(), 'ca_' || substr(md5(c.auth_config_id::text || n), 1, 12),
                 c.auth_config_id, c.integration_id, 'many-' || n, sha256(('many-' || n)::bytea), true, 'ACTIVE',
                 gen_random_uuid(), decode(repeat(md5(n::text), 4), 'hex')
             FROM auth_configs c, generate_series(1, {count}) n
             WHERE c.integration_id = '{integration}' AND c.is_default;
         ANALYZE users; ANALYZE connections"
    ))
    .await;
}
