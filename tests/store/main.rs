//! The store: its statements, its transactions under cancellation and contention, and what it destroys.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod audit_reads;
mod auth_config_deletion;
mod cancellation;
mod contention;
mod deletion;
mod plans;
mod retirement;
mod revocation;
mod rotation;
mod rotation_kept;
mod rows;
mod sealed_columns;
mod statements;
mod strata;
mod user_deletion;
