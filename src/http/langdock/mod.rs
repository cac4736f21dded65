//! The Langdock dialect: integrations and their auth setting (contract/langdock; the published Integrations API).

mod admission;
mod auth_request;
mod create_integration;
mod default_codes;
mod error;
mod failures;
mod get_integration;
mod issue_words;
mod names;
mod rate_limit;
mod update_auth_configuration;
mod wire;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::dialect::Dialect;
use crate::domain::Service;

/// Langdock's wire API. Dedicated deployments use the second prefix.
pub(super) const DIALECT: Dialect = Dialect {
    name: "langdock",
    prefixes: &["/integrations/v1", "/api/public/integrations/v1"],
    routes,
    document: Document::openapi,
    api_key: admission::api_key,
    admit: admission::refuse_browsers,
    hides: |_| false,
    head: true,
    refuses_encoded: true,
    render: error::render,
};

fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(create_integration::handler))
        .routes(routes!(get_integration::handler))
        .routes(routes!(update_auth_configuration::handler))
}

/// What the document says apart from the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keyway: Langdock dialect",
        version = "1",
        description = "Integrations and how users connect to them, as Langdock's Integrations API has it. Text \
            lengths are counted in UTF-16 units. Requests from browsers are refused.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(error::ErrorResponse, error::InsufficientScopes)),
    security(("bearerAuth" = [])),
    modifiers(&BearerAuth),
    tags((name = "Integrations", description = "Third-party services and their auth settings"))
)]
struct Document;

struct BearerAuth;

impl Modify for BearerAuth {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An API key of the tenant with the scope INTEGRATION_API",
            ));
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearerAuth", SecurityScheme::Http(scheme.build()));
    }
}
