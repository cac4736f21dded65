//! The Composio dialect over HTTP: what contract/composio says of auth configs, line by line.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod account_change;
mod account_change_arbitrary;
mod account_change_body;
mod account_change_races;
mod account_change_round;
mod account_changing;
mod account_create;
mod account_create_arbitrary;
mod account_create_fields;
mod account_create_flow;
mod account_create_input;
mod account_create_races;
mod account_create_refused;
mod account_delete;
mod account_inherit;
mod account_link;
mod account_list;
mod account_list_pages;
mod account_listing;
mod account_making;
mod account_numbers;
mod account_read;
mod account_sent_back;
mod account_status;
mod across;
mod auth_config_arbitrary;
mod auth_config_delete;
mod auth_config_faults;
mod auth_config_gone;
mod auth_config_races;
mod auth_config_status;
mod concurrency;
mod create;
mod envelopes;
mod list;
mod managed;
mod managed_across;
mod merge;
mod openapi;
mod read;
mod story;
mod toolkit;
mod toolkit_list;
mod update;
mod validation;
