//! The hot paths over HTTP and at the functions of the schema: what many at once get, what happens where a row is
//! locked, a commit fails or a connection breaks, and that the fast way does what the slow one does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod arrange;
mod batches;
mod broken;
mod busy;
mod commit;
mod config_changes;
mod fast_and_slow;
mod plural;
mod plural_items;
mod stale;
mod takeover;
