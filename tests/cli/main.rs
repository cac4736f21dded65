//! The program itself as a child process: starting, stopping, its commands, what it refuses, and what survives when
//! it is killed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod backup;
mod bench;
mod commands;
mod disk;
mod doctor;
mod external;
mod external_roles;
mod keys;
mod killed;
mod metrics;
mod place;
mod program;
mod root_key;
mod rotation;
mod rotation_killed;
mod secrets;
mod settings;
mod start;
mod stop;
