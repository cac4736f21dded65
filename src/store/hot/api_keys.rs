//! Calls of `find_api_keys`: who calls, before the tenant is known.

use sqlx::FromRow as _;

use super::super::api_keys::StoredKey;
use super::super::coalesce::{Failure, Link};
use super::own::Own;
use super::unreadable;

pub(super) const FIND: &str = "-- hot: find api keys
    SELECT tenant_id, key_id, name, mac, pepper_version, scopes, integrations, created_at, expires_at, revoked_at, expired
    FROM find_api_keys($1)";

/// The lane's end at the database.
#[derive(Debug)]
pub(super) struct Calls(pub(super) Own);

impl Link for Calls {
    type Item = String;
    type Reply = Vec<StoredKey>;
    type Key = ();

    const NAME: &'static str = "api_key";

    fn key(_: &String) {}

    async fn call(&mut self, items: &[&String]) -> Result<Vec<Vec<StoredKey>>, Failure> {
        let ids: Vec<&str> = items.iter().map(|id| id.as_str()).collect();
        let rows = self.0.read(|| sqlx::query(FIND).bind(&ids)).await?;
        let found: Vec<StoredKey> = rows
            .iter()
            .map(StoredKey::from_row)
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        let of = |id: &str| {
            let mine = found.iter().filter(|key| key.key_id == id);
            mine.cloned().collect()
        };
        Ok(items.iter().map(|id| of(id)).collect())
    }

    fn disconnect(&mut self) {
        self.0.disconnect();
    }
}
