//! Rows of `servers`: who runs, and which root keys each holds.

use uuid::Uuid;

use crate::crypto::RootId;
use crate::domain::Error;
use crate::store::ServerTx;
use crate::store::error::failed;
use crate::store::keys::{Fingerprints, UnlockError, Vault};
use crate::store::unlock::{needed, share_roots};

/// After how many seconds without a word a server counts as gone. It speaks twice a minute, on a nearly full disk too.
pub const SILENCE: f64 = 150.0;

const CHECK_IN: &str = "-- servers: check in
    INSERT INTO servers (server_id, root_ids) VALUES ($1, $2)
    ON CONFLICT (server_id) DO UPDATE SET root_ids = EXCLUDED.root_ids, seen_at = now()
    WHERE servers.seen_at > '-infinity'";
const FORGET: &str = "-- servers: forget who has been silent for a day
    DELETE FROM servers WHERE seen_at < now() - interval '1 day'";
// Not removed: a check-in that is still on its way would bring it back.
const CHECK_OUT: &str = "-- servers: check out
    UPDATE servers SET seen_at = '-infinity' WHERE server_id = $1";
const WITHOUT: &str = "-- servers: without a root key
    SELECT root_ids, extract(epoch FROM now() - seen_at)::float8 FROM servers
    WHERE seen_at > now() - make_interval(secs => $2) AND NOT root_ids @> ARRAY[$1] ORDER BY started_at";

/// The statements of this file, which the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[CHECK_IN, FORGET, CHECK_OUT, WITHOUT];

/// A server that does not hold a root key.
#[derive(Debug, Clone, PartialEq)]
pub struct Stranger {
    /// The fingerprints of those that it holds.
    pub holds: Vec<String>,
    /// Seconds since it was heard of.
    pub seconds_ago: f64,
}

impl Vault {
    /// Says that this server runs and which root keys it holds.
    ///
    /// # Errors
    /// `WrongRootKey` when the database needs one that it does not hold: a rotation has begun without it.
    pub async fn check_in(&self) -> Result<(), UnlockError> {
        let (server, held) = (self.server(), self.ring().ids());
        let configured = Fingerprints(held.clone());
        let lacking = self.db().presence(move |tx| {
            let held = held.clone();
            Box::pin(async move { check_in(tx, server, &held).await })
        });
        let lacking = lacking.await?;
        if lacking.is_empty() {
            return Ok(());
        }
        Err(UnlockError::WrongRootKey {
            configured,
            in_use: Fingerprints(lacking),
        })
    }

    /// Says that this server has ended.
    pub async fn check_out(&self) -> Result<(), Error> {
        let server = self.server();
        self.db()
            .presence(move |tx| Box::pin(check_out(tx, server)))
            .await
    }
}

/// Answers with the root keys that the database needs and the server lacks: no rotation begins between the look and
/// the row.
async fn check_in(tx: &mut ServerTx, server: Uuid, held: &[RootId]) -> Result<Vec<RootId>, Error> {
    share_roots(tx).await?;
    let names: Vec<String> = held.iter().map(ToString::to_string).collect();
    sqlx::query(CHECK_IN)
        .bind(server)
        .bind(names)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    sqlx::query(FORGET)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let mut lacking = needed(tx).await?;
    lacking.retain(|root| !held.contains(root));
    Ok(lacking)
}

async fn check_out(tx: &mut ServerTx, server: Uuid) -> Result<(), Error> {
    sqlx::query(CHECK_OUT)
        .bind(server)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// The servers that run and do not hold this root key.
pub async fn without(tx: &mut ServerTx, root: RootId) -> Result<Vec<Stranger>, Error> {
    let rows: Vec<(Vec<String>, f64)> = sqlx::query_as(WITHOUT)
        .bind(root.to_string())
        .bind(SILENCE)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|(holds, seconds_ago)| Stranger { holds, seconds_ago })
        .collect())
}
