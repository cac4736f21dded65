//! The store: its statements, its transactions under cancellation and contention, and what it destroys.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod cancellation;
mod contention;
mod deletion;
mod retirement;
mod revocation;
mod rows;
mod sealed_columns;
mod statements;
