//! One pass over the cells of a tenant: what is under another data key is sealed anew under the active one.

use std::sync::Arc;

use uuid::Uuid;

use super::{Progress, Watcher, persist};
use crate::crypto::TenantKeys;
use crate::domain::error::Error;
use crate::domain::ids::TenantId;
use crate::domain::service::Service;
use crate::store::Access;
use crate::store::rotation::cells::{self, CELLS, Cells, Changed, Looked};

/// What one pass over a tenant's cells did.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pass {
    /// Cells that are under the active data key now.
    pub(super) moved: u64,
    /// Cells that do not open.
    pub(super) damaged: u64,
    /// Cells that somebody held or changed meanwhile: for the next pass.
    pub(super) held: u64,
}

impl Service {
    pub(super) async fn count_cells(&self, tenant: TenantId) -> Result<u64, Error> {
        let count = self.db().jobs(Access::BigWrite, move |tx| {
            Box::pin(cells::count(tx, tenant))
        });
        count.await.map(i64::unsigned_abs)
    }

    /// Goes once through every cell of the tenant.
    pub(super) async fn pass(
        &self,
        tenant: TenantId,
        of: u64,
        watcher: Watcher<'_>,
    ) -> Result<Pass, Error> {
        // Those in memory may be older than the new data key.
        self.vault().forget(tenant);
        let keys = persist(|| self.vault().tenant_keys(tenant)).await?;
        let (mut pass, mut done) = (Pass::default(), 0);
        for column in &CELLS {
            let mut after = Uuid::nil();
            loop {
                let rows = persist(|| self.some_cells(tenant, column, after, &keys)).await?;
                let Some(last) = rows.last() else { break };
                after = last.id;
                done += rows.len() as u64;
                self.move_cells(tenant, column, rows, &keys, &mut pass)
                    .await?;
                watcher(Progress {
                    done: done.min(of),
                    of,
                });
            }
        }
        Ok(pass)
    }

    async fn some_cells(
        &self,
        tenant: TenantId,
        column: &'static Cells,
        after: Uuid,
        keys: &TenantKeys,
    ) -> Result<Vec<Looked>, Error> {
        let active = keys.active();
        self.db()
            .jobs(Access::Read, move |tx| {
                Box::pin(column.some(tx, tenant, after, active))
            })
            .await
    }

    async fn move_cells(
        &self,
        tenant: TenantId,
        column: &'static Cells,
        rows: Vec<Looked>,
        keys: &TenantKeys,
        pass: &mut Pass,
    ) -> Result<(), Error> {
        let mut changed = Changed::default();
        for row in rows {
            let place = column.place(tenant, &row);
            let Some(old) = row.sealed else { continue };
            match keys.reseal(&place, &old) {
                Ok(Some(new)) => changed.push(row.id, row.part, old, new),
                Ok(None) => {}
                Err(error) => {
                    pass.damaged += 1;
                    let (table, column) = (column.table, column.column);
                    tracing::error!(%tenant, table, column, row = %row.id, %error, "a cell cannot be sealed anew");
                }
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let changed = Arc::new(changed);
        let replace = || {
            let changed = Arc::clone(&changed);
            self.db().jobs(Access::Write, move |tx| {
                let changed = Arc::clone(&changed);
                Box::pin(async move { column.replace(tx, tenant, &changed).await })
            })
        };
        let moved = persist(replace).await?;
        pass.moved += moved;
        pass.held += (changed.len() as u64).saturating_sub(moved);
        Ok(())
    }
}
