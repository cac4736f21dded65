//! Torture: the built server under faults, and a ledger of every acknowledged write that finds out what was lost.
//!
//! `cargo nextest run --test torture` runs a short form; `make torture` (`KEYWAY_TORTURE=full`, one test at a time) the
//! full one, which writes `bench/torture.json` and `bench/torture.md`. The program is `target/release/keyway`, or the one
//! that `KEYWAY_TORTURE_BINARY` names.
//!
//! A fault is one test:
//! 1. [`server::Home::embedded`] or [`server::Home::external`] (a [`postgres::Postgres`] with fsync on, to stop, kill and
//!    freeze), then [`server::Home::serve`], as often as needed; a [`server::Server`] is killed or stopped.
//! 2. [`world::World::seed`] makes tenants, connections, auth configs and settings, each holding an acknowledged number.
//! 3. [`load::Load::start`] sets clients to work against [`client::Targets`], which the fault points at the servers of
//!    the moment; [`load::Load::stop`] ends them and returns every exchange with its time.
//! 4. [`verify::values`] compares what has changed, as often as wished, on a **fresh** server with the load stopped
//!    (after [`server::Home::quiet`]); [`verify::everything`] compares all, creations and audit rows included, at the end.
//! 5. [`report::Report`] times it; `finish` tells the line and fails unless lost, phantom, torn, audit and wrong are 0.
//!
//! Every write carries a number that nothing else writes, in all parts that must move together ([`requests`]), and a
//! request id of its own, by which its audit row is found. [`history`] is the judgement; `history_tests` and
//! `ledger_tests` show that it can fail. Counts come from [`scale::of`].
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod away;
mod backends;
mod client;
mod clocks;
mod contention;
mod disconnects;
mod disk;
mod frozen;
#[cfg(target_os = "linux")]
mod guards;
mod history;
mod history_tests;
mod kills;
mod ledger;
mod ledger_tests;
mod load;
mod outages;
mod postgres;
mod probe;
mod report;
mod requests;
mod retrying;
mod rolling;
mod rotation;
mod sabotage;
mod scale;
mod server;
mod slow;
mod verify;
mod wire;
mod world;
