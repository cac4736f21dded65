//! Tenants are isolated: over every route, and in the database underneath, whatever a query forgets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod calls;
mod catalogue;
mod functions;
mod isolation;
mod matrix;
mod refusals;
mod schema;
mod statements;
mod world;
