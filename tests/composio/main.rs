//! The Composio dialect over HTTP: what contract/composio says of auth configs, line by line.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod across;
mod concurrency;
mod create;
mod list;
mod merge;
mod openapi;
mod read;
mod story;
mod update;
mod validation;
