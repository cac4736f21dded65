//! Klavis' wire types that more than one operation uses, and pydantic's rules for reading them.

mod auth_body;
mod auth_data;
mod instance_id;
mod read;
mod status;

pub(super) use auth_body::parse as parse_auth_body;
pub(super) use auth_data::{ApiKeyAuth, AuthData, GeneralAuth, auth_data_schema};
pub(super) use instance_id::{InstanceId, instance_named};
pub(super) use read::{boolean, model, null_or, one_of, service_name, text, text_of_one};
pub(super) use status::StatusResponse;
