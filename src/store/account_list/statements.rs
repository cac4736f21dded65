//! The texts of the statements that list connections: one for each filter that leads to the rows and each order, so
//! that each has its index; what else is asked for is looked at row by row.
//!
//! Of a page: `$1` tenant, `$2` and `$3` where it begins, `$4` its length, `$5` statuses, `$6` integrations, `$7` users,
//! `$8` configs, `$9` public ids, null where all are wanted. Of a count: tenant, then the same filters. `updated_at` has
//! no index: each change of a credential would have to write it.

use super::super::connections::columns;

/// What is looked at row by row; the first filter's number.
#[rustfmt::skip]
macro_rules! asked {
    ($statuses:literal, $integrations:literal, $users:literal, $configs:literal, $ids:literal) => {
        concat!(
            " AND ($", $statuses, "::text[] IS NULL OR status = ANY($", $statuses, "))",
            " AND ($", $integrations, "::uuid[] IS NULL OR integration_id = ANY($", $integrations, "))",
            " AND ($", $users, "::bytea[] IS NULL OR user_hash = ANY($", $users, "))",
            " AND ($", $configs, "::uuid[] IS NULL OR auth_config_id = ANY($", $configs, "))",
            " AND ($", $ids, "::text[] IS NULL OR public_id = ANY($", $ids, "))",
        )
    };
}

#[rustfmt::skip]
macro_rules! page {
    ($by:literal, $led:literal, $asked:expr, $column:literal, $compare:literal, $direction:literal) => {
        concat!(
            "-- connections: list", $by, ", ", $column, " ", $direction,
            "\n SELECT ", columns!(), " FROM connections WHERE tenant_id = $1", $led, $asked,
            " AND (", $column, ", connection_id) ", $compare, " ($2::timestamptz, $3::uuid)",
            " ORDER BY ", $column, " ", $direction, ", connection_id ", $direction, " LIMIT $4",
        )
    };
}

/// A page of each status, of which the page is made: the index has the rows of one status in order.
#[rustfmt::skip]
macro_rules! page_of_each_status {
    ($compare:literal, $direction:literal) => {
        concat!(
            "-- connections: list by status, created_at ", $direction,
            "\n SELECT found.* FROM unnest($5::text[]) AS wanted (status) CROSS JOIN LATERAL (SELECT ", columns!(),
            " FROM connections WHERE tenant_id = $1 AND connections.status = wanted.status",
            " AND (created_at, connection_id) ", $compare, " ($2::timestamptz, $3::uuid)",
            " ORDER BY created_at ", $direction, ", connection_id ", $direction, " LIMIT $4) AS found",
            " ORDER BY created_at ", $direction, ", connection_id ", $direction, " LIMIT $4",
        )
    };
}

#[rustfmt::skip]
macro_rules! count {
    ($by:literal, $led:literal) => {
        concat!(
            "-- connections: count listed", $by,
            "\n SELECT count(*) FROM connections WHERE tenant_id = $1", $led, asked!(2, 3, 4, 5, 6),
        )
    };
}

/// By `created_at`, oldest and newest first, then by `updated_at`.
macro_rules! pages {
    ($by:literal, $led:literal) => {
        [
            page!($by, $led, asked!(5, 6, 7, 8, 9), "created_at", ">", "ASC"),
            page!($by, $led, asked!(5, 6, 7, 8, 9), "created_at", "<", "DESC"),
            page!($by, $led, asked!(5, 6, 7, 8, 9), "updated_at", ">", "ASC"),
            page!($by, $led, asked!(5, 6, 7, 8, 9), "updated_at", "<", "DESC"),
        ]
    };
}

/// The statements of a filter that leads to the rows while others may be asked for too.
#[derive(Debug)]
pub(super) struct Led {
    /// By order.
    pub pages: [&'static str; 4],
    /// How many rows there are.
    pub count: &'static str,
}

pub(super) const BY_ID: Led = Led {
    pages: pages!(" by id", " AND public_id = ANY($9)"),
    count: count!(" by id", " AND public_id = ANY($6)"),
};
pub(super) const BY_CONFIG_AND_USER: Led = Led {
    pages: pages!(
        " by config and user",
        " AND auth_config_id = ANY($8) AND user_hash = ANY($7)"
    ),
    count: count!(
        " by config and user",
        " AND auth_config_id = ANY($5) AND user_hash = ANY($4)"
    ),
};
pub(super) const BY_INTEGRATION_AND_USER: Led = Led {
    pages: pages!(
        " by integration and user",
        " AND integration_id = ANY($6) AND user_hash = ANY($7)"
    ),
    count: count!(
        " by integration and user",
        " AND integration_id = ANY($3) AND user_hash = ANY($4)"
    ),
};
pub(super) const BY_USER: Led = Led {
    pages: pages!(" by user", " AND user_hash = ANY($7)"),
    count: count!(" by user", " AND user_hash = ANY($4)"),
};
pub(super) const BY_CONFIG: Led = Led {
    pages: pages!(" by config", " AND auth_config_id = ANY($8)"),
    count: count!(" by config", " AND auth_config_id = ANY($5)"),
};
pub(super) const BY_INTEGRATION: Led = Led {
    pages: pages!(" by integration", " AND integration_id = ANY($6)"),
    count: count!(" by integration", " AND integration_id = ANY($3)"),
};

/// Where nothing but statuses (`$5`) is asked for.
pub(super) const BY_STATUS: [&str; 4] = [
    page_of_each_status!(">", "ASC"),
    page_of_each_status!("<", "DESC"),
    page!(
        " by status",
        " AND status = ANY($5)",
        "",
        "updated_at",
        ">",
        "ASC"
    ),
    page!(
        " by status",
        " AND status = ANY($5)",
        "",
        "updated_at",
        "<",
        "DESC"
    ),
];
/// Where nothing is asked for.
pub(super) const ALL: [&str; 4] = [
    page!("", "", "", "created_at", ">", "ASC"),
    page!("", "", "", "created_at", "<", "DESC"),
    page!("", "", "", "updated_at", ">", "ASC"),
    page!("", "", "", "updated_at", "<", "DESC"),
];

// Counts where one filter (`$2`) alone is asked for: the index answers them, without the rows.
pub(super) const COUNT_OF_USERS: &str = "-- connections: count of users
    SELECT count(*) FROM connections WHERE tenant_id = $1 AND user_hash = ANY($2)";
pub(super) const COUNT_OF_CONFIGS: &str = "-- connections: count of configs
    SELECT count(*) FROM connections WHERE tenant_id = $1 AND auth_config_id = ANY($2)";
pub(super) const COUNT_OF_INTEGRATIONS: &str = "-- connections: count of integrations
    SELECT count(*) FROM connections WHERE tenant_id = $1 AND integration_id = ANY($2)";
pub(super) const COUNT_OF_STATUSES: &str = "-- connections: count of statuses
    SELECT COALESCE(sum(found.rows), 0)::bigint FROM unnest($2::text[]) AS wanted (status)
    CROSS JOIN LATERAL (SELECT count(*) AS rows FROM connections
        WHERE tenant_id = $1 AND connections.status = wanted.status) AS found";
pub(super) const COUNT_ALL: &str = "-- connections: count
    SELECT count(*) FROM connections WHERE tenant_id = $1";
