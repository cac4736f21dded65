//! The one list of sealed columns is the schema's.

use std::collections::BTreeSet;

use keyway::store::sealed_columns::{SEALED_COLUMNS, SealedUnder};

use crate::common::TestApp;

#[tokio::test]
async fn the_list_names_every_sealed_column_and_no_other() {
    let app = TestApp::start().await;
    let rows = app
        .sql(
            "SELECT c.table_name::text || '.' || c.column_name AS name, c.data_type AS type, EXISTS (\
                 SELECT FROM information_schema.columns t WHERE t.table_schema = 'public' \
                     AND t.table_name = c.table_name AND t.column_name = 'tenant_id') AS of_tenant \
             FROM information_schema.columns c WHERE c.table_schema = 'public' AND c.column_name LIKE 'sealed%'",
        )
        .await;
    let stored: BTreeSet<_> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    let listed: BTreeSet<_> = SEALED_COLUMNS
        .iter()
        .map(|column| format!("{}.{}", column.table, column.column))
        .collect();

    assert_eq!(stored, listed);
    assert_eq!(
        listed.len(),
        SEALED_COLUMNS.len(),
        "a column is listed twice"
    );
    assert!(rows.iter().all(|row| row["type"] == "bytea"), "{rows:?}");
    for column in SEALED_COLUMNS
        .iter()
        .filter(|column| column.under == SealedUnder::DataKey)
    {
        let name = format!("{}.{}", column.table, column.column);
        let row = rows
            .iter()
            .find(|row| row["name"] == name.as_str())
            .unwrap();
        assert_eq!(
            row["of_tenant"], true,
            "{name} is sealed under a tenant's key"
        );
    }
}

/// Nothing that looks like sealed bytes lies under another name: the first byte tells our formats.
#[tokio::test]
async fn other_binary_columns_are_digests_and_ids() {
    let app = TestApp::start().await;
    let rows = app
        .sql(
            "SELECT DISTINCT column_name::text AS name FROM information_schema.columns \
             WHERE table_schema = 'public' AND data_type = 'bytea' AND column_name NOT LIKE 'sealed%' \
                 AND table_name <> '_sqlx_migrations' ORDER BY 1",
        )
        .await;
    let names: Vec<_> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["mac", "root_id", "token_hash", "user_hash", "value_index"]
    );
}
