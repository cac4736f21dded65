//! Calls of `read_auth_config`: one auth config with its integration and its sealed cells.

use sqlx::postgres::PgRow;
use sqlx::{FromRow as _, Row as _};
use uuid::Uuid;

use super::super::auth_configs;
use super::super::coalesce::{Failure, Link};
use super::super::config_change::StoredConfig;
use super::super::secrets::{Cell, CellKind};
use super::own::Own;
use super::{code, unknown_code};
use crate::domain::auth_config::AuthConfig;
use crate::domain::ids::{AuthConfigId, AuthConfigUuid, IntegrationId};
use crate::domain::integration::Integration;
use crate::domain::{Caller, Error};

pub(super) const ONE: &str = "-- hot: read auth config
    SELECT * FROM read_auth_config($1, $2, $3)";
pub(super) const MANY: &str = "-- hot: read auth configs
    SELECT * FROM read_auth_configs($1, $2, $3)";

/// How an auth config is named.
#[derive(Debug)]
pub enum ConfigName {
    /// By its own id.
    Id(AuthConfigId),
    /// As the default of an integration.
    DefaultOf(IntegrationId),
}

/// An auth config as it is stored, with its integration.
#[derive(Debug)]
pub struct ConfigState {
    /// The integration.
    pub integration: Integration,
    /// The config.
    pub stored: StoredConfig,
}

/// What a caller hands in.
#[derive(Debug)]
pub(super) struct Item {
    tenant: Uuid,
    name: ConfigName,
}

impl Item {
    pub(super) fn new(caller: &Caller, name: ConfigName) -> Self {
        Self {
            tenant: caller.tenant.0,
            name,
        }
    }

    fn public_id(&self) -> Option<&str> {
        match &self.name {
            ConfigName::Id(id) => Some(id.as_str()),
            ConfigName::DefaultOf(_) => None,
        }
    }

    fn integration(&self) -> Option<Uuid> {
        match self.name {
            ConfigName::Id(_) => None,
            ConfigName::DefaultOf(id) => Some(id.0),
        }
    }
}

/// What it gets back.
#[derive(Debug)]
pub(super) enum Answer {
    Done(Box<ConfigState>),
    Unknown,
    /// The row holds what this version does not know: an error of this item alone.
    Unreadable(Error),
}

impl Answer {
    pub(super) fn read(self) -> Result<Option<ConfigState>, Error> {
        match self {
            Self::Done(state) => Ok(Some(*state)),
            Self::Unknown => Ok(None),
            Self::Unreadable(error) => Err(error),
        }
    }
}

/// The lane's end at the database.
#[derive(Debug)]
pub(super) struct Calls(pub(super) Own);

impl Link for Calls {
    type Item = Item;
    /// Nothing where the tenant was deleted.
    type Reply = Option<Answer>;
    type Key = ();

    const NAME: &'static str = "auth_config_state";

    fn key(_: &Item) {}

    async fn call(&mut self, items: &[&Item]) -> Result<Vec<Option<Answer>>, Failure> {
        let query = || match items {
            [item] => sqlx::query(ONE)
                .bind(item.tenant)
                .bind(item.public_id())
                .bind(item.integration()),
            _ => sqlx::query(MANY)
                .bind(items.iter().map(|item| item.tenant).collect::<Vec<_>>())
                .bind(
                    items
                        .iter()
                        .map(|item| item.public_id())
                        .collect::<Vec<_>>(),
                )
                .bind(
                    items
                        .iter()
                        .map(|item| item.integration())
                        .collect::<Vec<_>>(),
                ),
        };
        let rows = self.0.read(query).await?;
        rows.iter().map(answer).collect()
    }

    fn disconnect(&mut self) {
        self.0.disconnect();
    }
}

fn answer(row: &PgRow) -> Result<Option<Answer>, Failure> {
    Ok(Some(match code(row)? {
        "done" => match state(row) {
            Ok(state) => Answer::Done(Box::new(state)),
            Err(error) => Answer::Unreadable(error),
        },
        "unknown" => Answer::Unknown,
        "gone" => return Ok(None),
        other => return Err(unknown_code(other)),
    }))
}

fn state(row: &PgRow) -> Result<ConfigState, Error> {
    // The cause is dropped: serde's words quote what was read.
    let unknown = |_| Error::internal("an auth config holds what this version cannot read");
    let config = auth_configs::Row::from_row(row).map_err(unknown)?;
    let config: AuthConfig = config.try_into()?;
    Ok(ConfigState {
        integration: integration(row, config.integration).map_err(unknown)?,
        stored: StoredConfig {
            proxy_key: row.try_get("sealed_proxy_auth_key").map_err(unknown)?,
            cells: cells(row, config.uuid).map_err(unknown)?,
            config,
        },
    })
}

fn integration(row: &PgRow, id: IntegrationId) -> Result<Integration, sqlx::Error> {
    Ok(Integration {
        id,
        slug: row.try_get("integration_slug")?,
        name: row.try_get("integration_name")?,
        description: row.try_get("integration_description")?,
        catalogue_slug: row.try_get("integration_catalogue_slug")?,
        mcp_server_url: row.try_get("integration_mcp_server_url")?,
        version: row.try_get("integration_version")?,
        created_at: row.try_get("integration_created_at")?,
        updated_at: row.try_get("integration_updated_at")?,
    })
}

fn cells(row: &PgRow, auth_config: AuthConfigUuid) -> Result<Vec<Cell>, sqlx::Error> {
    let kinds: Option<Vec<String>> = row.try_get("cell_kinds")?;
    let names: Option<Vec<String>> = row.try_get("cell_names")?;
    let values: Option<Vec<Vec<u8>>> = row.try_get("cell_values")?;
    let (kinds, names, values) = (
        kinds.unwrap_or_default(),
        names.unwrap_or_default(),
        values.unwrap_or_default(),
    );
    let cells = kinds.iter().zip(names).zip(values);
    Ok(cells
        .map(|((kind, name), sealed)| Cell {
            auth_config,
            kind: CellKind::of(kind),
            name,
            sealed,
            index: None,
        })
        .collect())
}
