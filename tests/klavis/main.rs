//! The Klavis dialect over HTTP, on a real Postgres: the recorded cases, then a story for each line of the contract.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod credentials;
mod declared_fields;
mod instances;
mod recorded;
mod stories;
