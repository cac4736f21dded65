//! The rules of the model: each written in one dialect and read in the others.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod accounts;
mod catalogue_names;
mod connections;
mod defaults;
mod deleted_configs;
mod gone;
mod limited_keys;
mod names;
mod schemes;
mod speak;
mod views;
