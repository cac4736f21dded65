//! What was seeded, as the load generator knows it: who has which key, which rows are the server's, what lies in them.

use std::sync::atomic::{AtomicU32, Ordering};

use super::ids;

/// Bytes of a credential's JSON text.
pub const CREDENTIAL: usize = 1_024;
/// Bytes around the value in `{"api_key":"…"}`.
const FRAME: usize = 14;
/// Bytes of the value of an auth config's key.
pub const CONFIG_VALUE: usize = 64;
/// What is stored is not known: a write was sent and no answer came.
const UNKNOWN: u32 = u32::MAX;

/// The seeded world. The first half of every tenant's connections is the server's, the second pgbench's, which stores
/// bytes that no server could open.
#[derive(Debug)]
pub struct World {
    /// How many tenants.
    pub tenants: u32,
    /// How many connections each has.
    pub per_tenant: u32,
    /// The API key of each tenant.
    pub keys: Vec<String>,
    /// How often each of the server's connections was written.
    generations: Vec<AtomicU32>,
}

/// One of the server's connections.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its place among them.
    pub index: u32,
    /// Its tenant, from 1.
    pub tenant: u32,
    /// Its number (`ids::connection`).
    pub number: u64,
}

impl World {
    /// A world of `tenants` with `per_tenant` connections each, seeded and never written since.
    pub fn new(tenants: u32, per_tenant: u32, keys: Vec<String>) -> Self {
        let rows = tenants * (per_tenant / 2);
        Self {
            tenants,
            per_tenant,
            keys,
            generations: (0..rows).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    /// How many connections are the server's.
    pub fn rows(&self) -> u32 {
        self.tenants * self.half()
    }

    /// How many connections of each tenant are the server's.
    pub fn half(&self) -> u32 {
        self.per_tenant / 2
    }

    /// One of the server's connections. Rows that follow each other are of different tenants.
    pub fn row(&self, index: u32) -> Row {
        let tenant = index % self.tenants + 1;
        let slot = index / self.tenants + 1;
        Row {
            index,
            tenant,
            number: ids::connection(tenant, slot),
        }
    }

    /// The tenant's API key.
    pub fn key(&self, tenant: u32) -> &str {
        self.keys
            .get(tenant as usize - 1)
            .map_or("", String::as_str)
    }

    /// The generation that lies in the row; `None` where it is not known.
    pub fn generation(&self, row: Row) -> Option<u32> {
        let stored = self.generations.get(row.index as usize)?;
        Some(stored.load(Ordering::Relaxed)).filter(|generation| *generation != UNKNOWN)
    }

    /// Remembers a write: what was stored, or that nobody knows.
    pub fn wrote(&self, row: Row, generation: Option<u32>) {
        if let Some(stored) = self.generations.get(row.index as usize) {
            stored.store(generation.unwrap_or(UNKNOWN), Ordering::Relaxed);
        }
    }
}

/// The value of a connection's credential: it names its row and its generation, then 0 to 9 over and over.
pub fn value(number: u64, generation: u32) -> String {
    padded(&mark(number, generation), CREDENTIAL - FRAME)
}

/// The beginning of that value.
pub fn mark(number: u64, generation: u32) -> String {
    format!("kwb-{number:012}-{generation:08x}-")
}

/// The JSON text of a connection's credential, 1 KiB.
pub fn credential(number: u64, generation: u32) -> String {
    format!(r#"{{"api_key":"{}"}}"#, value(number, generation))
}

/// The value of an auth config's own key.
pub fn config_value(number: u64) -> String {
    padded(&mark(number, 0), CONFIG_VALUE)
}

/// The rest of a value.
pub fn padding(length: usize) -> impl Iterator<Item = u8> {
    (b'0'..=b'9').cycle().take(length)
}

fn padded(mark: &str, length: usize) -> String {
    let mut text = mark.to_owned();
    text.extend(padding(length - mark.len()).map(char::from));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_one_kibibyte_and_names_its_row() {
        let text = credential(1_000_001, 7);
        assert_eq!(text.len(), CREDENTIAL);
        assert!(text.starts_with(r#"{"api_key":"kwb-000001000001-00000007-0123"#));
        assert_eq!(config_value(3).len(), CONFIG_VALUE);
    }

    #[test]
    fn every_row_of_the_server_is_in_the_first_half_of_a_tenant() {
        let world = World::new(3, 5, vec!["a".into(), "b".into(), "c".into()]);
        let numbers: Vec<u64> = (0..world.rows()).map(|at| world.row(at).number).collect();
        assert_eq!(
            numbers,
            [
                1_000_001, 2_000_001, 3_000_001, 1_000_002, 2_000_002, 3_000_002
            ]
        );
        assert_eq!(world.key(world.row(5).tenant), "c");
    }

    #[test]
    fn a_write_without_an_answer_leaves_the_row_unknown() {
        let world = World::new(1, 2, vec!["a".into()]);
        let row = world.row(0);
        assert_eq!(world.generation(row), Some(0));
        world.wrote(row, Some(4));
        assert_eq!(world.generation(row), Some(4));
        world.wrote(row, None);
        assert_eq!(world.generation(row), None);
    }
}
