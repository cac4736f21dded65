//! Transactions that no full disk keeps from running.

use futures_util::future::BoxFuture;

use super::meter::Role;
use super::{Access, Db};
use crate::domain::Error;
use crate::store::transaction::ServerTx;

impl Db {
    /// Runs `work` in one transaction of the role `keyway_jobs`, on a nearly full disk too: who runs must be known then as
    /// well, or a root key would seal that a running server does not hold. For one small row and nothing else.
    pub(in crate::store) async fn presence<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut ServerTx) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'static,
    {
        self.server(Role::Jobs, "keyway_jobs", Access::Write, work)
            .await
    }
}
