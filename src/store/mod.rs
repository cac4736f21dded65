//! Postgres: transactions, rows, and the embedded server that runs where no other is named.
//!
//! Free functions on [`TenantTx`]; each changes rows of its own table family and nothing else. The pool is private to
//! [`Db`], so that no statement runs outside a role.

pub mod account_list;
pub mod account_parts;
pub mod api_keys;
pub mod audit;
pub mod auth_config_deletion;
pub mod auth_config_list;
pub mod auth_configs;
mod coalesce;
pub mod config_change;
pub mod connections;
mod db;
pub mod embedded;
mod error;
pub mod health;
pub mod hot;
pub mod integrations;
pub mod keys;
pub mod links;
pub mod provision;
pub mod retirement;
pub mod rotation;
pub mod schema_check;
pub mod sealed_columns;
pub mod secrets;
pub mod strata;
pub mod tenants;
mod transaction;
pub mod unlock;
pub mod users;
pub mod white_labels;

pub use db::{Access, DISK_FLOOR, Db, DbGauges};
pub use error::begin_anew;
pub use transaction::{ServerTx, TenantTx};
