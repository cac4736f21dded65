//! What the OpenAPI document says apart from the routes.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::error::ErrorResponse;
use super::validation::{HttpValidationError, ValidationError};
use super::wire::{ApiKeyAuth, GeneralAuth};

/// Title, server, tag, security scheme, and the schemas that only other schemas name.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keyway: the Klavis dialect",
        description = "Instances of MCP servers and their credentials, as Klavis' published clients ask for them.",
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "mcp-server", description = "Instances of MCP servers and their authentication"),
        (name = "user", description = "Users, and their credentials by the server's name"),
        (name = "white-labeling", description = "OAuth clients of your own"),
        (name = "oauth", description = "The user's agreement at the provider")
    ),
    components(schemas(
        ApiKeyAuth,
        GeneralAuth,
        ErrorResponse,
        HttpValidationError,
        ValidationError
    )),
    modifiers(&BearerKey),
)]
struct Document;

/// Adds the security scheme under the name that the operations give it.
struct BearerKey;

impl Modify for BearerKey {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key of the tenant."))
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("HTTPBearer", SecurityScheme::Http(scheme));
    }
}

/// The document without its paths.
pub(super) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
