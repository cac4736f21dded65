//! The bodies that make connected accounts, as the OpenAPI document shows them.
#![expect(
    dead_code,
    reason = "these types are read by the OpenAPI generator only"
)]

use std::collections::HashMap;

use serde::Deserialize;
use utoipa::ToSchema;

use super::schema::AuthScheme;

/// The body of `POST /connected_accounts`.
#[derive(Deserialize, ToSchema)]
pub(in super::super) struct PostConnectedAccountsRequest {
    auth_config: AuthConfigChoice,
    connection: NewConnection,
    /// Asking the provider whether the credential is good comes later: true is refused with 501.
    #[schema(default = false, required = false)]
    validate_credentials: bool,
}

/// An auth config.
#[derive(Deserialize, ToSchema)]
struct AuthConfigChoice {
    /// Its id.
    #[schema(example = "ac_1a2b3c4d5e6f")]
    id: String,
}

/// What is connected.
#[derive(Deserialize, ToSchema)]
struct NewConnection {
    #[schema(required = false)]
    state: NewState,
    /// The members of `state.val`, which win. Use `state`.
    #[schema(deprecated, required = false)]
    data: HashMap<String, serde_json::Value>,
    /// Whose it is.
    #[schema(
        default = "default",
        min_length = 1,
        max_length = 2048,
        required = false
    )]
    user_id: String,
    /// Where the browser goes once the user has connected: https, or http to this very machine.
    #[schema(format = "uri", max_length = 2048, required = false)]
    callback_url: String,
    /// The same. Use `callback_url`, which wins.
    #[schema(format = "uri", max_length = 2048, deprecated, required = false)]
    redirect_uri: String,
    /// What tells it apart from the user's others of the toolkit.
    #[schema(min_length = 1, max_length = 255, required = false)]
    alias: String,
}

/// The credential.
#[derive(Deserialize, ToSchema)]
struct NewState {
    /// The auth config's scheme.
    #[serde(rename = "authScheme")]
    #[schema(required = false)]
    auth_scheme: AuthScheme,
    /// The members of the credential, and `status` (INITIALIZING, INITIATED or ACTIVE).
    #[schema(required = false)]
    val: HashMap<String, serde_json::Value>,
}

/// The body of `POST /connected_accounts/link`.
#[derive(Deserialize, ToSchema)]
pub(in super::super) struct PostConnectedAccountsLinkRequest {
    /// The auth config.
    #[schema(example = "ac_1a2b3c4d5e6f")]
    auth_config_id: String,
    /// Whose the connection is.
    #[schema(min_length = 1, max_length = 2048)]
    user_id: String,
    /// Where the browser goes once the user has connected: https, or http to this very machine.
    #[schema(format = "uri", max_length = 2048, required = false)]
    callback_url: String,
    /// Members of the credential that the user need not give.
    #[schema(required = false)]
    connection_data: HashMap<String, serde_json::Value>,
    /// What tells it apart from the user's others of the toolkit.
    #[schema(min_length = 1, max_length = 255, required = false)]
    alias: String,
}
