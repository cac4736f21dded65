//! The rules of auth configs that are named one by one: making, reading, listing, merging changes.

use std::sync::Arc;

use super::auth_config::{
    AuthConfig, AuthConfigChange, AuthConfigFilter, AuthConfigSettings, AuthConfigView, Cursor,
    NewAuthConfig, OAuthClient, Page, PageRequest,
};
use super::auth_config_creation::{create, holds_client};
use super::auth_setting::AuthKind;
use super::caller::Caller;
use super::cell_rules;
use super::cells::{self, Cells};
use super::error::{Error, Issue, Kind, Refusal, Rule};
use super::ids::AuthConfigId;
use super::patch::Patch;
use super::resolve;
use super::service::Service;
use crate::crypto::TenantKeys;
use crate::store::auth_configs as rows;
use crate::store::secrets::CellKind;
use crate::store::{Access, TenantTx, audit, auth_config_list};

impl Service {
    /// Makes an auth config of any known service. The first one of an integration is its default; an implicit default
    /// that no credential lies under is taken over.
    pub async fn create_auth_config(
        &self,
        caller: &Caller,
        new: NewAuthConfig,
    ) -> Result<AuthConfigView, Error> {
        check(new.name.as_deref(), &new.settings)?;
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let (caller, new) = (caller.clone(), Arc::new(new));
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, new, keys) = (caller.clone(), Arc::clone(&new), Arc::clone(&keys));
                Box::pin(async move { create(tx, &caller, &keys, &new).await })
            })
            .await
    }

    /// One auth config, its secrets masked. What a limited key may not use is not found.
    pub async fn auth_config(
        &self,
        caller: &Caller,
        id: &AuthConfigId,
    ) -> Result<AuthConfigView, Error> {
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let (caller, id) = (caller.clone(), id.clone());
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, id, keys) = (caller.clone(), id.clone(), Arc::clone(&keys));
                Box::pin(async move {
                    let config = rows::find(tx, &id)
                        .await?
                        .filter(|config| caller.may_use(config.integration));
                    one_view(tx, &keys, config.ok_or(Error::NotFound(Kind::AuthConfig))?).await
                })
            })
            .await
    }

    /// One page of the auth configs that match, newest first.
    pub async fn auth_configs(
        &self,
        caller: &Caller,
        filter: AuthConfigFilter,
        page: PageRequest,
    ) -> Result<Page<AuthConfigView>, Error> {
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let (caller, filter, page) = (caller.clone(), Arc::new(filter), page);
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, filter, page, keys) = (
                    caller.clone(),
                    Arc::clone(&filter),
                    page.clone(),
                    Arc::clone(&keys),
                );
                Box::pin(async move { list(tx, &caller, &keys, &filter, &page).await })
            })
            .await
    }

    /// Changes what is named and keeps the rest, in one transaction with its audit row.
    pub async fn update_auth_config(
        &self,
        caller: &Caller,
        id: &AuthConfigId,
        change: AuthConfigChange,
    ) -> Result<AuthConfigView, Error> {
        check(change.name.as_deref(), &change.settings)?;
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let (caller, id, change) = (caller.clone(), id.clone(), Arc::new(change));
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, id) = (caller.clone(), id.clone());
                let (change, keys) = (Arc::clone(&change), Arc::clone(&keys));
                Box::pin(async move { update(tx, &caller, &keys, &id, &change).await })
            })
            .await
    }
}

/// The longest name of an auth config, in characters: it is searched in.
const MAX_NAME: usize = 1_000;

fn check(name: Option<&str>, settings: &AuthConfigSettings) -> Result<(), Error> {
    let mut issues = Vec::new();
    if name.is_some_and(|name| name.chars().count() > MAX_NAME) {
        issues.push(Issue::at("name", Rule::TooLong { max: MAX_NAME }));
    }
    issues.extend(cell_rules::check_keys("credentials", &settings.credentials));
    issues.extend(cell_rules::check_keys(
        "shared_credentials",
        &settings.shared,
    ));
    Error::when_any(issues)
}

/// The open members of the settings.
pub(super) fn apply(config: &mut AuthConfig, settings: &AuthConfigSettings) {
    if let Some(tools) = &settings.tools.for_creation {
        config.tools.for_creation.clone_from(tools);
    }
    if let Some(tools) = &settings.tools.for_execution {
        config.tools.for_execution.clone_from(tools);
    }
    match &settings.proxy {
        Patch::Keep => {}
        Patch::Clear => config.proxy_url = None,
        Patch::Set(proxy) => config.proxy_url = Some(proxy.url.clone()),
    }
    config.tool_router = settings.tool_router.unwrap_or(config.tool_router);
}

/// The sealed members of the settings.
pub(super) async fn seal(
    tx: &mut TenantTx,
    keys: &Arc<TenantKeys>,
    config: &AuthConfig,
    settings: &AuthConfigSettings,
) -> Result<(), Error> {
    let mut cells = Cells::load(tx, Arc::clone(keys), config.uuid).await?;
    cells
        .merge(
            tx,
            CellKind::Credential,
            &settings.credentials,
            config.managed,
        )
        .await?;
    cells
        .merge(tx, CellKind::Shared, &settings.shared, config.managed)
        .await?;
    match &settings.proxy {
        Patch::Keep => Ok(()),
        Patch::Clear => cells.set_proxy_key(tx, None).await,
        Patch::Set(proxy) => cells.set_proxy_key(tx, proxy.auth_key.as_ref()).await,
    }
}

async fn update(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &Arc<TenantKeys>,
    id: &AuthConfigId,
    change: &AuthConfigChange,
) -> Result<AuthConfigView, Error> {
    let found = rows::lock(tx, id)
        .await?
        .filter(|config| caller.may_use(config.integration));
    let mut config = found.ok_or(Error::NotFound(Kind::AuthConfig))?;
    if change
        .managed
        .is_some_and(|managed| managed != config.managed)
    {
        return Err(Error::Refused(Refusal::AuthConfigTypeMismatch {
            managed: config.managed,
        }));
    }
    precondition(
        change.if_match.as_deref(),
        &format!("\"{}\"", config.version),
    )?;
    if let Some(name) = &change.name {
        config.name.clone_from(name);
    }
    apply(&mut config, &change.settings);
    if AuthKind::of(&config.scheme).is_oauth()
        && config.oauth_client.is_none()
        && holds_client(&change.settings.credentials)
    {
        config.oauth_client = Some(OAuthClient::default());
    }
    config.implicit = false;
    rows::update(tx, &config).await?;
    seal(tx, keys, &config, &change.settings).await?;
    record(tx, caller, "auth_config.update", &config).await?;
    let stored = rows::find(tx, id)
        .await?
        .ok_or(Error::NotFound(Kind::AuthConfig))?;
    one_view(tx, keys, stored).await
}

/// Refuses a change whose caller saw another state (RFC 9110 section 13.1.1, strong comparison).
pub(super) fn precondition(if_match: Option<&str>, etag: &str) -> Result<(), Error> {
    match if_match {
        Some(seen) if !seen.split(',').any(|tag| tag.trim() == etag) => {
            Err(Error::PreconditionFailed)
        }
        _ => Ok(()),
    }
}

async fn list(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &Arc<TenantKeys>,
    filter: &AuthConfigFilter,
    page: &PageRequest,
) -> Result<Page<AuthConfigView>, Error> {
    let named = match filter.toolkits.as_slice() {
        [] => None,
        names => Some(resolve::resolve_existing(tx, caller, names).await?),
    };
    let allowed = named.or_else(|| caller.integrations.clone());
    let filter = auth_config_list::Filter {
        managed: filter.managed,
        integrations: allowed.map(|ids| ids.into_iter().map(|id| id.0).collect()),
        show_disabled: filter.show_disabled,
        search: filter.search.clone().filter(|part| !part.is_empty()),
    };
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let total = auth_config_list::count(tx, &filter).await?;
    let mut configs =
        auth_config_list::list(tx, &filter, page.cursor.as_ref(), i64::from(page.limit) + 1)
            .await?;
    let more = configs.len() > limit;
    configs.truncate(limit);
    let number = page.cursor.as_ref().map_or(1, |cursor| cursor.page);
    let next = configs.last().filter(|_| more).map(|last| Cursor {
        after: last.uuid.0,
        page: number + 1,
    });
    Ok(Page {
        items: cells::views(tx, keys, configs).await?,
        next,
        total,
        number,
    })
}

pub(super) async fn one_view(
    tx: &mut TenantTx,
    keys: &Arc<TenantKeys>,
    config: AuthConfig,
) -> Result<AuthConfigView, Error> {
    let mut views = cells::views(tx, keys, vec![config]).await?;
    views
        .pop()
        .ok_or_else(|| Error::internal("a view of one auth config is empty"))
}

/// The audit row of a change of a config.
pub(super) async fn record(
    tx: &mut TenantTx,
    caller: &Caller,
    action: &'static str,
    config: &AuthConfig,
) -> Result<(), Error> {
    let event = audit::Event {
        action,
        object_kind: "auth_config",
        object_id: config.id.as_str(),
        detail: None,
    };
    audit::append(tx, caller, event).await.map(|_| ())
}
