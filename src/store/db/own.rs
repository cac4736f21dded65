//! What a database has beside its pool: how to connect, the lanes of the hot paths, the audit rows that wait.

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;

use super::Db;
use crate::store::audit::Later;
use crate::store::hot::Lanes;

impl Db {
    /// How the pool connects.
    pub(in crate::store) fn options(&self) -> Arc<PgConnectOptions> {
        self.inner.pool.connect_options()
    }

    /// The connections of the hot paths.
    pub(in crate::store) fn lanes(&self) -> &Lanes {
        &self.inner.lanes
    }

    /// The audit rows that are written a little later.
    pub(in crate::store) fn later(&self) -> &Later {
        &self.inner.later
    }
}
