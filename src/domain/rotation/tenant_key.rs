//! Another data key for a tenant: it seals from the first transaction on, every cell moves under it, and the old one is
//! kept for seven days, in which what a server still seals under it is moved too.

use std::time::Duration;

use tokio::time::sleep;

use super::pass::Pass;
use super::{RotationError, Watcher, persist};
use crate::domain::error::{Error, Kind};
use crate::domain::ids::TenantId;
use crate::domain::service::Service;
use crate::domain::tenants::operator;
use crate::store::rotation::cells;
use crate::store::rotation::data_keys::{self, State};
use crate::store::rotation::{Job, alone};
use crate::store::{Access, ServerTx, audit};

/// How often all cells are gone through at the end: a row that somebody held is met the next time.
const PASSES: u32 = 5;

/// What a rotation of a tenant's data key has done.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantRotation {
    /// Whose.
    pub tenant: TenantId,
    /// The data key that seals now.
    pub data_key: u32,
    /// Whether it was made by an earlier run, which this one goes on with.
    pub resumed: bool,
    /// The data keys in whose place it came.
    pub replaced: Vec<u32>,
    /// Cells that this run moved.
    pub cells: u64,
    /// Cells that do not open and stay where they are: restore them from a backup.
    pub damaged: u64,
    /// Whether nothing is sealed under the replaced ones and no server remembers them. Else a server sees to that after
    /// `wait`.
    pub finished: bool,
    /// How long servers may still seal under the replaced ones.
    pub wait: Duration,
}

impl Service {
    /// Gives the tenant of this name another data key and moves every cell under it. An unfinished rotation is gone on
    /// with instead. What servers seal under the replaced one from memory, for about seven minutes, is moved too: by this
    /// call where it is to `wait` or that is over, else by a server. A server also removes the replaced one, 7 days later.
    ///
    /// # Errors
    /// `Busy` where another rotation of this tenant runs; `Store` where there is no such tenant, or the database stayed
    /// away.
    pub async fn rotate_tenant_key(
        &self,
        name: &str,
        wait: bool,
        watcher: Watcher<'_>,
    ) -> Result<TenantRotation, RotationError> {
        let tenant = self.tenant_named(name).await?;
        let taken = alone::alone(self.db(), Job::TenantKey(tenant)).await?;
        let alone = taken.ok_or(RotationError::Busy("this tenant's data key"))?;
        let outcome = self.rotate_tenant_key_alone(tenant, wait, watcher).await;
        alone.release().await;
        Ok(outcome.map_err(|error| match error {
            // Deleted meanwhile.
            Error::Unauthenticated(_) => Error::NotFound(Kind::Tenant),
            other => other,
        })?)
    }

    async fn rotate_tenant_key_alone(
        &self,
        tenant: TenantId,
        wait: bool,
        watcher: Watcher<'_>,
    ) -> Result<TenantRotation, Error> {
        let (state, resumed) = persist(|| self.begin_tenant_rotation(tenant)).await?;
        let of = persist(|| self.count_cells(tenant)).await?;
        let pass = self.pass(tenant, of, watcher).await?;
        let mut report = TenantRotation {
            tenant,
            data_key: state.active,
            resumed,
            cells: pass.moved,
            damaged: pass.damaged,
            finished: false,
            wait: Duration::from_secs_f64(state.wait()),
            replaced: state.replaced,
        };
        if wait {
            while !report.wait.is_zero() {
                // The database's clock decides, and it may not run as ours does.
                sleep(report.wait).await;
                let state = persist(|| self.data_key_state(tenant)).await?;
                report.wait = Duration::from_secs_f64(state.wait());
            }
        }
        if report.wait.is_zero() {
            let (last, finished) = self.finish_rotation(tenant).await?;
            report.cells += last.moved;
            report.damaged = last.damaged;
            report.finished = finished;
        }
        Ok(report)
    }

    /// The tenant's data keys once a new one seals, and whether it did so before.
    async fn begin_tenant_rotation(&self, tenant: TenantId) -> Result<(State, bool), Error> {
        let vault = self.vault().clone();
        self.db()
            .jobs(Access::Write, move |tx| {
                let vault = vault.clone();
                Box::pin(async move {
                    let state = locked(tx, tenant).await?;
                    if !state.replaced.is_empty() {
                        return Ok((state, true));
                    }
                    let next = data_keys::replace(tx, &vault, tenant, &state).await?;
                    append(tx, tenant, "tenant.rotate_key", next, &[state.active]).await?;
                    Ok((locked(tx, tenant).await?, false))
                })
            })
            .await
    }

    async fn data_key_state(&self, tenant: TenantId) -> Result<State, Error> {
        self.db()
            .jobs(Access::Write, move |tx| Box::pin(locked(tx, tenant)))
            .await
    }

    /// Moves what is left under replaced data keys, and removes those that were kept for long enough and that nothing
    /// names any more; says whether nothing is left. To be called alone.
    async fn finish_rotation(&self, tenant: TenantId) -> Result<(Pass, bool), Error> {
        let mut all = Pass::default();
        let settle = |last| {
            self.db().jobs(Access::BigWrite, move |tx| {
                Box::pin(settle(tx, tenant, last))
            })
        };
        // Mostly nothing is left: one statement finds that out, and no pass is made.
        if persist(|| settle(false)).await? {
            return Ok((all, true));
        }
        for _ in 0..PASSES {
            let pass = self.pass(tenant, 0, &|_| {}).await?;
            all.moved += pass.moved;
            all.damaged = pass.damaged;
            if pass.held == 0 {
                break;
            }
        }
        let finished = persist(|| settle(true)).await?;
        self.vault().forget(tenant);
        Ok((all, finished))
    }

    /// Looks after the rotations of tenants' data keys whose time has come, each by one server: what was sealed late is
    /// moved, and what was kept for long enough is removed. One tenant's failure does not keep the others'; the last one
    /// is answered.
    pub(in crate::domain) async fn finish_rotations(&self) -> Result<(), Error> {
        let due = self
            .db()
            .jobs(Access::Read, |tx| Box::pin(data_keys::due(tx)))
            .await?;
        let mut outcome = Ok(());
        for tenant in due {
            let Some(alone) = alone::alone(self.db(), Job::TenantKey(tenant)).await? else {
                continue;
            };
            match self.finish_rotation(tenant).await {
                // Looked at every hour, mostly for nothing; or deleted meanwhile.
                Ok((Pass { moved: 0, .. }, true))
                | Err(Error::Unauthenticated(_) | Error::NotFound(_)) => {}
                Ok((pass, true)) => tracing::info!(
                    %tenant,
                    cells = pass.moved,
                    "what a server sealed late under a replaced data key was encrypted anew"
                ),
                Ok((pass, false)) => tracing::error!(
                    %tenant,
                    damaged = pass.damaged,
                    "something is still sealed under a replaced data key, which is kept: restore the cells that do \
                     not open; it is tried again in an hour"
                ),
                Err(error) => outcome = Err(error),
            }
            alone.release().await;
        }
        outcome
    }
}

async fn locked(tx: &mut ServerTx, tenant: TenantId) -> Result<State, Error> {
    let state = data_keys::lock(tx, tenant).await?;
    state.ok_or(Error::NotFound(Kind::Tenant))
}

/// Whether nothing is sealed under a replaced data key and no server remembers one. Removes those that outlived their
/// time. Notes that something is left where the `last` pass was made.
async fn settle(tx: &mut ServerTx, tenant: TenantId, last: bool) -> Result<bool, Error> {
    let state = locked(tx, tenant).await?;
    if state.wait() > 0.0 {
        return Ok(false);
    }
    if cells::any_left(tx, tenant, state.active).await? {
        if last {
            data_keys::looked(tx, tenant).await?;
        }
        return Ok(false);
    }
    data_keys::emptied(tx, tenant).await?;
    let (active, replaced) = (state.active, state.replaced);
    if !replaced.is_empty() {
        append(tx, tenant, "tenant.retire_keys", active, &replaced).await?;
    }
    if !state.outlived.is_empty() {
        data_keys::remove(tx, tenant, &state.outlived).await?;
        append(tx, tenant, "tenant.remove_keys", active, &state.outlived).await?;
    }
    Ok(true)
}

async fn append(
    tx: &mut ServerTx,
    tenant: TenantId,
    action: &'static str,
    data_key: u32,
    replaced: &[u32],
) -> Result<(), Error> {
    let event = audit::Event {
        action,
        object_kind: "data_key",
        object_id: &data_key.to_string(),
        detail: Some(serde_json::json!({ "replaced": replaced })),
    };
    audit::append_as_server(tx, &operator(tenant), event).await
}
