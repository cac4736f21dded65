//! Pages of `auth_configs`, by keyset. The indexes have the rows of one kind (managed or not), one state (enabled or not)
//! and, where that is asked for, one integration in order: a page is made of a page of each.

use uuid::Uuid;

use super::TenantTx;
use super::auth_configs::{Row, columns};
use super::error::failed;
use crate::domain::Error;
use crate::domain::auth_config::{AuthConfig, Cursor};

/// `$1` tenant, `$2` kinds, `$3` states, `$4` where the page begins, `$5` its length, `$6` the pattern that name or id
/// must be like, if any, `$7` integrations.
#[rustfmt::skip]
macro_rules! page {
    ($of:literal, $integrations:literal, $integration:literal) => {
        concat!(
            "-- auth_configs: list", $of,
            "\n SELECT found.* FROM unnest($2::boolean[]) AS kinds (managed)
              CROSS JOIN unnest($3::boolean[]) AS states (enabled)", $integrations, "
              CROSS JOIN LATERAL (SELECT ", columns!(), " FROM auth_configs
                WHERE tenant_id = $1 AND deleted_at IS NULL AND auth_configs.managed = kinds.managed
                  AND auth_configs.enabled = states.enabled", $integration, "
                  AND auth_config_id < $4::uuid AND ($6::text IS NULL OR name ILIKE $6 OR public_id ILIKE $6)
                ORDER BY auth_config_id DESC LIMIT $5) AS found
              ORDER BY auth_config_id DESC LIMIT $5",
        )
    };
}

/// `$1` tenant, `$2` kinds, `$3` states. Of each kind and state by itself: a list of them is not looked up in the index.
#[rustfmt::skip]
macro_rules! count {
    ($of:literal, $further:literal) => {
        concat!(
            "-- auth_configs: count", $of,
            "\n SELECT COALESCE(sum(found.rows), 0)::bigint FROM unnest($2::boolean[]) AS kinds (managed)
              CROSS JOIN unnest($3::boolean[]) AS states (enabled)
              CROSS JOIN LATERAL (SELECT count(*) AS rows FROM auth_configs
                WHERE tenant_id = $1 AND deleted_at IS NULL AND auth_configs.managed = kinds.managed
                  AND auth_configs.enabled = states.enabled", $further, ") AS found",
        )
    };
}

const LIST: &str = page!("", "", "");
const LIST_OF: &str = page!(
    " of integrations",
    " CROSS JOIN unnest($7::uuid[]) AS wanted (integration_id)",
    " AND auth_configs.integration_id = wanted.integration_id"
);
// Without a look at any row, where no name or id is asked for.
const COUNT: &str = count!("", "");
const COUNT_OF: &str = count!(" of integrations", " AND integration_id = ANY($4)");
const COUNT_LIKE: &str = count!(" like", " AND (name ILIKE $4 OR public_id ILIKE $4)");
const COUNT_LIKE_OF: &str = count!(
    " like, of integrations",
    " AND (name ILIKE $4 OR public_id ILIKE $4) AND integration_id = ANY($5)"
);

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[LIST, LIST_OF, COUNT, COUNT_OF, COUNT_LIKE, COUNT_LIKE_OF];

/// Which configs to list, in the terms of the rows.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Only managed, or only custom ones.
    pub managed: Option<bool>,
    /// Only those of these integrations, each named once.
    pub integrations: Option<Vec<Uuid>>,
    /// Disabled ones too.
    pub show_disabled: bool,
    /// Part of the name or of the id, without case.
    pub search: Option<String>,
}

impl Filter {
    fn kinds(&self) -> Vec<bool> {
        self.managed
            .map_or_else(|| vec![false, true], |managed| vec![managed])
    }

    fn states(&self) -> Vec<bool> {
        if self.show_disabled {
            vec![true, false]
        } else {
            vec![true]
        }
    }
}

/// At most `limit` configs, newest first, after the cursor.
pub async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<AuthConfig>, Error> {
    let statement = match filter.integrations {
        None => LIST,
        Some(_) => LIST_OF,
    };
    let query = sqlx::query_as(statement)
        .bind(tx.tenant().0)
        .bind(filter.kinds())
        .bind(filter.states())
        .bind(after.map_or(Uuid::max(), |cursor| cursor.after))
        .bind(limit)
        .bind(filter.search.as_deref().map(containing));
    let query = match &filter.integrations {
        None => query,
        Some(integrations) => query.bind(integrations),
    };
    let rows: Vec<Row> = query.fetch_all(tx.connection()).await.map_err(failed)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// How many configs match.
pub async fn count(tx: &mut TenantTx, filter: &Filter) -> Result<i64, Error> {
    let pattern = filter.search.as_deref().map(containing);
    let statement = match (&pattern, &filter.integrations) {
        (None, None) => COUNT,
        (None, Some(_)) => COUNT_OF,
        (Some(_), None) => COUNT_LIKE,
        (Some(_), Some(_)) => COUNT_LIKE_OF,
    };
    let mut query = sqlx::query_scalar(statement)
        .bind(tx.tenant().0)
        .bind(filter.kinds())
        .bind(filter.states());
    if let Some(pattern) = pattern {
        query = query.bind(pattern);
    }
    if let Some(integrations) = &filter.integrations {
        query = query.bind(integrations);
    }
    query.fetch_one(tx.connection()).await.map_err(failed)
}

/// A LIKE pattern for texts that contain `part` as it stands.
fn containing(part: &str) -> String {
    format!(
        "%{}%",
        part.replace('\\', r"\\")
            .replace('%', r"\%")
            .replace('_', r"\_")
    )
}
