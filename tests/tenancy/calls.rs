//! Calls of the functions of the hot paths, for one tenant with the ids of any.

use crate::common::TestApp;
use crate::common::tenant::Tenant;

/// A connection with a credential, its config and its integration, as SQL literals.
pub struct Things {
    pub connection: String,
    pub integration: String,
    pub config: String,
    pub public_id: String,
    pub fields: String,
    pub version: i64,
}

pub async fn things(app: &TestApp, tenant: &Tenant) -> Things {
    let query = format!(
        "SELECT c.connection_id, c.integration_id, a.auth_config_id, a.public_id, a.fields::text, a.version \
         FROM connections c JOIN auth_configs a USING (tenant_id, auth_config_id) \
         WHERE c.tenant_id = '{}' AND c.sealed_credential IS NOT NULL AND a.is_default LIMIT 1",
        tenant.id
    );
    let row = &app.sql(&query).await[0];
    let text = |name: &str| format!("'{}'", row[name].as_str().unwrap());
    Things {
        connection: text("connection_id"),
        integration: text("integration_id"),
        config: text("auth_config_id"),
        public_id: text("public_id"),
        fields: text("fields"),
        version: row["version"].as_i64().unwrap(),
    }
}

const CHANGE: &str = r#"'{"name": "taken", "tool_access": {}, "proxy_url": null, "tool_router": false, "test_code": null,
    "fields": [], "oauth_client": null, "set": [{"kind": "credential", "name": "taken", "value": "QQ=="}]}'"#;

/// A call of every function that acts for a tenant, single and plural, with its name.
pub fn calls(tenant: &Tenant, of: &Things) -> Vec<(&'static str, String)> {
    let Things {
        connection,
        integration,
        config,
        public_id,
        fields,
        version,
    } = of;
    let tenant = format!("'{}'", tenant.id);
    let tenants = format!("ARRAY[{tenant}]::uuid[]");
    let audit = "gen_random_uuid(), 'key', 'request'";
    let audits = "ARRAY[gen_random_uuid()], '{key}', '{request}'";
    let call = |name: &'static str, arguments: String| (name, format!("{name}({arguments})"));
    vec![
        call(
            "set_credential",
            format!("{tenant}, {connection}, NULL, {fields}, gen_random_uuid(), 'x', {audit}"),
        ),
        call(
            "set_credentials",
            format!(
                "{tenants}, ARRAY[{connection}]::uuid[], ARRAY[NULL], ARRAY[{fields}]::jsonb[], \
                 ARRAY[gen_random_uuid()], '{{x}}', {audits}"
            ),
        ),
        call("hand_out", format!("{tenant}, {connection}, NULL, {audit}")),
        call(
            "hand_outs",
            format!("{tenants}, ARRAY[{connection}]::uuid[], ARRAY[NULL], {audits}"),
        ),
        call(
            "hand_out_credential",
            format!("{tenant}, {connection}, NULL, {audit}"),
        ),
        call(
            "hand_out_credentials",
            format!("{tenants}, ARRAY[{connection}]::uuid[], ARRAY[NULL], {audits}"),
        ),
        call("read_auth_config", format!("{tenant}, {public_id}, NULL")),
        call("read_auth_config", format!("{tenant}, NULL, {integration}")),
        call(
            "read_auth_configs",
            format!("{tenants}, ARRAY[{public_id}, NULL], ARRAY[NULL, {integration}]::uuid[]"),
        ),
        call(
            "change_auth_config",
            format!("{tenant}, {config}, {version}, {CHANGE}, {audit}, 'auth_config.update', NULL"),
        ),
        call(
            "change_auth_configs",
            format!(
                "{tenants}, ARRAY[{config}]::uuid[], ARRAY[{version}]::bigint[], ARRAY[{CHANGE}]::jsonb[], {audits}, \
                 '{{auth_config.update}}', ARRAY[NULL]::jsonb[]"
            ),
        ),
    ]
}
