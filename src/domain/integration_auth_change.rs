//! What a change of the auth setting makes of the default config.

use std::sync::Arc;

use super::auth_config::AuthConfig;
use super::auth_setting::{AuthKind, IntegrationAuth};
use super::caller::Caller;
use super::cells::Cells;
use super::error::Error;
use super::ids::TenantId;
use super::integration::IntegrationDetail;
use super::oauth_client;
use super::patch::Patch;
use super::resolve;
use super::scheme::Scheme;
use crate::crypto::TenantKeys;
use crate::store::config_change::{ConfigChange, StoredConfig};
use crate::store::secrets::CellKind;
use crate::store::{TenantTx, auth_configs, retirement};

/// What becomes of the parts of an auth setting.
pub(super) struct Effect {
    /// Another kind than before.
    pub(super) changes_kind: bool,
    /// The OAuth client goes.
    pub(super) drops_client: bool,
    /// A client of the tenant's own takes the place of the operator's app: the config is managed no more.
    pub(super) replaces_app: bool,
}

impl Effect {
    pub(super) fn of(before: Option<&AuthConfig>, change: &IntegrationAuth) -> Self {
        let kind = before.map_or(AuthKind::None, |config| AuthKind::of(&config.scheme));
        let changes_kind = kind != change.kind;
        let drops_client =
            changes_kind || !change.kind.is_oauth() || matches!(change.oauth_client, Patch::Clear);
        let replaces_app = before.is_some_and(|config| config.managed)
            && matches!(change.oauth_client, Patch::Set(_));
        Self {
            changes_kind,
            drops_client,
            replaces_app,
        }
    }
}

/// What a change makes of the default config, and the OAuth client's scopes after it.
pub(super) fn replaced(
    tenant: TenantId,
    keys: &Arc<TenantKeys>,
    stored: StoredConfig,
    change: &IntegrationAuth,
    effect: &Effect,
) -> Result<(ConfigChange, Option<String>), Error> {
    let StoredConfig {
        mut config, cells, ..
    } = stored;
    if effect.changes_kind {
        config.scheme = change.kind.scheme();
        config.managed = false;
        config.test_code = None;
    }
    if effect.replaces_app {
        config.managed = false;
    }
    if effect.drops_client {
        config.oauth_client = None;
    }
    config.implicit = false;
    config.fields.clone_from(&change.fields);
    config.test_code = change
        .test_code
        .clone()
        .apply(config.test_code)
        .filter(|code| !code.is_empty());
    if let Patch::Set(client) = &change.oauth_client {
        config.oauth_client = Some(oauth_client::merged(
            config.oauth_client.take().unwrap_or_default(),
            client,
        ));
    }
    let mut cells = Cells::of(tenant, Arc::clone(keys), config.uuid, cells);
    if effect.changes_kind {
        // Nothing that was sealed for the former scheme may serve the new one.
        cells.clear();
    } else if effect.drops_client && change.kind.is_oauth() {
        for name in oauth_client::CELLS {
            cells.remove(CellKind::Credential, name);
        }
    }
    if let Patch::Set(client) = &change.oauth_client {
        oauth_client::seal(&mut cells, client)?;
    }
    let scopes = match config.oauth_client {
        Some(_) => cells.scopes()?,
        None => None,
    };
    let change = ConfigChange {
        detail: Some(audit_detail(&config, 0)),
        config,
        proxy_key: Patch::Keep,
        cells: cells.into_changes(),
        action: "integration.set_auth",
    };
    Ok((change, scopes))
}

fn audit_detail(config: &AuthConfig, retired: u64) -> serde_json::Value {
    serde_json::json!({
        "integration": config.integration.to_string(),
        "scheme": config.scheme.name(),
        "connections_retired": retired,
    })
}

/// Writes the change in a transaction that holds the integration and its default config.
pub(super) async fn replace_auth(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &Arc<TenantKeys>,
    before: IntegrationDetail,
    change: &IntegrationAuth,
    keep_retired: bool,
) -> Result<(), Error> {
    let effect = Effect::of(before.auth.as_ref(), change);
    let is_new = before.auth.is_none();
    let stored = match before.auth {
        Some(config) => StoredConfig::load(tx, config).await?,
        None => StoredConfig::new(AuthConfig {
            is_default: true,
            ..resolve::blank(caller, &before.integration, Scheme::None)
        }),
    };
    let (mut write, _) = replaced(tx.tenant(), keys, stored, change, &effect)?;
    if is_new {
        auth_configs::insert(tx, &write.config).await?;
        write.write_sealed(tx).await?;
    } else {
        write.write(tx).await?;
    }
    if effect.changes_kind {
        let config = &write.config;
        let retired = retirement::retire(
            tx,
            before.integration.id,
            config.uuid,
            config.version,
            keep_retired,
        )
        .await?;
        write.detail = Some(audit_detail(config, retired));
    }
    write.record(tx, caller).await
}
