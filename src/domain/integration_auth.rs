//! The rules of the one auth setting that a dialect without auth configs of its own sees: the integration's default
//! config, changed as a whole.

use std::sync::Arc;

use super::auth_config::AuthConfig;
use super::auth_configs::precondition;
use super::auth_setting::{AuthPlan, IntegrationAuth};
use super::caller::Caller;
use super::error::Error;
use super::ids::IntegrationId;
use super::integration::IntegrationDetail;
use super::integration_auth_change::{Effect, replace_auth, replaced};
use super::integrations::{accessible, detail};
use super::limits;
use super::service::Service;
use crate::store::hot::{ChangeOutcome, ConfigName, ConfigState};
use crate::store::keys::is_replaced;
use crate::store::{Access, TenantTx, auth_configs, connections, integrations};

impl Service {
    /// Replaces the auth setting. Another kind than before retires the connections and drops the OAuth client. `read`
    /// makes the change, once it is known that the caller may use the integration.
    pub async fn set_integration_auth(
        &self,
        caller: &Caller,
        id: IntegrationId,
        if_match: Option<String>,
        read: impl FnOnce() -> Result<IntegrationAuth, Error> + Send,
    ) -> Result<IntegrationDetail, Error> {
        let name = ConfigName::DefaultOf(id);
        let state = self.db().auth_config_state(caller, name).await?;
        let Some(state) = state else {
            // No integration, or one without a default config.
            self.integration(caller, id).await?;
            return self.replace_in_turn(caller, id, (read()?, if_match)).await;
        };
        let ConfigState {
            integration,
            stored,
        } = state;
        let integration = accessible(caller, Some(integration))?;
        let change = read()?;
        self.check_auth(&change)?;
        let effect = Effect::of(Some(&stored.config), &change);
        // The entity tag speaks of the integration too, which only a transaction holds still.
        if effect.changes_kind || effect.replaces_app || if_match.is_some() {
            return self.replace_in_turn(caller, id, (change, if_match)).await;
        }
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let version = stored.config.version;
        let (write, oauth_scopes) = match replaced(caller.tenant, &keys, stored, &change, &effect) {
            Err(error) if is_replaced(&error) => {
                return self.replace_in_turn(caller, id, (change, None)).await;
            }
            outcome => outcome?,
        };
        let outcome = self
            .db()
            .change_auth_config(caller, version, &write)
            .await?;
        match outcome {
            ChangeOutcome::Done(updated_at) => Ok(IntegrationDetail {
                integration,
                auth: Some(AuthConfig {
                    version: version + 1,
                    updated_at,
                    ..write.config
                }),
                oauth_scopes,
            }),
            _ => self.replace_in_turn(caller, id, (change, None)).await,
        }
    }

    /// The same in a transaction that holds the integration and its default config.
    async fn replace_in_turn(
        &self,
        caller: &Caller,
        id: IntegrationId,
        change: (IntegrationAuth, Option<String>),
    ) -> Result<IntegrationDetail, Error> {
        self.check_auth(&change.0)?;
        let change = Arc::new(change);
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
        let keep = !self.settings().retention.is_zero();
        let caller = caller.clone();
        self.vault()
            .tenant(caller.tenant, access, move |tx, keys| {
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
        let (caller, change) = (caller.clone(), Arc::new((change, if_match)));
        self.vault()
            .tenant(caller.tenant, Access::Read, move |tx, keys| {
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
