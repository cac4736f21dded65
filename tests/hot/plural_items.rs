//! Items for the functions of the schema, and the calls that they make.

use proptest::prelude::*;
use uuid::Uuid;

use crate::common::TestApp;

/// What an item can name: rows of two tenants, of a deleted one, and of nobody.
pub struct World {
    /// Alice, Bob, a deleted one, and one that never was.
    pub tenants: Vec<String>,
    /// Three connections of each: one with a credential, one whose config declares a field, one of a scheme that takes
    /// none; and one that is nowhere.
    pub connections: Vec<String>,
    /// The config of each with its public id and its integration.
    pub configs: Vec<[String; 3]>,
}

const ALICE: &str = "00000000-0000-7000-8000-00000000000a";
const BOB: &str = "00000000-0000-7000-8000-00000000000b";
const GONE: &str = "00000000-0000-7000-8000-00000000000d";

/// Rows as they are, without the server.
pub async fn world(app: &TestApp) -> World {
    let mut connections = Vec::new();
    let mut configs = Vec::new();
    for (t, tenant) in [ALICE, BOB, GONE].into_iter().enumerate() {
        app.execute(&format!(
            "INSERT INTO tenants (tenant_id, name, deleted_at) VALUES ('{tenant}', 'tenant-{t}', \
             CASE {t} WHEN 2 THEN now() END);
             INSERT INTO users (tenant_id, user_hash, user_id) VALUES ('{tenant}', sha256('u'), 'u')"
        ))
        .await;
        for (c, (scheme, fields)) in [
            ("API_KEY", "[]"),
            ("API_KEY", "[{\"slug\": \"a\"}]"),
            ("NO_AUTH", "[]"),
        ]
        .into_iter()
        .enumerate()
        {
            let [integration, config, connection] =
                [1, 2, 3].map(|kind| format!("00000000-0000-7000-8000-{t:04}{c:04}{kind:04}"));
            let public = format!("ac_{t}{c}");
            app.execute(&format!(
                "INSERT INTO integrations (tenant_id, integration_id, match_key, slug, name)
                    VALUES ('{tenant}', '{integration}', 's{c}', 's{c}', 's{c}');
                 INSERT INTO auth_configs (tenant_id, auth_config_id, public_id, integration_id, is_default, is_implicit,
                        name, scheme, tool_access, fields, created_by)
                    VALUES ('{tenant}', '{config}', '{public}', '{integration}', true, true, 'n', '{scheme}', '{{}}',
                        '{fields}', 'k');
                 INSERT INTO auth_config_secrets VALUES ('{tenant}', '{config}', 'credential', 'old', 'x'),
                    ('{tenant}', '{config}', 'shared', 'region', 'y'), ('{tenant}', '{config}', 'shared', 'it''s ✓', 'z');
                 INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id,
                        user_hash, is_primary, status, generation, sealed_credential)
                    VALUES ('{tenant}', '{connection}', 'ca_{t}{c}', '{config}', '{integration}', 'u', sha256('u'), true,
                        'ACTIVE', CASE {c} WHEN 0 THEN gen_random_uuid() END, CASE {c} WHEN 0 THEN '{tenant}'::bytea END)"
            ))
            .await;
            connections.push(connection);
            configs.push([config, public, integration]);
        }
    }
    let nowhere = Uuid::max().to_string();
    connections.push(nowhere.clone());
    configs.push([nowhere.clone(), "ac_none".to_owned(), nowhere.clone()]);
    World {
        tenants: vec![ALICE.into(), BOB.into(), GONE.into(), nowhere],
        connections,
        configs,
    }
}

/// One item, by indices into the world and choices.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    tenant: usize,
    row: usize,
    allowed: u8,
    fields: u8,
    stores: bool,
    version: i64,
    id: u128,
}

impl Item {
    /// Which tenant and row it names.
    pub fn row(&self) -> (usize, usize) {
        (self.tenant, self.row)
    }
}

pub fn items() -> impl Strategy<Value = Vec<Item>> {
    // Living tenants with rows of their own most of the time.
    let own = (0..2_usize, 0..3_usize).prop_map(|(tenant, row)| (tenant, tenant * 3 + row));
    let other = (0..4_usize, 0..10_usize);
    let named = prop_oneof![3 => own, 1 => other];
    let item = (
        named,
        0..4_u8,
        0..3_u8,
        any::<bool>(),
        1..4_i64,
        any::<u128>(),
    );
    let item = item.prop_map(
        |((tenant, row), allowed, fields, stores, version, id)| Item {
            tenant,
            row,
            allowed,
            fields,
            stores,
            version,
            id,
        },
    );
    prop::collection::vec(item, 1..20)
}

/// What to call: the name of the single function, and the types of its arguments.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub name: &'static str,
    types: &'static [&'static str],
    arguments: fn(&World, &Item) -> Vec<String>,
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}

fn null() -> String {
    "NULL".to_owned()
}

fn allowed(world: &World, item: &Item) -> String {
    let own = &world.configs[item.row][2];
    match item.allowed {
        0 => quoted("{}"),
        1 => quoted(&format!("{{{own},{}}}", Uuid::nil())),
        _ => null(),
    }
}

fn audit(item: &Item) -> [String; 3] {
    let id = Uuid::from_u128(item.id);
    [
        quoted(&id.to_string()),
        quoted("key"),
        quoted(&format!("r{id}")),
    ]
}

/// Of a hand-out.
fn reading(world: &World, item: &Item) -> Vec<String> {
    let [id, key, request] = audit(item);
    let id = if item.stores { id } else { null() };
    vec![
        quoted(&world.tenants[item.tenant]),
        quoted(&world.connections[item.row]),
        allowed(world, item),
        id,
        key,
        request,
    ]
}

pub const FUNCTIONS: [Function; 5] = [
    Function {
        name: "set_credential",
        types: &[
            "uuid", "uuid", "text", "jsonb", "uuid", "bytea", "uuid", "text", "text",
        ],
        arguments: |world, item| {
            let fields = match item.fields {
                0 => "[]",
                1 => "[{\"slug\": \"a\"}]",
                _ => "[{\"slug\": \"b\"}]",
            };
            let id = Uuid::from_u128(item.id).to_string();
            let sealed = if item.stores { quoted(&id) } else { null() };
            let first = [
                quoted(&world.tenants[item.tenant]),
                quoted(&world.connections[item.row]),
                allowed(world, item),
                quoted(fields),
                quoted(&id),
                sealed,
            ];
            first.into_iter().chain(audit(item)).collect()
        },
    },
    Function {
        name: "hand_out",
        types: &["uuid", "uuid", "text", "uuid", "text", "text"],
        arguments: reading,
    },
    Function {
        name: "hand_out_credential",
        types: &["uuid", "uuid", "text", "uuid", "text", "text"],
        arguments: reading,
    },
    Function {
        name: "read_auth_config",
        types: &["uuid", "text", "uuid"],
        arguments: |world, item| {
            let [_, public, integration] = &world.configs[item.row];
            let (public, integration) = if item.stores {
                (quoted(public), null())
            } else {
                (null(), quoted(integration))
            };
            vec![quoted(&world.tenants[item.tenant]), public, integration]
        },
    },
    Function {
        name: "change_auth_config",
        types: &[
            "uuid", "uuid", "bigint", "jsonb", "uuid", "text", "text", "text", "jsonb",
        ],
        arguments: |world, item| {
            let [id, key, request] = audit(item);
            let name = format!("it''s \"{}\" ✓", item.id);
            let name = name.replace('"', "\\\"");
            let more = match item.fields {
                0 => {
                    r#", "set": [{"kind": "credential", "name": "new ''\"✓", "value": "QQ=="}], "proxy_key": "QUI=""#
                }
                1 => r#", "remove": [{"kind": "credential", "name": "old"}], "proxy_key": null"#,
                _ => "",
            };
            let client = if item.stores { "{}" } else { "null" };
            let change = format!(
                r#"{{"name": "{name}", "tool_access": {{}}, "proxy_url": null, "tool_router": {}, "test_code": null,
                "fields": [{{"slug": "a"}}], "oauth_client": {client}{more}}}"#,
                item.stores
            );
            let detail = if item.stores {
                quoted("{\"n\": 1}")
            } else {
                null()
            };
            vec![
                quoted(&world.tenants[item.tenant]),
                quoted(&world.configs[item.row][0]),
                item.version.to_string(),
                quoted(&change),
                id,
                key,
                request,
                quoted("auth_config.update"),
                detail,
            ]
        },
    },
];

impl Function {
    /// One call for one item.
    pub fn single(&self, world: &World, item: &Item) -> String {
        let arguments = (self.arguments)(world, item);
        let typed = arguments.iter().zip(self.types).enumerate();
        let typed: Vec<_> = typed
            .map(|(at, (value, kind))| match (*kind, at) {
                ("text", 2) if self.name != "read_auth_config" => format!("{value}::uuid[]"),
                (kind, _) => format!("{value}::{kind}"),
            })
            .collect();
        format!(
            "SELECT to_jsonb(a)::text FROM {}({}) a",
            self.name,
            typed.join(", ")
        )
    }

    /// One call for all of them.
    pub fn plural(&self, world: &World, items: &[Item]) -> String {
        let all: Vec<_> = items
            .iter()
            .map(|item| (self.arguments)(world, item))
            .collect();
        let columns = self.types.iter().enumerate().map(|(at, kind)| {
            let values: Vec<_> = all.iter().map(|values| values[at].as_str()).collect();
            format!("ARRAY[{}]::{kind}[]", values.join(", "))
        });
        let columns: Vec<_> = columns.collect();
        format!(
            "SELECT to_jsonb(a)::text FROM {}s({}) a",
            self.name,
            columns.join(", ")
        )
    }
}
