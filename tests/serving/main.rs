//! What the server does whatever the dialect: failures in each dialect's words, bounds, ids, probes, references, and
//! a database that goes away and comes back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod bodies;
mod database;
mod layers;
mod metrics;
mod protocols;
mod rate_limit_answers;
mod rate_limits;
mod references;
mod routes;
mod secrecy;
