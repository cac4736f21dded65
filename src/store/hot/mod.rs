//! The hot paths: each is one call of a function of the schema (migration 0002), sent together with what else waits.
//!
//! Each lane has a connection of its own, made with its first call. A call that finds its row locked by another
//! transaction answers so, and whoever asked waits for the row in a transaction of its own.

mod api_keys;
mod auth_config_change;
mod auth_config_state;
mod hand_out;
mod own;
mod set_credential;

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgRow};
use tokio::time::timeout;
use uuid::Uuid;

use super::coalesce::{Failure, Lane, Link};
use super::config_change::ConfigChange;
use super::error::{tenant_is_gone, unavailable};
use super::{Access, Db};
use crate::domain::{Caller, Error};

pub use auth_config_change::ChangeOutcome;
pub use auth_config_state::{ConfigName, ConfigState};
pub(in crate::store) use hand_out::{HandOut, HandOutAnswer};
pub use set_credential::{SetCredential, SetCredentialAnswer};

/// The statements of these files, for the test that prepares each of them. The login itself runs them; the functions
/// switch to the tenant's role.
pub const LOGIN_STATEMENTS: &[&str] = &[
    api_keys::FIND,
    auth_config_change::ONE,
    auth_config_change::MANY,
    auth_config_state::ONE,
    auth_config_state::MANY,
    hand_out::ONE,
    hand_out::MANY,
    set_credential::ONE,
    set_credential::MANY,
];

/// The lanes of one database, each started by its first call.
pub(super) struct Lanes {
    options: PgConnectOptions,
    set_credential: OnceLock<Lane<set_credential::Calls>>,
    hand_out: OnceLock<Lane<hand_out::Calls>>,
    auth_config_state: OnceLock<Lane<auth_config_state::Calls>>,
    auth_config_change: OnceLock<Lane<auth_config_change::Calls>>,
    api_keys: OnceLock<Lane<api_keys::Calls>>,
}

impl Lanes {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self {
            options,
            set_credential: OnceLock::new(),
            hand_out: OnceLock::new(),
            auth_config_state: OnceLock::new(),
            auth_config_change: OnceLock::new(),
            api_keys: OnceLock::new(),
        }
    }

    fn lane<'a, L: Link>(
        &self,
        lane: &'a OnceLock<Lane<L>>,
        link: impl FnOnce(own::Own) -> L,
    ) -> &'a Lane<L> {
        lane.get_or_init(|| Lane::start(link(own::Own::new(self.options.clone()))))
    }

    /// Ends the lanes: what waits is finished, nothing more is taken.
    pub(super) async fn close(&self) {
        async fn close<L: Link>(lane: &OnceLock<Lane<L>>) {
            if let Some(lane) = lane.get() {
                lane.close().await;
            }
        }
        tokio::join!(
            close(&self.set_credential),
            close(&self.hand_out),
            close(&self.auth_config_state),
            close(&self.auth_config_change),
            close(&self.api_keys),
        );
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").finish_non_exhaustive()
    }
}

impl Db {
    /// The API keys with this public part: none or one, but for a collision across tenants.
    pub async fn find_api_keys(
        &self,
        key_id: String,
    ) -> Result<Vec<super::api_keys::StoredKey>, Error> {
        let lanes = self.lanes();
        let lane = lanes.lane(&lanes.api_keys, api_keys::Calls);
        answered(lane.run(key_id)).await
    }

    /// Replaces a credential. Nothing is changed but where the answer is `Done`.
    pub async fn set_credential(&self, call: SetCredential) -> Result<SetCredentialAnswer, Error> {
        self.writable(Access::Write)?;
        let lanes = self.lanes();
        let lane = lanes.lane(&lanes.set_credential, set_credential::Calls);
        living(answered(lane.run(call)).await?)
    }

    /// Reads a sealed credential, with its audit row where the call has one.
    pub(in crate::store) async fn hand_out(&self, call: HandOut) -> Result<HandOutAnswer, Error> {
        self.writable(Access::Write)?;
        let lanes = self.lanes();
        let lane = lanes.lane(&lanes.hand_out, hand_out::Calls);
        living(answered(lane.run(call)).await?)
    }

    /// Reads an auth config with its integration and its sealed cells. `None` where there is none; of an integration's
    /// default also where only the integration is there.
    pub async fn auth_config_state(
        &self,
        caller: &Caller,
        name: ConfigName,
    ) -> Result<Option<ConfigState>, Error> {
        let lanes = self.lanes();
        let lane = lanes.lane(&lanes.auth_config_state, auth_config_state::Calls);
        let item = auth_config_state::Item::new(caller, name);
        living(answered(lane.run(item)).await?)?.read()
    }

    /// Writes an auth config, unless it was changed since `version` was read.
    pub async fn change_auth_config(
        &self,
        caller: &Caller,
        version: i64,
        change: &ConfigChange,
    ) -> Result<ChangeOutcome, Error> {
        self.writable(Access::Write)?;
        let lanes = self.lanes();
        let lane = lanes.lane(&lanes.auth_config_change, auth_config_change::Calls);
        let item = auth_config_change::Item::new(caller, version, change)?;
        living(answered(lane.run(item)).await?)
    }
}

/// How long a caller waits for the answer of a lane, whose own limits are those of a database that is slow. A call that
/// is still running then goes on: its outcome is unknown to this caller.
const PATIENCE: Duration = Duration::from_secs(2);

/// The answer, while the database is well; one that is frozen does not hold callers.
async fn answered<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(unavailable(
            "the database has not answered in time; whether a change was done is unknown",
        )),
    }
}

/// The answer, unless the tenant was deleted.
fn living<T>(answer: Option<T>) -> Result<T, Error> {
    answer.ok_or_else(tenant_is_gone)
}

/// The integrations of a limited key, as an array literal: arrays of different lengths do not fit into one array.
fn array_literal(ids: Option<&[Uuid]>) -> Option<String> {
    use std::fmt::Write as _;

    let ids = ids?;
    let mut literal = String::with_capacity(2 + ids.len() * 37);
    literal.push('{');
    for (index, id) in ids.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(literal, "{comma}{id}");
    }
    literal.push('}');
    Some(literal)
}

/// The code that an item was answered with.
fn code(row: &PgRow) -> Result<&str, Failure> {
    row.try_get::<&str, _>(0).map_err(unreadable)
}

/// An answer that is not as the function promises: what was done is unknown.
fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Broken(Error::internal(error))
}

/// A code that this version does not know.
fn unknown_code(code: &str) -> Failure {
    Failure::Broken(Error::internal(format!(
        "a function of the schema answered with the code {code}, which this version does not know"
    )))
}
