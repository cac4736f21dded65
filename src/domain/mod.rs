//! The rules of the house, in one place: a dialect words them, the store keeps them. Knows no axum and no sqlx.

pub mod auth_config;
mod auth_config_creation;
mod auth_config_update;
mod auth_configs;
mod auth_rules;
pub mod auth_setting;
pub mod caller;
pub mod catalogue;
mod cell_rules;
mod cells;
pub mod connection;
mod connection_credential;
mod connections;
pub mod credential;
pub mod declared_field;
mod declared_rules;
pub mod error;
pub mod ids;
pub mod integration;
mod integration_auth;
mod integration_auth_change;
mod integrations;
pub mod issue;
pub mod limits;
mod oauth_client;
pub mod page;
pub mod patch;
mod resolve;
pub mod rotation;
pub mod scheme;
mod service;
pub mod tenants;

pub use caller::{Caller, Scope};
pub use error::Error;
pub use service::{AuditReads, Service, Settings};
