//! What pgbench runs: for each path the single call of the function that the server calls too, in its own login, so
//! that row-level security binds both.
//!
//! pgbench has it easier wherever the two differ: ids are computed, not sent; the bytes to store are a constant of the
//! prepared statement; nothing is authenticated, sealed, opened, logged or sent on. A row that another client holds
//! answers `busy` and counts as done.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ids::{self, BASE, Kind, Role};
use super::path::Path;
use super::seed::Seeded;

/// Who did it, in the audit rows.
const WHO: &str = "'benchbaselin', '00000000-0000-4000-8000-000000000000'";
/// The id of an audit row: as the server's, ids that are made one after the other lie together.
const AUDIT: &str = "('0190000000027' || :a::text)::uuid";
/// Added to the number of a call, so that it has the nineteen digits that its audit row's id lacks.
const CALLS: u64 = 1_000_000_000_000_000_000;

/// The script of a path.
pub fn of(path: Path, seeded: &Seeded) -> String {
    let world = &seeded.world;
    let (from, to) = (world.half() + 1, world.per_tenant);
    let tenant = ids::sql(Kind::Tenant, "tenant");
    let role = match path {
        Path::PatchLangdock => Role::LangdockBaseline,
        _ => Role::ComposioBaseline,
    };
    let begin = format!(
        "\\set t random(1, {})\n\\set tenant {BASE} + :t\n\\set i :i + 1\n\\set a {CALLS} + :i * 1000 + :client_id\n",
        world.tenants
    );
    let connection =
        format!("\\set k random({from}, {to})\n\\set connection {BASE} + :t * 1000000 + :k\n");
    let config = format!("\\set config {BASE} + :t * 10 + {}\n", role as u8);
    let id = ids::sql(Kind::Connection, "connection");
    match path {
        Path::SetAuth => {
            let bytes = hex(&seeded.sealed_credential);
            format!(
                "{begin}{connection}SELECT * FROM set_credential({tenant}, {id}, NULL, '[]', gen_random_uuid(), \
                 '\\x{bytes}', {AUDIT}, {WHO});\n"
            )
        }
        Path::HandOut => {
            format!(
                "{begin}{connection}SELECT * FROM hand_out_credential({tenant}, {id}, NULL, {AUDIT}, {WHO});\n"
            )
        }
        Path::HandOutBatched => {
            format!(
                "{begin}{connection}SELECT * FROM hand_out_credential({tenant}, {id}, NULL, NULL, {WHO});\n"
            )
        }
        Path::PatchComposio => {
            let sealed = STANDARD.encode(&seeded.sealed_cell);
            let set =
                format!(r#","set":[{{"kind":"credential","name":"api_key","value":"{sealed}"}}]"#);
            let integration = "NULL::uuid";
            // The last twelve digits of the same number: those of `ids::public_config`.
            let public = format!("'ac_' || lpad((:config::bigint - {BASE})::text, 12, '0')");
            let read = format!("read_auth_config({tenant}, {public}, {integration})");
            let change = change(&tenant, &read, "bench3", "[]", &set, "auth_config.update");
            format!("{begin}{config}{change}")
        }
        Path::PatchLangdock => {
            let integration = ids::sql(Kind::Integration, "config");
            let read = format!("read_auth_config({tenant}, NULL, {integration})");
            let fields = concat!(
                r#"[{"slug":"api_key","label":"API key","kind":"PASSWORD","description":"","placeholder":null,"#,
                r#""required":true,"default":null}]"#
            );
            let change = change(&tenant, &read, "bench5", fields, "", "integration.set_auth");
            format!("{begin}{config}{change}")
        }
    }
}

/// The call of a path's script with one row's values, to see that it does its work: a baseline that finds nothing would
/// be fast.
pub fn example(path: Path, seeded: &Seeded) -> String {
    let script = of(path, seeded);
    let mut call = script.lines().last().unwrap_or_default().to_owned();
    let role = match path {
        Path::PatchLangdock => Role::LangdockBaseline,
        _ => Role::ComposioBaseline,
    };
    let connection = ids::connection(1, seeded.world.per_tenant);
    for (name, value) in [
        ("tenant", BASE + 1),
        ("connection", BASE + connection),
        ("config", BASE + ids::config(1, role)),
        ("a", CALLS + path as u64),
    ] {
        call = call.replace(&format!(":{name}::"), &format!("'{value}'::"));
    }
    call
}

/// A change with the read before it, in one statement: the server makes two calls of it.
fn change(tenant: &str, read: &str, name: &str, fields: &str, more: &str, action: &str) -> String {
    let config = ids::sql(Kind::AuthConfig, "config");
    let columns = format!(
        r#"{{"name":"{name}","tool_access":{{"for_creation":[],"for_execution":[]}},"proxy_url":null,"tool_router":false,"test_code":null,"fields":{fields},"oauth_client":null{more}}}"#
    );
    // `:null` would be a variable of the script.
    let columns = columns.replace("\":", "\": ");
    format!(
        "SELECT * FROM change_auth_config({tenant}, {config}, (SELECT version FROM {read}), '{columns}', {AUDIT}, \
         {WHO}, '{action}', NULL);\n"
    )
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::world::World;

    /// The names after every single colon of a script.
    fn variables(script: &str) -> Vec<String> {
        let text = script.replace("::", " ");
        let after = text.split(':').skip(1);
        let word = |rest: &str| {
            let is_word = |character: &char| character.is_ascii_alphanumeric() || *character == '_';
            rest.chars().take_while(is_word).collect::<String>()
        };
        after.map(word).filter(|name| !name.is_empty()).collect()
    }

    #[test]
    fn scripts_name_their_own_variables_only() {
        let seeded = Seeded {
            world: World::new(2, 4, Vec::new()),
            sealed_credential: vec![1, 255],
            sealed_cell: vec![1, 255],
            seconds: 0.0,
        };
        let known = [
            "t",
            "tenant",
            "i",
            "a",
            "k",
            "connection",
            "config",
            "client_id",
        ];
        for path in Path::ALL {
            let script = of(path, &seeded);
            let unknown: Vec<_> = variables(&script)
                .into_iter()
                .filter(|name| !known.contains(&name.as_str()))
                .collect();
            assert!(unknown.is_empty(), "{unknown:?} in {script}");
            assert_eq!(
                script.matches("SELECT * FROM").count(),
                1,
                "one call: {script}"
            );
        }
        assert!(of(Path::SetAuth, &seeded).contains("random(3, 4)"));
        assert!(of(Path::SetAuth, &seeded).contains("'\\x01ff'"));
    }
}
