//! The rules of the one auth setting that a dialect without auth configs of its own sees: the integration's default
//! config, changed as a whole.

use std::sync::Arc;

use super::auth_config::AuthConfig;
use super::auth_configs::precondition;
use super::auth_setting::{AuthKind, AuthPlan, IntegrationAuth};
use super::caller::Caller;
use super::cells::Cells;
use super::error::Error;
use super::ids::IntegrationId;
use super::integration::IntegrationDetail;
use super::integrations::{accessible, detail};
use super::limits;
use super::oauth_client;
use super::patch::Patch;
use super::resolve;
use super::scheme::Scheme;
use super::service::Service;
use crate::crypto::TenantKeys;
use crate::store::secrets::CellKind;
use crate::store::{Access, TenantTx, audit, auth_configs, connections, integrations, retirement};

impl Service {
    /// Replaces the auth setting. Another kind than before retires the connections and drops the OAuth client.
    pub async fn set_integration_auth(
        &self,
        caller: &Caller,
        id: IntegrationId,
        change: IntegrationAuth,
        if_match: Option<String>,
    ) -> Result<IntegrationDetail, Error> {
        self.check_auth(&change)?;
        let change = Arc::new((change, if_match));
        let done = self
            .replace(caller, id, Arc::clone(&change), Access::Write)
            .await?;
        match done {
            Some(detail) => Ok(detail),
            // So many connections go with it that it gets the turn and the time of a big write.
            None => self
                .replace(caller, id, change, Access::BigWrite)
                .await?
                .ok_or_else(|| Error::internal("a big write was refused as too big")),
        }
    }

    /// `None` where the change would retire more connections than `access` is for; nothing was changed then.
    async fn replace(
        &self,
        caller: &Caller,
        id: IntegrationId,
        change: Arc<(IntegrationAuth, Option<String>)>,
        access: Access,
    ) -> Result<Option<IntegrationDetail>, Error> {
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let keep = !self.settings().retention.is_zero();
        let caller = caller.clone();
        self.db()
            .tenant(caller.tenant, access, move |tx| {
                let (caller, change, keys) =
                    (caller.clone(), Arc::clone(&change), Arc::clone(&keys));
                Box::pin(async move {
                    let integration = accessible(&caller, integrations::lock(tx, id).await?)?;
                    auth_configs::lock_default(tx, id).await?;
                    let before = detail(tx, &keys, integration).await?;
                    precondition(change.1.as_deref(), &before.etag())?;
                    if access == Access::Write
                        && is_big(tx, before.auth.as_ref(), &change.0).await?
                    {
                        return Ok(None);
                    }
                    let integration = before.integration.clone();
                    replace_auth(tx, &caller, &keys, before, &change.0, keep).await?;
                    detail(tx, &keys, integration).await.map(Some)
                })
            })
            .await
    }

    /// What [`Service::set_integration_auth`] would break; it refuses what that refuses and changes nothing.
    pub async fn plan_integration_auth(
        &self,
        caller: &Caller,
        id: IntegrationId,
        change: IntegrationAuth,
        if_match: Option<String>,
    ) -> Result<AuthPlan, Error> {
        self.check_auth(&change)?;
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let (caller, change) = (caller.clone(), Arc::new((change, if_match)));
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, change, keys) =
                    (caller.clone(), Arc::clone(&change), Arc::clone(&keys));
                Box::pin(async move {
                    let integration = accessible(&caller, integrations::find(tx, id).await?)?;
                    let before = detail(tx, &keys, integration).await?;
                    precondition(change.1.as_deref(), &before.etag())?;
                    plan(tx, before.auth.as_ref(), &change.0).await
                })
            })
            .await
    }

    fn check_auth(&self, change: &IntegrationAuth) -> Result<(), Error> {
        let mut issues = limits::broken_limits(change);
        issues.extend(change.broken_rules(&self.settings().egress_allow));
        Error::when_any(issues)
    }
}

/// From how many connections on retiring them is a big write.
const MANY: i64 = 1_000;

/// Whether the change retires very many connections.
async fn is_big(
    tx: &mut TenantTx,
    before: Option<&AuthConfig>,
    change: &IntegrationAuth,
) -> Result<bool, Error> {
    let Some(config) = before.filter(|_| Effect::of(before, change).changes_kind) else {
        return Ok(false);
    };
    let counts = connections::count_by_config(tx, &[config.uuid.0]).await?;
    Ok(counts.first().is_some_and(|(_, count)| *count > MANY))
}

/// What becomes of the parts of an auth setting.
struct Effect {
    changes_kind: bool,
    drops_client: bool,
}

impl Effect {
    fn of(before: Option<&AuthConfig>, change: &IntegrationAuth) -> Self {
        let kind = before.map_or(AuthKind::None, |config| AuthKind::of(&config.scheme));
        let changes_kind = kind != change.kind;
        let drops_client =
            changes_kind || !change.kind.is_oauth() || matches!(change.oauth_client, Patch::Clear);
        Self {
            changes_kind,
            drops_client,
        }
    }
}

async fn plan(
    tx: &mut TenantTx,
    before: Option<&AuthConfig>,
    change: &IntegrationAuth,
) -> Result<AuthPlan, Error> {
    let effect = Effect::of(before, change);
    let Some(config) = before else {
        return Ok(AuthPlan {
            connections_deleted: 0,
            oauth_client_deleted: false,
            fields_removed: Vec::new(),
            users: Vec::new(),
        });
    };
    let (connections_deleted, users) = if effect.changes_kind {
        let counts = connections::count_by_config(tx, &[config.uuid.0]).await?;
        (
            counts.first().map_or(0, |(_, count)| *count),
            connections::users(tx, config.uuid, 10).await?,
        )
    } else {
        (0, Vec::new())
    };
    let kept = |slug: &str| change.fields.iter().any(|field| field.slug == slug);
    let gone = config.fields.iter().filter(|field| !kept(&field.slug));
    Ok(AuthPlan {
        connections_deleted,
        oauth_client_deleted: config.oauth_client.is_some() && effect.drops_client,
        fields_removed: gone.map(|field| field.slug.clone()).collect(),
        users,
    })
}

async fn replace_auth(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &Arc<TenantKeys>,
    before: IntegrationDetail,
    change: &IntegrationAuth,
    keep_retired: bool,
) -> Result<(), Error> {
    let effect = Effect::of(before.auth.as_ref(), change);
    let is_new = before.auth.is_none();
    let mut config = before.auth.unwrap_or_else(|| AuthConfig {
        is_default: true,
        ..resolve::blank(caller, &before.integration, Scheme::None)
    });
    let version = config.version;
    if effect.changes_kind {
        config.scheme = change.kind.scheme();
        config.managed = false;
        config.test_code = None;
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
    if is_new {
        auth_configs::insert(tx, &config).await?;
    } else {
        auth_configs::update(tx, &config).await?;
    }
    let mut cells = Cells::load(tx, Arc::clone(keys), config.uuid).await?;
    if effect.changes_kind {
        // Nothing that was sealed for the former scheme may serve the new one.
        cells.clear(tx).await?;
    } else if effect.drops_client && change.kind.is_oauth() {
        cells
            .remove(
                tx,
                CellKind::Credential,
                &oauth_client::CELLS.map(str::to_owned),
            )
            .await?;
    }
    if let Patch::Set(client) = &change.oauth_client {
        oauth_client::seal(tx, &mut cells, client).await?;
    }
    let retired = if effect.changes_kind {
        retirement::retire(
            tx,
            before.integration.id,
            config.uuid,
            version,
            keep_retired,
        )
        .await?
    } else {
        0
    };
    let event = audit::Event {
        action: "integration.set_auth",
        object_kind: "auth_config",
        object_id: config.id.as_str(),
        detail: Some(serde_json::json!({
            "integration": before.integration.id.to_string(),
            "scheme": config.scheme.name(),
            "connections_retired": retired,
        })),
    };
    audit::append(tx, caller, event).await.map(|_| ())
}
