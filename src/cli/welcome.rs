//! The first start: the tenant `default`, its API key, shown once, and curl lines that work when pasted.

use std::net::SocketAddr;

use serde_json::json;

use super::{Failure, output};
use crate::config::reachable;
use crate::domain::error::Refusal;
use crate::domain::ids::TenantId;
use crate::domain::tenants::NewApiKey;
use crate::domain::{Error, Service};

/// Makes the tenant `default` where there is no tenant at all, and shows its key.
pub(super) async fn first_start(
    service: &Service,
    address: SocketAddr,
    json: bool,
) -> Result<(), Failure> {
    let tenants = service.tenants().await?;
    if let [only] = tenants.as_slice()
        && service.api_keys(TenantId(only.id)).await?.is_empty()
    {
        // As after a first start that was killed before it could show the key.
        let name = &only.name;
        tracing::warn!(
            "the only tenant, {name}, has no API key: `keyway key create --tenant {name}` makes one"
        );
    }
    if !tenants.is_empty() {
        return Ok(());
    }
    let tenant = match service.create_tenant("default").await {
        Ok(tenant) => tenant,
        // Another server on the same database was first and has shown the key.
        Err(Error::Refused(Refusal::NameTaken)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let new = NewApiKey {
        name: "first key".to_owned(),
        scopes: Vec::new(),
        integrations: None,
        expiry: None,
    };
    let made = service.create_key(tenant, new).await?;
    let address = reachable(address);
    if json {
        return output::json(&json!({
            "address": format!("http://{address}"),
            "tenant_id": tenant.to_string(),
            "name": "default",
            "key_id": made.id.to_string(),
            "api_key": *made.api_key,
        }));
    }
    output::line(&tour(&address.to_string(), &made.api_key))
}

/// What a new user pastes: one credential through each dialect.
fn tour(address: &str, api_key: &str) -> String {
    format!(
        r#"Keyway listens on http://{address}  (references: http://{address}/docs)
Tenant default has this API key; it is not shown again:

    export KEYWAY_KEY={api_key}
    export KEYWAY=http://{address}

Klavis: make an instance, store a user's API key in it, read it back
    ID=$(curl -s $KEYWAY/mcp-server/instance/create -H "Authorization: Bearer $KEYWAY_KEY" -H 'Content-Type: application/json' \
      -d '{{"serverName":"Stripe","userId":"alice"}}' | sed 's/.*"instanceId":"\([^"]*\)".*/\1/')
    curl -sw '\n' $KEYWAY/mcp-server/instance/set-auth -H "Authorization: Bearer $KEYWAY_KEY" -H 'Content-Type: application/json' \
      -d "{{\"instanceId\":\"$ID\",\"authData\":{{\"api_key\":\"sk_test_123\"}}}}"
    curl -sw '\n' $KEYWAY/mcp-server/instance/$ID/auth -H "Authorization: Bearer $KEYWAY_KEY"

Composio: make an auth config with your own OAuth app, change its secret
    AC=$(curl -s $KEYWAY/api/v3/auth_configs -H "x-api-key: $KEYWAY_KEY" -H 'Content-Type: application/json' \
      -d '{{"toolkit":{{"slug":"github"}},"auth_config":{{"type":"use_custom_auth","authScheme":"OAUTH2","credentials":{{"client_id":"my-app","client_secret":"my-secret"}}}}}}' | sed 's/.*"id":"\(ac_[^"]*\)".*/\1/')
    curl -sw '\n' -X PATCH $KEYWAY/api/v3/auth_configs/$AC -H "x-api-key: $KEYWAY_KEY" -H 'Content-Type: application/json' \
      -d '{{"type":"custom","credentials":{{"client_secret":"my-new-secret"}}}}'
    curl -sw '\n' $KEYWAY/api/v3/auth_configs/$AC -H "x-api-key: $KEYWAY_KEY"

Langdock: make an integration and say what its users fill in
    IN=$(curl -s $KEYWAY/integrations/v1/create -H "Authorization: Bearer $KEYWAY_KEY" -H 'Content-Type: application/json' \
      -d '{{"name":"Weather"}}' | sed 's/.*"id":"\([^"]*\)".*/\1/')
    curl -sw '\n' -X PATCH $KEYWAY/integrations/v1/$IN/auth -H "Authorization: Bearer $KEYWAY_KEY" -H 'Content-Type: application/json' \
      -d '{{"authType":"API_KEY","authFields":[{{"slug":"api_key","label":"API key","type":"PASSWORD","required":true}}]}}'
"#
    )
}
