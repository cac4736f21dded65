//! What rotations have left to do, for who looks at the house. Writes nothing.

use super::data_keys::{self, Unfinished};
use crate::crypto::RootId;
use crate::domain::Error;
use crate::store::unlock::{canaries, root_id};
use crate::store::{Access, Db};

/// The rotations of a database.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// The root key that seals; none in a new database.
    pub sealing: Option<RootId>,
    /// Root keys that something may still be sealed under.
    pub others: Vec<RootId>,
    /// The first unfinished rotations of tenants' data keys.
    pub tenants: Vec<Unfinished>,
}

/// The rotations of this database.
pub async fn overview(db: &Db) -> Result<Overview, Error> {
    db.jobs(Access::Read, |tx| {
        Box::pin(async move {
            let stored = canaries(tx).await?;
            let ids = stored.iter().map(|(id, _)| root_id(id));
            let mut others = ids.collect::<Result<Vec<_>, _>>()?;
            Ok(Overview {
                // The newest is the last.
                sealing: others.pop(),
                others,
                tenants: data_keys::unfinished(tx).await?,
            })
        })
    })
    .await
}
