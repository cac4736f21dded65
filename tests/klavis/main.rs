//! The Klavis dialect over HTTP, on a real Postgres: the recorded cases, then a story for each line of the contract.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod credentials;
mod declared_fields;
mod deletion;
mod instance_changes;
mod instances;
mod paths;
mod recorded;
mod servers;
mod stories;
mod strata;
mod strata_access;
mod strata_arbitrary;
mod strata_audit;
mod strata_auth;
mod strata_bodies;
mod strata_limited;
mod strata_pages;
mod user_auth;
mod user_auth_refused;
mod user_pages;
mod user_races;
mod users;
mod white_label;
mod white_label_access;
mod white_label_found;
mod white_label_input;
