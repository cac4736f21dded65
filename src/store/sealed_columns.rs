//! The one list of every column that holds sealed bytes. Rotation, the canary check and the test that no `sealed_*`
//! column is missing all read it.

/// Under which key a column's bytes are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedUnder {
    /// The root key: the bytes name its id.
    Root,
    /// A data key of the row's tenant.
    DataKey,
}

/// One column of sealed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedColumn {
    /// Its table.
    pub table: &'static str,
    /// Its name, which begins with `sealed_`.
    pub column: &'static str,
    /// Under which key.
    pub under: SealedUnder,
}

/// Every sealed column.
pub const SEALED_COLUMNS: [SealedColumn; 9] = [
    SealedColumn {
        table: "root_keys",
        column: "sealed_canary",
        under: SealedUnder::Root,
    },
    SealedColumn {
        table: "server_secrets",
        column: "sealed_value",
        under: SealedUnder::Root,
    },
    SealedColumn {
        table: "tenant_data_keys",
        column: "sealed_key",
        under: SealedUnder::Root,
    },
    SealedColumn {
        table: "auth_configs",
        column: "sealed_proxy_auth_key",
        under: SealedUnder::DataKey,
    },
    SealedColumn {
        table: "auth_config_secrets",
        column: "sealed_value",
        under: SealedUnder::DataKey,
    },
    SealedColumn {
        table: "connections",
        column: "sealed_credential",
        under: SealedUnder::DataKey,
    },
    SealedColumn {
        table: "retired_connections",
        column: "sealed_credential",
        under: SealedUnder::DataKey,
    },
    SealedColumn {
        table: "strata_external_servers",
        column: "sealed_headers",
        under: SealedUnder::DataKey,
    },
    SealedColumn {
        table: "link_tokens",
        column: "sealed_data",
        under: SealedUnder::DataKey,
    },
];
