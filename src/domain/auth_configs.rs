//! The rules of auth configs that are named one by one: making, reading, listing, merging changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::auth_config::{
    AuthConfig, AuthConfigFilter, AuthConfigSettings, AuthConfigView, Cursor, NewAuthConfig, Page,
    PageRequest, broken_by_name,
};
use super::auth_config_creation::create;
use super::caller::Caller;
use super::cell_rules;
use super::cells::{self, Cells};
use super::error::{Error, Issue, Kind};
use super::ids::AuthConfigId;
use super::managed_apps;
use super::patch::Patch;
use super::resolve;
use super::service::Service;
use crate::crypto::TenantKeys;
use crate::store::auth_configs as rows;
use crate::store::secrets::CellKind;
use crate::store::{Access, TenantTx, auth_config_list};

impl Service {
    /// Makes an auth config of any known service. The first one of an integration is its default; an implicit default
    /// that no credential lies under is taken over.
    pub async fn create_auth_config(
        &self,
        caller: &Caller,
        new: NewAuthConfig,
    ) -> Result<AuthConfigView, Error> {
        check(new.name.as_deref(), &new.settings)?;
        if new.scheme.is_none() {
            Error::when_any(managed_apps::not_the_tenants(&new.settings.credentials))
                .map_err(|error| error.under(&["credentials".into()]))?;
        }
        let (caller, new) = (caller.clone(), Arc::new(new));
        let apps = Arc::clone(&self.settings().managed_apps);
        self.vault()
            .tenant(caller.tenant, Access::Write, move |tx, keys| {
                let (caller, new, keys) = (caller.clone(), Arc::clone(&new), Arc::clone(&keys));
                let apps = Arc::clone(&apps);
                Box::pin(async move { create(tx, &caller, &keys, &apps, &new).await })
            })
            .await
    }

    /// One auth config, its secrets masked. What a limited key may not use is not found.
    pub async fn auth_config(
        &self,
        caller: &Caller,
        id: &AuthConfigId,
    ) -> Result<AuthConfigView, Error> {
        let (caller, id) = (caller.clone(), id.clone());
        self.vault()
            .tenant(caller.tenant, Access::Read, move |tx, keys| {
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
        let (caller, filter, page) = (caller.clone(), Arc::new(filter), page);
        self.vault()
            .tenant(caller.tenant, Access::Read, move |tx, keys| {
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
}

pub(super) fn check(name: Option<&str>, settings: &AuthConfigSettings) -> Result<(), Error> {
    let mut issues = Vec::new();
    let broken = name.and_then(broken_by_name);
    issues.extend(broken.map(|rule| Issue::at("name", rule)));
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

/// The sealed members of the settings: what is to be written of them.
pub(super) fn seal(
    cells: &mut Cells,
    config: &AuthConfig,
    settings: &AuthConfigSettings,
    proxy_key: Option<&[u8]>,
) -> Result<Patch<Vec<u8>>, Error> {
    cells.merge(CellKind::Credential, &settings.credentials, config.managed)?;
    cells.merge(CellKind::Shared, &settings.shared, config.managed)?;
    cells.proxy_key(&settings.proxy, proxy_key)
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
        integrations: allowed.map(|ids| {
            let ids: BTreeSet<_> = ids.into_iter().map(|id| id.0).collect();
            ids.into_iter().collect()
        }),
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
