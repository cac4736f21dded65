//! The wire types of this dialect, and nothing else knows them: requests are read from JSON member by member so that
//! every fault is named at once, responses are written from the domain's views.

mod answers;
mod auth_config;
mod auth_config_change;
pub(super) mod change_schema;
mod cursor;
mod input_fields;
mod new_auth_config;
mod query;
pub(super) mod schema;
mod settings;

pub(super) use answers::{AuthConfigPage, CreatedBody, Done};
pub(super) use auth_config::AuthConfigBody;
pub(super) use auth_config_change::AuthConfigChangeBody;
pub(super) use new_auth_config::NewAuthConfigBody;
pub(super) use query::AuthConfigsQuery;

#[cfg(test)]
mod tests;
