//! What the statements are planned with, and which need no plan.

use super::seed::{AUTH_CONFIG, CONNECTION, INTEGRATION, STRATA, TENANT};

/// Statements that read a whole big table, or are not looked at, by name, each with its reason.
pub const EXEMPT: &[(&str, &str)] = &[
    (
        "root_keys: in use",
        "once at each start: it must find every root key that anything was sealed under",
    ),
    (
        "tenant_data_keys: number under other roots",
        "once in each rotation of the root key, which goes through all of them",
    ),
    (
        "root_keys: remove one that nothing names",
        "once in each rotation of the root key: where all data keys are under one root, as here, the first row ends it",
    ),
    (
        "tenants: list",
        "an operator's command, which shows every tenant",
    ),
];

/// Other arguments than those that fit the types: by a statement's name, the position (from 1) and the literal. Each
/// list is one more plan to look at.
const VARIANTS: &[(&str, &[(usize, &str)])] = &[
    // The first page, without a filter and with disabled ones; the next page; one kind; a name.
    (
        "auth_configs: list",
        &[
            (2, "'{true,false}'"),
            (3, "'{true,false}'"),
            (4, "'ffffffff-ffff-ffff-ffff-ffffffffffff'"),
            (5, "21"),
            (6, "NULL"),
        ],
    ),
    (
        "auth_configs: list",
        &[
            (2, "'{true,false}'"),
            (3, "'{true}'"),
            (5, "21"),
            (6, "NULL"),
        ],
    ),
    (
        "auth_configs: list",
        &[(2, "'{true}'"), (3, "'{true}'"), (5, "21"), (6, "NULL")],
    ),
    (
        "auth_configs: list",
        &[
            (2, "'{true,false}'"),
            (3, "'{true,false}'"),
            (5, "1001"),
            (6, "'%fig 5%'"),
        ],
    ),
    (
        "auth_configs: list of integrations",
        &[
            (2, "'{true,false}'"),
            (3, "'{true}'"),
            (5, "21"),
            (6, "NULL"),
        ],
    ),
    (
        "auth_configs: count",
        &[(2, "'{true,false}'"), (3, "'{true,false}'")],
    ),
    (
        "auth_configs: count like",
        &[
            (2, "'{true,false}'"),
            (3, "'{true,false}'"),
            (4, "'%fig 5%'"),
        ],
    ),
    // Of one status that most have, and of all.
    (
        "connections: list by status, created_at DESC",
        &[(2, "'infinity'"), (4, "21"), (5, "'{ACTIVE}'")],
    ),
    (
        "connections: list by status, updated_at DESC",
        &[(2, "'infinity'"), (4, "21"), (5, "'{ACTIVE,EXPIRED}'")],
    ),
    ("connections: count of statuses", &[(2, "'{ACTIVE}'")]),
    ("auth_configs: find", &[(2, "'ac_7_500'")]),
    // In every integration, and in one; without and with client ids that have no index.
    (
        "auth_configs: find by client id",
        &[(3, "'{}'"), (4, "NULL"), (5, "'{API_KEY}'")],
    ),
    (
        "auth_configs: find by client id",
        &[(5, "'{API_KEY,OAUTH2}'")],
    ),
    ("auth_configs: lock", &[(2, "'ac_7_500'")]),
    (
        "integrations: find by match key",
        &[(2, "'{service500,service501}'")],
    ),
    (
        "integrations: find by display name",
        &[(2, "'Service 500'")],
    ),
    (
        "integrations: match keys that begin with",
        &[(2, "'service5'")],
    ),
    ("api_keys: revoke", &[(2, "'key7n500'")]),
    ("tenants: find by name", &[(1, "'tenant 7'")]),
    ("tenants: lock by name", &[(1, "'tenant 7'")]),
    // Of a user, all connections, or those with some integrations.
    ("users: find", &[(3, "NULL")]),
    ("users: find", &[]),
    // The first page, and the last.
    ("users: page", &[(2, "50"), (3, "0")]),
    ("users: page", &[(2, "50"), (3, "950")]),
    (
        "users: page of those of some integrations",
        &[(2, "50"), (3, "0")],
    ),
    (
        "users: page of those of some integrations",
        &[(2, "1000"), (3, "950")],
    ),
    ("api_keys: whether one is live", &[(2, "'key7n500'")]),
    // Few have ended so long ago, and all have.
    ("link_tokens: purge", &[(1, "604800")]),
    ("link_tokens: purge", &[(1, "3600")]),
    // A retention of a week (few rows are older), and of an hour (all are).
    ("retired_connections: purge", &[(1, "604800")]),
    ("retired_connections: purge", &[(1, "3600")]),
];

/// The name in the first line of a statement.
pub fn name_of(statement: &str) -> &str {
    let line = statement.lines().next().unwrap();
    line.strip_prefix("-- ").unwrap().trim()
}

/// Every list of arguments that a statement is planned with.
pub fn sets(statement: &str, types: &[String]) -> Vec<Vec<String>> {
    let fitting: Vec<String> = types
        .iter()
        .enumerate()
        .map(|(index, kind)| literal(statement, index, kind))
        .collect();
    let mut sets: Vec<Vec<String>> = VARIANTS
        .iter()
        .filter(|(name, _)| *name == name_of(statement))
        .map(|(_, changes)| {
            let mut set = fitting.clone();
            for (position, literal) in *changes {
                (*literal).clone_into(&mut set[position - 1]);
            }
            set
        })
        .collect();
    if sets.is_empty() {
        sets.push(fitting);
    }
    sets
}

/// A value from the seed that fits the type. The first uuid is the tenant's; what the others are of follows from the
/// table that the statement names first.
fn literal(statement: &str, index: usize, kind: &str) -> String {
    let id = match name_of(statement).split(':').next() {
        _ if index == 0 => TENANT,
        Some("connections" | "retired_connections") if statement.contains("connection_id = $2") => {
            CONNECTION
        }
        Some("integrations") => INTEGRATION,
        Some("strata" | "strata_servers" | "strata_external_servers") => STRATA,
        _ if statement.contains("integration_id = $2") => INTEGRATION,
        _ => AUTH_CONFIG,
    };
    match kind {
        "UUID" => format!("'{id}'"),
        "UUID[]" => format!("'{{{id},{INTEGRATION}}}'"),
        "TEXT" => "'user 500'".to_owned(),
        "TEXT[]" => "'{client_secret,user 500}'".to_owned(),
        "BYTEA" => "sha256('user 500 of 7')".to_owned(),
        "BYTEA[]" => "ARRAY[sha256('user 500 of 7')]".to_owned(),
        "BOOL" => "false".to_owned(),
        "BOOL[]" => "'{false}'".to_owned(),
        "INT4" | "INT8" | "FLOAT8" => "5".to_owned(),
        "INT4[]" | "INT8[]" => "'{5}'".to_owned(),
        "JSONB" => "'{}'".to_owned(),
        "JSONB[]" => "ARRAY['{}'::jsonb]".to_owned(),
        "FLOAT8[]" => "'{0.1}'".to_owned(),
        "TIMESTAMPTZ" => "now()".to_owned(),
        other => panic!("give a literal for a parameter of type {other}"),
    }
}

/// The statements that this file says something of.
pub fn named() -> impl Iterator<Item = &'static str> {
    let exempt = EXEMPT.iter().map(|(name, _)| *name);
    exempt.chain(VARIANTS.iter().map(|(name, _)| *name))
}
