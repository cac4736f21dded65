//! Secrets stay secret: in answers, logs and dumps, whatever is sent where; and what is sent never breaks the server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod arbitrary;
mod bodies;
mod dump;
mod everywhere;
mod misplaced;
mod mutation;
mod near_json;
mod set_auth;
