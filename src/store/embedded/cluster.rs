//! One cluster under the guard: made when it is new, checked, and kept running.

use std::fs::File;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::account::Account;
use super::binaries::{self, PgBinaries};
use super::error::EmbeddedError;
use super::guard::{self, Profile};
use super::layout::{self, Layout};
use super::owner::Owner;
use super::postmaster::Postmaster;
use super::{initdb, orphan};

/// A Postgres that crashes is started again at most this many times within a minute.
const RESTARTS: usize = 5;

/// How long processes of a Postgres that was killed may take to see it.
const PREDECESSOR_PATIENCE: Duration = Duration::from_secs(5);

/// A cluster that can be started.
pub(super) struct Cluster<'a> {
    layout: &'a Layout,
    binaries: PgBinaries,
    account: Account,
    profile: Profile,
}

impl<'a> Cluster<'a> {
    /// Makes the cluster unless it is there, and refuses what could not run.
    pub(super) async fn prepare(
        layout: &'a Layout,
        candidates: &[PgBinaries],
        account: Account,
        profile: Profile,
    ) -> Result<Self, EmbeddedError> {
        let data = layout.data();
        let made_by = std::fs::read_to_string(data.join("PG_VERSION")).ok();
        let made_by = made_by.as_deref().map(str::trim);
        let binaries = binaries::pick(candidates, made_by, &data)?;
        account.check_reach(&binaries.postgres(), layout.home())?;
        layout::make_directory(&layout.socket_dir(), 0o700)?;
        account.give(&layout.socket_dir())?;
        if !data.exists() {
            initdb::make_cluster(layout, &binaries, account, profile).await?;
        }
        account.check_owner(&data)?;
        Ok(Self {
            layout,
            binaries,
            account,
            profile,
        })
    }

    /// Keeps Postgres running until its owner has gone, then stops it. One that crashes is started
    /// again; one that never gets ready is not, unless processes of its predecessor linger.
    pub(super) async fn run(&self, owner: &mut Owner) -> Result<Option<File>, EmbeddedError> {
        let begun = Instant::now();
        let mut ready_said = false;
        let mut crashes: Vec<Instant> = Vec::new();
        loop {
            orphan::clear(self.layout).await?;
            let (binaries, account) = (&self.binaries, self.account);
            let mut postmaster = Postmaster::spawn(self.layout, binaries, account, self.profile)?;
            let life = async {
                if let Err(never_ready) = postmaster.ready().await {
                    return never_ready;
                }
                if !ready_said {
                    guard::say("ready");
                    ready_said = true;
                }
                postmaster.gone().await
            };
            let failure = tokio::select! {
                failure = life => failure,
                alone = owner.gone() => {
                    postmaster.stop().await;
                    return Ok(alone);
                }
            };
            crashes.retain(|crash| crash.elapsed() < Duration::from_mins(1));
            crashes.push(Instant::now());
            let again = if ready_said {
                crashes.len() <= RESTARTS
            } else {
                failure.to_string().contains("shared memory block")
                    && begun.elapsed() < PREDECESSOR_PATIENCE
            };
            if !again {
                return Err(failure);
            }
            tokio::select! {
                () = sleep(Duration::from_millis(200)) => {}
                alone = owner.gone() => return Ok(alone),
            }
        }
    }
}
