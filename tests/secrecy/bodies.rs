//! Every route that takes a body, with one that it takes.

use http::Method;
use serde_json::{Value, json};

use crate::common::client::{Client, Reply};
use crate::common::tenant::Tenant;

/// A route with a body.
#[derive(Clone)]
pub struct Route {
    pub name: &'static str,
    pub method: Method,
    pub path: String,
    pub body: Value,
    /// The members (as JSON pointers) under which every value is a secret.
    pub secrets: &'static [&'static str],
}

impl Route {
    pub fn client(&self, tenant: &Tenant) -> Client {
        match self.name.split(' ').next() {
            Some("composio") => tenant.composio(),
            Some("klavis") => tenant.klavis(),
            _ => tenant.langdock(),
        }
    }
}

/// What the routes name.
pub struct Targets {
    pub instance: String,
    pub config: String,
    pub account: String,
    pub integration: String,
    pub strata: String,
}

fn made(reply: Reply) -> Value {
    assert!((200..300).contains(&reply.status), "{}", reply.text);
    reply.json
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// An integration, an instance of it, an auth config and a connected account under that.
pub async fn targets(tenant: &Tenant) -> Targets {
    let integration = tenant
        .langdock()
        .post("/integrations/v1/create", json!({"name": "Acme"}))
        .await;
    let integration = made(integration)["integration"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/integrations/v1/{integration}/auth");
    made(
        tenant
            .langdock()
            .patch(&path, json!({"authType": "API_KEY"}))
            .await,
    );
    let body = json!({"serverName": "Acme", "userId": "u1"});
    let instance = made(
        tenant
            .klavis()
            .post("/mcp-server/instance/create", body)
            .await,
    );
    let body = json!({
        "toolkit": {"slug": "acme"},
        "auth_config": {"type": "use_custom_auth", "authScheme": "BASIC", "credentials": {}},
    });
    let config = made(tenant.composio().post("/api/v3/auth_configs", body).await);
    let config = text(&config["auth_config"]["id"]);
    let val = json!({"username": "u", "password": "p"});
    let body = json!({
        "auth_config": {"id": config},
        "connection": {"user_id": "u1", "state": {"authScheme": "BASIC", "val": val}},
    });
    let account = made(
        tenant
            .composio()
            .post("/api/v3/connected_accounts", body)
            .await,
    );
    let body = json!({"userId": "u1", "servers": ["Acme"]});
    let strata = made(
        tenant
            .klavis()
            .post("/mcp-server/strata/create", body)
            .await,
    );
    Targets {
        instance: text(&instance["instanceId"]),
        config,
        account: text(&account["id"]),
        integration,
        strata: text(&strata["strataId"]),
    }
}

impl Targets {
    /// The route of this name.
    pub fn route(&self, name: &str) -> Route {
        self.routes()
            .into_iter()
            .find(|route| route.name == name)
            .unwrap()
    }

    /// All routes with a body; a test of the OpenAPI documents holds the list whole.
    pub fn routes(&self) -> Vec<Route> {
        let settings = json!({
            "name": "Config", "credentials": {"generic_api_key": "k", "scopes": ["a"], "nested": {"x": ["y"]}},
            "shared_credentials": {"subdomain": "s"},
            "proxy_config": {"proxy_url": "https://proxy.example", "proxy_auth_key": "p"},
            "tool_access_config": {"tools_available_for_execution": ["T"]}, "is_enabled_for_tool_router": true,
        });
        let mut change = settings.clone();
        change["type"] = json!("custom");
        let mut config = settings;
        config["type"] = json!("use_custom_auth");
        config["authScheme"] = json!("API_KEY");
        let field = json!({"slug": "key", "label": "Key", "type": "PASSWORD", "required": false});
        let client = json!({
            "clientId": "c", "clientSecret": "s", "authUrl": "https://idp.example/a", "tokenUrl": "https://idp.example/t",
            "scopes": "a b", "label": "Connect", "authorizationCode": "return 1;",
        });
        let others = vec![
            Route {
                name: "composio create",
                method: Method::POST,
                path: "/api/v3.1/auth_configs".to_owned(),
                body: json!({"toolkit": {"slug": "acme"}, "auth_config": config}),
                secrets: &[
                    "/auth_config/credentials",
                    "/auth_config/shared_credentials",
                    "/auth_config/proxy_config/proxy_auth_key",
                ],
            },
            Route {
                name: "composio update",
                method: Method::PATCH,
                path: format!("/api/v3/auth_configs/{}", self.config),
                body: change,
                secrets: &[
                    "/credentials",
                    "/shared_credentials",
                    "/proxy_config/proxy_auth_key",
                ],
            },
            Route {
                name: "langdock create",
                method: Method::POST,
                path: "/integrations/v1/create".to_owned(),
                body: json!({"name": "Acme", "description": "A service"}),
                secrets: &[],
            },
            Route {
                name: "langdock auth",
                method: Method::PATCH,
                path: format!("/integrations/v1/{}/auth", self.integration),
                body: json!({"authType": "OAUTH", "authFields": [field], "authTestCode": "return;", "oauthClient": client}),
                secrets: &[
                    "/oauthClient/clientId",
                    "/oauthClient/clientSecret",
                    "/oauthClient/authUrl",
                    "/oauthClient/tokenUrl",
                ],
            },
        ];
        let mut routes = self.klavis();
        routes.extend(self.accounts());
        routes.extend(others);
        routes
    }

    /// Composio's connected accounts.
    fn accounts(&self) -> Vec<Route> {
        let val = json!({"username": "u", "password": "p", "nested": {"x": ["y", 1]}});
        let state = json!({"authScheme": "BASIC", "val": val});
        let account = format!("/api/v3.1/connected_accounts/{}", self.account);
        vec![
            Route {
                name: "composio account",
                method: Method::POST,
                path: "/api/v3/connected_accounts".to_owned(),
                body: json!({
                    "auth_config": {"id": self.config},
                    "connection": {
                        "user_id": "u6", "state": state, "data": {"token": "t"}, "callback_url": "https://app.example/",
                    },
                }),
                secrets: &["/connection/state/val", "/connection/data"],
            },
            Route {
                name: "composio link",
                method: Method::POST,
                path: "/api/v3.1/connected_accounts/link".to_owned(),
                body: json!({
                    "auth_config_id": self.config, "user_id": "u6", "callback_url": "https://app.example/?a=b",
                    "connection_data": {"username": "u", "nested": {"x": ["y"]}},
                }),
                secrets: &["/connection_data"],
            },
            Route {
                name: "composio account change",
                method: Method::PATCH,
                path: account.clone(),
                body: json!({"alias": "work", "connection": {"state": {"authScheme": "BASIC", "val": {"username": "v", "note": "n"}}}}),
                secrets: &["/connection/state/val"],
            },
            Route {
                name: "composio account status",
                method: Method::PATCH,
                path: format!("{account}/status"),
                body: json!({"enabled": true}),
                secrets: &[],
            },
            Route {
                name: "composio account refresh",
                method: Method::POST,
                path: format!("{account}/refresh"),
                body: json!({"redirect_url": "https://app.example/"}),
                secrets: &[],
            },
        ]
    }

    fn klavis(&self) -> Vec<Route> {
        let external = json!({
            "name": "wiki", "url": "https://mcp.example", "headers": {"Authorization": "Bearer b", "X-Empty": null},
        });
        vec![
            Route {
                name: "klavis create",
                method: Method::POST,
                path: "/mcp-server/instance/create".to_owned(),
                body: json!({"serverName": "Acme", "userId": "u2", "platformName": "web", "legacy": false, "isReadOnly": true}),
                secrets: &[],
            },
            Route {
                name: "klavis self-hosted",
                method: Method::POST,
                path: "/mcp-server/self-hosted/instance/create".to_owned(),
                body: json!({"serverName": "Acme", "userId": "u3"}),
                secrets: &[],
            },
            Route {
                name: "klavis change",
                method: Method::PATCH,
                path: format!("/mcp-server/instance/{}", self.instance),
                body: json!({"isReadOnly": true}),
                secrets: &[],
            },
            Route {
                name: "klavis set-auth",
                method: Method::POST,
                path: "/mcp-server/instance/set-auth".to_owned(),
                body: json!({"instanceId": self.instance, "authData": {"data": {"a": "b", "nested": {"x": [1, "y"]}}}}),
                secrets: &["/authData"],
            },
            Route {
                name: "klavis white label",
                method: Method::POST,
                path: "/white-labeling/create".to_owned(),
                body: json!({"client_id": "c", "client_secret": "s", "server_name": "Acme", "callback_url": "https://app.example", "account_id": "a"}),
                secrets: &["/client_secret"],
            },
            Route {
                name: "klavis strata create",
                method: Method::POST,
                path: "/mcp-server/strata/create".to_owned(),
                body: json!({"userId": "u4", "servers": ["Acme"], "externalServers": [external.clone()], "enableAuthHandling": true}),
                secrets: &["/externalServers/0/headers"],
            },
            Route {
                name: "klavis strata add",
                method: Method::POST,
                path: "/mcp-server/strata/add".to_owned(),
                body: json!({"strataId": self.strata, "servers": ["Acme"], "externalServers": [external]}),
                secrets: &["/externalServers/0/headers"],
            },
            Route {
                name: "klavis strata set-auth",
                method: Method::POST,
                path: "/mcp-server/strata/set-auth".to_owned(),
                body: json!({"strataId": self.strata, "serverName": "Acme", "authData": {"data": {"a": "b", "nested": {"x": [1, "y"]}}}}),
                secrets: &["/authData"],
            },
            Route {
                name: "klavis user set-auth",
                method: Method::POST,
                path: "/user/set-auth".to_owned(),
                body: json!({"userId": "u5", "serverName": "Acme", "authData": {"data": {"a": "b", "nested": {"x": [1, "y"]}}}}),
                secrets: &["/authData"],
            },
        ]
    }
}

#[tokio::test]
async fn every_route_with_a_body_is_in_the_list() {
    let app = crate::common::TestApp::start().await;
    let routes = targets(&app.tenant("alice").await).await.routes();
    let mut with_body = 0;
    for dialect in keyway::http::DIALECTS {
        let document = serde_json::to_value(keyway::http::openapi(dialect)).unwrap();
        for (_, item) in document["paths"].as_object().unwrap() {
            let operations = item.as_object().unwrap().values();
            with_body += operations
                .filter(|operation| operation["requestBody"].is_object())
                .count();
        }
    }
    assert_eq!(routes.len(), with_body, "add the new route to the list");
}
