//! The routes of the Composio dialect that are about connected accounts.

use http::Method;
use serde_json::json;

use super::{By, Example, example};

/// The routes that show them.
pub fn reading() -> Vec<Example> {
    vec![
        example(
            ("composio", Method::GET, "/connected_accounts"),
            "connections:read",
            By::Nothing,
            |named| {
                format!(
                    "/connected_accounts?toolkit_slugs={}&auth_config_ids={}&connected_account_ids={}&user_ids={}",
                    named.service, named.auth_config, named.account, named.user
                )
            },
            |_| None,
        ),
        example(
            ("composio", Method::GET, "/connected_accounts/{nanoid}"),
            "connections:read",
            By::Id,
            |named| format!("/connected_accounts/{}", named.account),
            |_| None,
        ),
    ]
}

/// The routes that make one. They name an auth config, in the body.
pub fn making() -> Vec<Example> {
    vec![
        example(
            ("composio", Method::POST, "/connected_accounts"),
            "connections:write",
            By::Id,
            |_| "/connected_accounts".to_owned(),
            |named| {
                let val = json!({"status": "ACTIVE", "generic_api_key": "k"});
                let state = json!({"authScheme": "API_KEY", "val": val});
                let connection = json!({"user_id": named.user, "state": state});
                Some(json!({"auth_config": {"id": named.auth_config}, "connection": connection}))
            },
        ),
        example(
            ("composio", Method::POST, "/connected_accounts/link"),
            "connections:write",
            By::Id,
            |_| "/connected_accounts/link".to_owned(),
            |named| {
                let data = json!({"generic_api_key": "k"});
                let (config, user) = (&named.auth_config, &named.user);
                Some(json!({"auth_config_id": config, "user_id": user, "connection_data": data}))
            },
        ),
    ]
}

/// The routes that change or end one.
pub(super) fn changing() -> Vec<Example> {
    vec![
        example(
            ("composio", Method::PATCH, "/connected_accounts/{nanoid}"),
            "connections:write",
            By::Id,
            |named| format!("/connected_accounts/{}", named.account),
            |_| {
                let state = json!({"authScheme": "API_KEY", "val": {"generic_api_key": "k"}});
                Some(json!({"alias": "mine", "connection": {"state": state}}))
            },
        ),
        example(
            (
                "composio",
                Method::PATCH,
                "/connected_accounts/{nanoid}/status",
            ),
            "connections:write",
            By::Id,
            |named| format!("/connected_accounts/{}/status", named.account),
            |_| Some(json!({"enabled": false})),
        ),
        example(
            (
                "composio",
                Method::POST,
                "/connected_accounts/{nanoid}/refresh",
            ),
            "connections:write",
            By::Id,
            |named| format!("/connected_accounts/{}/refresh", named.account),
            |_| None,
        ),
        example(
            (
                "composio",
                Method::POST,
                "/connected_accounts/{nanoid}/revoke",
            ),
            "connections:write",
            By::Id,
            |named| format!("/connected_accounts/{}/revoke", named.account),
            |_| None,
        ),
        example(
            ("composio", Method::DELETE, "/connected_accounts/{nanoid}"),
            "connections:write",
            By::Id,
            |named| {
                format!(
                    "/connected_accounts/{}?revoke_on_delete=true",
                    named.account
                )
            },
            |_| None,
        ),
    ]
}
