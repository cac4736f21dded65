//! The contract of the lane, held against a link in memory that keeps a record of every call.

mod model;
mod outage;
mod schedules;
mod stories;

use std::time::Duration;

use super::{Lane, Limits};
use crate::domain::Error;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Runs `story` on one thread in virtual time: sleeping costs nothing and every order of events is the same each time.
fn in_virtual_time<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(story)
}

/// The text of a 503 that asks to come again after a second, or of an internal error.
fn reason(error: &Error) -> String {
    match error {
        Error::Unavailable {
            reason,
            retry_after,
        } => {
            assert_eq!(*retry_after, ms(1_000));
            reason.to_string()
        }
        Error::Internal(cause) => format!("internal: {cause}"),
        other => panic!("{other:?}"),
    }
}
