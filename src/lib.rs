//! Keyway: a self-hosted, multi-tenant auth-config service. One domain layer on one Postgres, spoken to in several
//! wire dialects.

pub mod bench;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod http;
pub mod json;
pub mod store;
pub mod telemetry;
