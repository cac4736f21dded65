//! The answer of the operations on OAuth clients.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use crate::domain::white_label::{EmptyMembers, WhiteLabel};

/// An OAuth client of yours.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "WhiteLabelingResponse")]
pub(in crate::http::klavis) struct WhiteLabelingResponse {
    /// Whether it was done.
    success: bool,
    /// The client, without its secret.
    #[schema(value_type = Option<Object>)]
    data: Option<WhiteLabelData>,
    /// Why it was not done.
    message: Option<&'static str>,
}

/// What is shown of an OAuth client.
#[derive(Debug, Serialize)]
struct WhiteLabelData {
    client_id: String,
    server_name: String,
    callback_url: Option<String>,
    account_id: Option<String>,
    created_at: String,
    updated_at: String,
}

impl From<WhiteLabel> for WhiteLabelingResponse {
    fn from(label: WhiteLabel) -> Self {
        let client = label.config.oauth_client.unwrap_or_default();
        Self {
            success: true,
            data: Some(WhiteLabelData {
                client_id: label.client_id,
                server_name: label.integration.klavis_name().to_owned(),
                callback_url: client.callback_url,
                account_id: client.account_id,
                created_at: text(label.config.created_at),
                updated_at: text(label.config.updated_at),
            }),
            message: None,
        }
    }
}

impl From<EmptyMembers> for WhiteLabelingResponse {
    fn from(empty: EmptyMembers) -> Self {
        let message = match empty {
            EmptyMembers::ClientId => "client_id is empty: nothing was saved",
            EmptyMembers::ClientSecret => "client_secret is empty: nothing was saved",
            EmptyMembers::Both => "client_id and client_secret are empty: nothing was saved",
        };
        Self {
            success: false,
            data: None,
            message: Some(message),
        }
    }
}

fn text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
