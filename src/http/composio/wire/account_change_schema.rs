//! The bodies of changes of a connected account as the OpenAPI document shows them; the readers decide what is taken.
#![expect(
    dead_code,
    reason = "these types are read by the OpenAPI generator only"
)]

use std::collections::HashMap;

use serde::Deserialize;
use utoipa::ToSchema;

/// The body of `PATCH /connected_accounts/{nanoid}`; what is left out is kept.
#[derive(Deserialize, ToSchema)]
pub(in super::super) struct PatchConnectedAccountsByNanoidRequest {
    /// What tells the account apart from the user's others with the toolkit, unique among them. The empty text clears it.
    #[schema(max_length = 255, required = false)]
    alias: String,
    #[schema(inline, required = false)]
    connection: ChangedConnection,
    /// Not stable: no account is shared, so none is given a list of who may use it; all else is ignored.
    #[schema(value_type = Object, required = false)]
    experimental: (),
}

/// What changes of a connection.
#[derive(Deserialize, ToSchema)]
struct ChangedConnection {
    #[schema(inline)]
    state: ChangedState,
}

/// Members of the credential.
#[derive(Deserialize, ToSchema)]
struct ChangedState {
    /// The auth config's scheme.
    #[serde(rename = "authScheme")]
    #[schema(example = "API_KEY")]
    auth_scheme: String,
    /// Merged key by key: a value sets, null removes, a value as a read shows it is left as it is.
    val: HashMap<String, Option<String>>,
}

/// The body of `PATCH /connected_accounts/{nanoid}/status`.
#[derive(Deserialize, ToSchema)]
pub(in super::super) struct PatchConnectedAccountsByNanoIdStatusRequest {
    /// Set to true to enable the account or false to disable it.
    enabled: bool,
}

/// The body of `POST /connected_accounts/{nanoid}/refresh`, which may be left out.
#[derive(Deserialize, ToSchema)]
pub(in super::super) struct PostConnectedAccountsByNanoidRefreshRequest {
    /// Where the browser goes in the end.
    #[schema(format = "uri", required = false)]
    redirect_url: String,
    /// Not implemented: a test of the credential.
    #[schema(default = false, required = false)]
    validate_credentials: bool,
}
