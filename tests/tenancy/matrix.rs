//! Every route of every dialect with one example request, which a route must have: see [`examples`].

mod composio_accounts;
mod klavis;
mod toolkits;

use std::collections::BTreeSet;

use http::Method;
use keyway::http::{DIALECTS, Dialect, dialect_named, openapi};
use serde_json::{Value, json};

use crate::common::client::{Client, Reply};
use crate::common::tenant::Tenant;
use crate::world::Named;

/// How a request names what it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// By an id: 404 where the caller has no such thing.
    Id,
    /// By a service's name: refused where the caller knows no such service.
    Service,
    /// Not at all: it lists, or makes something new.
    Nothing,
}

/// The scope of a route that needs none.
pub const ANY_KEY: &str = "any";

/// One route with a request that succeeds for the tenant whose things it names.
pub struct Example {
    pub dialect: &'static str,
    pub method: Method,
    /// As in the OpenAPI document.
    pub path: &'static str,
    /// The scope that the route needs; [`ANY_KEY`] where every live key may.
    pub scope: &'static str,
    pub by: By,
    /// The path without the prefix.
    at: fn(&Named) -> String,
    body: fn(&Named) -> Option<Value>,
}

impl Example {
    /// Asks, under one of the dialect's prefixes.
    pub async fn ask(&self, client: &Client, prefix: &str, named: &Named) -> Reply {
        let path = format!("{prefix}{}", (self.at)(named));
        let request = client
            .request(self.method.clone(), &path)
            .header("x-request-id", "0123456789abcdef0123456789abcdef");
        match (self.body)(named) {
            Some(body) => request.json(body).send().await,
            None => request.send().await,
        }
    }

    /// Where the route is.
    pub fn prefixes(&self) -> &'static [&'static str] {
        if self.path.ends_with("/revoke") {
            return &["/api/v3.1"];
        }
        dialect_named(self.dialect).unwrap().prefixes
    }

    /// What the one who may gets: there is nothing to refresh yet.
    pub fn succeeds(&self, reply: &Reply) -> bool {
        reply.status < 300 || self.path.ends_with("/refresh") && reply.status == 409
    }

    /// The client of the example's dialect.
    pub fn client(&self, tenant: &Tenant) -> Client {
        match self.dialect {
            "klavis" => tenant.klavis(),
            "composio" => tenant.composio(),
            _ => tenant.langdock(),
        }
    }

    /// A key that may, and may no more than it must.
    pub async fn least(&self, tenant: &Tenant) -> Tenant {
        let scope = if self.scope == ANY_KEY {
            "tenant:admin"
        } else {
            self.scope
        };
        tenant.with_scopes(&[scope]).await
    }

    pub fn title(&self) -> String {
        format!("{} {} {}", self.dialect, self.method, self.path)
    }
}

fn example(
    (dialect, method, path): (&'static str, Method, &'static str),
    scope: &'static str,
    by: By,
    at: fn(&Named) -> String,
    body: fn(&Named) -> Option<Value>,
) -> Example {
    Example {
        dialect,
        method,
        path,
        scope,
        by,
        at,
        body,
    }
}

/// The routes that need no key: they answer everyone alike, whatever is named.
pub fn keyless() -> Vec<Example> {
    vec![example(
        ("klavis", Method::GET, "/oauth/{server}/authorize"),
        ANY_KEY,
        By::Nothing,
        |named| {
            format!(
                "/oauth/{}/authorize?instance_id={}",
                named.service, named.instance
            )
        },
        |_| None,
    )]
}

/// The example of every route that needs a key. A route that is added without one fails [`every_route_has_an_example`].
pub fn examples() -> Vec<Example> {
    [
        klavis::all(),
        composio(),
        // Before an example that makes an integration of the name.
        toolkits::all(),
        langdock(),
        composio_accounts::reading(),
        composio_accounts::making(),
        composio_accounts::changing(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn composio() -> Vec<Example> {
    vec![
        example(
            ("composio", Method::GET, "/auth_configs"),
            "auth_configs:read",
            By::Nothing,
            |named| format!("/auth_configs?toolkit_slug={}", named.service),
            |_| None,
        ),
        example(
            ("composio", Method::POST, "/auth_configs"),
            "auth_configs:write",
            By::Service,
            |_| "/auth_configs".to_owned(),
            |named| {
                let config =
                    json!({"type": "use_custom_auth", "authScheme": "BASIC", "credentials": {}});
                Some(json!({"toolkit": {"slug": named.service}, "auth_config": config}))
            },
        ),
        example(
            ("composio", Method::GET, "/auth_configs/{nanoid}"),
            "auth_configs:read",
            By::Id,
            |named| format!("/auth_configs/{}", named.auth_config),
            |_| None,
        ),
        example(
            ("composio", Method::PATCH, "/auth_configs/{nanoid}"),
            "auth_configs:write",
            By::Id,
            |named| format!("/auth_configs/{}", named.auth_config),
            |_| {
                Some(
                    json!({"type": "custom", "name": "changed", "credentials": {"generic_api_key": "k"}}),
                )
            },
        ),
        example(
            ("composio", Method::PATCH, "/auth_configs/{nanoid}/{status}"),
            "auth_configs:write",
            By::Id,
            |named| format!("/auth_configs/{}/DISABLED", named.auth_config),
            |_| None,
        ),
        example(
            ("composio", Method::DELETE, "/auth_configs/{nanoid}"),
            "auth_configs:write",
            By::Id,
            |named| format!("/auth_configs/{}?revoke_on_delete=true", named.auth_config),
            |_| None,
        ),
    ]
}

fn langdock() -> Vec<Example> {
    vec![
        example(
            ("langdock", Method::POST, "/create"),
            "INTEGRATION_API",
            By::Nothing,
            |_| "/create".to_owned(),
            |named| Some(json!({"name": named.service})),
        ),
        example(
            ("langdock", Method::GET, "/{integrationId}"),
            "INTEGRATION_API",
            By::Id,
            |named| format!("/{}", named.integration),
            |_| None,
        ),
        example(
            ("langdock", Method::PATCH, "/{integrationId}/auth"),
            "INTEGRATION_API",
            By::Id,
            |named| format!("/{}/auth", named.integration),
            |_| Some(json!({"authType": "API_KEY"})),
        ),
    ]
}

fn routes(dialect: &Dialect) -> Vec<String> {
    let document = serde_json::to_value(openapi(dialect)).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let titles = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.filter_map(move |name| {
            let method: Method = name.to_uppercase().parse().ok()?;
            let known = ["GET", "PUT", "POST", "DELETE", "PATCH"].contains(&method.as_str());
            known.then(|| format!("{} {method} {path}", dialect.name))
        })
    });
    titles.collect()
}

#[test]
fn every_route_has_an_example() {
    let routed: BTreeSet<_> = DIALECTS.into_iter().flat_map(routes).collect();
    let shown: BTreeSet<_> = [examples(), keyless()]
        .iter()
        .flatten()
        .map(Example::title)
        .collect();
    assert!(
        routed.len() >= 12,
        "the documents name too few routes: {routed:?}"
    );
    assert_eq!(
        routed, shown,
        "routes (left) and examples (right) must be the same"
    );
}
