//! The Langdock dialect over HTTP, on a real Postgres: a story for each line of its contract.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod auth_setting;
mod bodies;
mod connections;
mod integrations;
mod oauth_client;
mod plan;
mod preconditions;
mod stories;
