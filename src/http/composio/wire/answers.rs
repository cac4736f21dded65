//! What making, listing and changing auth configs answer.

use serde::Serialize;
use utoipa::ToSchema;

use super::auth_config::{self, AuthConfigBody};
use super::cursor;
use crate::domain::auth_config::{AuthConfigView, Page};
use crate::domain::ids::RevokeJobId;

/// A page of auth configs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GetAuthConfigsResponse)]
pub(in super::super) struct AuthConfigPage {
    /// The auth configs, newest first.
    items: Vec<AuthConfigBody>,
    /// Send it as `cursor` for the next page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// How many pages there are at this `limit`.
    total_pages: i64,
    /// The number of this page, from 1.
    current_page: u32,
    /// How many auth configs match.
    total_items: i64,
}

/// What making an auth config answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PostAuthConfigsResponse)]
pub(in super::super) struct CreatedBody {
    /// The service.
    toolkit: CreatedToolkit,
    /// The new auth config.
    auth_config: CreatedAuthConfig,
}

/// The service of a new auth config.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedToolkit {
    /// Its slug.
    slug: String,
}

/// A new auth config.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedAuthConfig {
    /// Its id.
    #[schema(example = "ac_V1StGXR8_Z5j")]
    id: String,
    /// How users authenticate.
    #[schema(example = "OAUTH2")]
    auth_scheme: &'static str,
    /// Whether the operator's app is used.
    is_composio_managed: bool,
    /// The tools that may be used.
    restrict_to_following_tools: Vec<String>,
}

/// What a change answers. Never empty: both Python SDKs raise on an empty body.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatchAuthConfigsByNanoidResponse)]
pub(in super::super) struct Done {
    /// Always true.
    success: bool,
    /// What was done.
    message: &'static str,
}

impl Done {
    /// The answer with this message.
    pub(in super::super) fn new(message: &'static str) -> Self {
        Self {
            success: true,
            message,
        }
    }
}

/// What a deletion answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeleteAuthConfigsByNanoidResponse)]
pub(in super::super) struct Deleted {
    /// Always true.
    success: bool,
    /// What was done.
    message: &'static str,
    /// What to name where revocation was asked for; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "pj_V1StGXR8_Z5j")]
    revoke_job_id: Option<String>,
}

impl Deleted {
    /// The answer, with the revocation that was asked for.
    pub(in super::super) fn new(revocation: Option<&RevokeJobId>) -> Self {
        Self {
            success: true,
            message: if revocation.is_some() {
                "Auth config deleted successfully. Its credentials are destroyed here; nothing is revoked at the provider"
            } else {
                "Auth config deleted successfully"
            },
            revoke_job_id: revocation.map(RevokeJobId::to_string),
        }
    }
}

impl From<AuthConfigView> for CreatedBody {
    fn from(view: AuthConfigView) -> Self {
        Self {
            toolkit: CreatedToolkit {
                slug: view.integration.toolkit_slug().to_owned(),
            },
            auth_config: CreatedAuthConfig {
                id: view.config.id.to_string(),
                auth_scheme: auth_config::shown(&view.config.scheme),
                is_composio_managed: view.config.managed,
                restrict_to_following_tools: view.config.tools.for_execution,
            },
        }
    }
}

impl AuthConfigPage {
    /// The page, of `limit` rows at most.
    pub(in super::super) fn new(page: Page<AuthConfigView>, limit: u32) -> Self {
        let limit = i64::from(limit.max(1));
        Self {
            next_cursor: page.next.as_ref().map(cursor::encode),
            total_pages: page
                .total
                .max(0)
                .unsigned_abs()
                .div_ceil(limit.unsigned_abs())
                .try_into()
                .unwrap_or(i64::MAX),
            current_page: page.number,
            total_items: page.total,
            items: page.items.into_iter().map(AuthConfigBody::from).collect(),
        }
    }
}
