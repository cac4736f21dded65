//! Klavis' wire types that more than one operation uses, and pydantic's rules for reading them.

mod auth_body;
mod auth_data;
mod auth_faults;
mod instance_id;
mod names;
pub(super) mod query;
mod read;
mod services;
mod status;
mod strata;
mod white_label;

pub(super) use auth_body::parse as parse_auth_body;
pub(super) use auth_data::{ApiKeyAuth, AuthData, GeneralAuth, auth_data_schema};
pub(super) use auth_faults::{in_auth_body, in_path};
pub(super) use instance_id::{InstanceId, instance_named};
pub(super) use names::{Named, Names};
pub(super) use read::{
    any_text_of_one, boolean, model, null_or, one_of, service_name, text, user_id,
};
pub(super) use services::{
    at_body_names, at_query_names, klavis_names, services_in_query, services_schema,
};
pub(super) use status::StatusResponse;
pub(super) use strata::{
    ExternalServerInfo, ExternalServerRequest, NOT_IN_STRATA, additions, api_key_urls, strata_named,
};
pub(super) use white_label::WhiteLabelingResponse;
