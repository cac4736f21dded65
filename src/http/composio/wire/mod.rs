//! The wire types of this dialect, and nothing else knows them: requests are read from JSON member by member so that
//! every fault is named at once, responses are written from the domain's views.

mod account;
pub(super) mod account_answers;
mod account_change;
pub(super) mod account_change_schema;
mod account_cursor;
mod account_members;
mod account_state;
mod accounts_query;
mod answers;
mod auth_config;
mod auth_config_change;
pub(super) mod change_schema;
mod created_account;
mod cursor;
mod input_fields;
pub(super) mod new_account_schema;
mod new_auth_config;
mod new_connected_account;
mod new_link;
mod query;
mod revoke_query;
pub(super) mod schema;
mod settings;
mod toolkit;
mod toolkit_cursor;
mod toolkit_detail;
mod toolkits_query;

pub(super) use account::{AccountBody, AccountPageBody};
pub(super) use account_answers::RevokedAccount;
pub(super) use account_change::{AccountChangeBody, RefreshBody, RefreshQuery, SwitchBody, VAL};
pub(super) use accounts_query::{AccountsParameters, AccountsQuery};
pub(super) use answers::{AuthConfigPage, CreatedBody, Deleted, Done};
pub(super) use auth_config::AuthConfigBody;
pub(super) use auth_config_change::{AuthConfigChangeBody, WRAPPER};
pub(super) use created_account::{CreatedAccountBody, CreatedLinkBody};
pub(super) use new_auth_config::NewAuthConfigBody;
pub(super) use new_connected_account::NewAccountBody;
pub(super) use new_link::NewLinkBody;
pub(super) use query::AuthConfigsQuery;
pub(super) use revoke_query::RevokeQuery;
pub(super) use toolkit::{CategoriesBody, ToolkitPageBody};
pub(super) use toolkit_detail::ToolkitBody;
pub(super) use toolkits_query::{ToolkitQuery, ToolkitsParameters, ToolkitsQuery};

#[cfg(test)]
mod tests;
