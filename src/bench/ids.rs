//! The rows of the bench by number, and their ids: computed alike here and, in half a microsecond, in the SQL of a
//! pgbench script, so that the baseline pays for no look-up.

use uuid::Uuid;

/// The first 19 hexadecimal digits of every id, in the form of a UUID of version 7 (RFC 9562): as those that the server
/// makes, ids that are made one after the other lie together.
const PREFIX: &str = "0190000000007000800";
/// Added to a number, so that it has twelve decimal digits, the last of the id.
pub const BASE: u64 = 100_000_000_000;
/// The most connections that one tenant can have here.
pub const MOST_PER_TENANT: u32 = 999_999;

/// What an id names; its digit in the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A tenant, by its number from 1.
    Tenant = 1,
    /// A connection, by [`connection`].
    Connection = 2,
    /// An auth config, by [`config`].
    AuthConfig = 3,
    /// An integration, by [`config`]: each has one auth config.
    Integration = 4,
}

/// What an integration with its one auth config is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// All connections lie under it.
    Connections = 1,
    /// The server changes it in Composio's dialect.
    Composio = 2,
    /// pgbench does what a Composio change does.
    ComposioBaseline = 3,
    /// The server changes it in Langdock's dialect.
    Langdock = 4,
    /// pgbench does what a Langdock change does.
    LangdockBaseline = 5,
}

impl Role {
    /// All of them, as every tenant has them.
    pub const ALL: [Self; 5] = [
        Self::Connections,
        Self::Composio,
        Self::ComposioBaseline,
        Self::Langdock,
        Self::LangdockBaseline,
    ];
}

/// The number of connection `slot` (from 1) of `tenant` (from 1).
pub fn connection(tenant: u32, slot: u32) -> u64 {
    u64::from(tenant) * 1_000_000 + u64::from(slot)
}

/// The number of the integration, and of the auth config, that `tenant` has for `role`.
pub fn config(tenant: u32, role: Role) -> u64 {
    u64::from(tenant) * 10 + role as u64
}

/// The id of the row of this kind and number.
pub fn uuid(kind: Kind, number: u64) -> Uuid {
    let text = format!("{PREFIX}{}{}", kind as u8, BASE + number);
    Uuid::try_parse(&text).unwrap_or_default()
}

/// The SQL expression of the same id, where `variable` of a pgbench script holds the number plus [`BASE`].
pub fn sql(kind: Kind, variable: &str) -> String {
    format!("('{PREFIX}{}' || :{variable}::text)::uuid", kind as u8)
}

/// The id of an auth config on Composio's wire.
pub fn public_config(number: u64) -> String {
    format!("ac_{number:012}")
}

/// The id of a connection on Composio's wire.
pub fn public_connection(number: u64) -> String {
    format!("ca_{number:012}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{AuthConfigId, ConnectedAccountId};

    #[test]
    fn ids_are_different_and_of_the_form_that_the_wire_takes() {
        let ids = [
            uuid(Kind::Tenant, 1),
            uuid(Kind::Connection, connection(1, 1)),
            uuid(Kind::Connection, connection(1_000, 5_000)),
            uuid(Kind::AuthConfig, config(1_000, Role::Composio)),
            uuid(Kind::Integration, config(1_000, Role::Composio)),
        ];
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        let mut different = ids.to_vec();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), ids.len());
        assert_eq!(ids[0].to_string(), "01900000-0000-7000-8001-100000000001");
        assert!(public_config(12).parse::<AuthConfigId>().is_ok());
        assert!(public_connection(12).parse::<ConnectedAccountId>().is_ok());
    }
}
