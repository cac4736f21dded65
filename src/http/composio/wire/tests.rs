//! The readers take any JSON, name every fault and repeat no value.

use proptest::prelude::*;

use super::super::wording;
use super::*;
use crate::domain::Error;
use crate::domain::auth_config::{AuthConfigChange, NewAuthConfig};
use crate::domain::error::Issue;
use crate::domain::patch::Patch;
use crate::domain::scheme::Scheme;
use crate::http::extract::{FromJson as _, FromQuery as _};
use crate::json::Json;

/// Stands in every string value of a generated body; no answer may hold it.
const CANARY: &str = "sk-canary";

fn parse(text: &str) -> Json {
    Json::parse(text.as_bytes()).unwrap()
}

fn lines(issues: &[Issue]) -> Vec<String> {
    issues
        .iter()
        .map(|issue| wording::line("payload", issue))
        .collect()
}

fn change(text: &str) -> Result<AuthConfigChange, Vec<String>> {
    change_of(text, false)
}

fn change_of(text: &str, managed: bool) -> Result<AuthConfigChange, Vec<String>> {
    let body = AuthConfigChangeBody::from_json(parse(text)).unwrap();
    body.read(managed, None).map_err(|error| match error {
        Error::Invalid(issues) => lines(&issues),
        other => panic!("{other}"),
    })
}

fn new(text: &str) -> Result<NewAuthConfig, Vec<String>> {
    NewAuthConfigBody::from_json(parse(text))
        .map(|body| body.0)
        .map_err(|issues| lines(&issues))
}

fn query(text: &str) -> Result<AuthConfigsQuery, Vec<String>> {
    let pairs: Vec<_> = url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect();
    AuthConfigsQuery::from_pairs(&pairs).map_err(|issues| {
        issues
            .iter()
            .map(|issue| wording::line("query", issue))
            .collect()
    })
}

#[test]
fn the_published_example_is_a_change_of_the_stored_kind() {
    let example = r#"{"auth_config":{"credentials":{"api_key":"YOUR_NEW_API_KEY","client_secret":
        "YOUR_NEW_CLIENT_SECRET"},"restrict_to_following_tools":["tool1","tool2"]}}"#;
    let change = change(example).unwrap();
    assert_eq!(change.managed, None);
    assert_eq!(
        change.settings.credentials.keys().collect::<Vec<_>>(),
        ["api_key", "client_secret"]
    );
    assert_eq!(
        change.settings.tools.for_execution,
        Some(vec!["tool1".to_owned(), "tool2".to_owned()])
    );
    assert_eq!(
        change_of(example, true).unwrap_err(),
        ["Error in payload.auth_config.credentials: Unrecognized key"]
    );
}

#[test]
fn the_flat_form_needs_its_type() {
    assert_eq!(
        change("{}").unwrap_err(),
        ["Error in payload.type: Required"]
    );
    assert_eq!(
        change(r#"{"name":"n"}"#).unwrap_err(),
        ["Error in payload.type: Required"]
    );
    assert_eq!(
        change("[]").unwrap_err(),
        ["Error in payload: Expected object, received array"]
    );
    assert_eq!(
        change(r#"{"type":"managed"}"#).unwrap_err(),
        ["Error in payload.type: Invalid discriminator value. Expected 'custom' | 'default'"]
    );
    assert_eq!(change(r#"{"type":"custom"}"#).unwrap().managed, Some(false));
}

#[test]
fn the_wrapper_must_stand_alone_and_hold_an_object() {
    assert_eq!(
        change(r#"{"auth_config":{},"type":"custom"}"#).unwrap_err(),
        ["Error in payload.auth_config: Unrecognized key"]
    );
    assert_eq!(
        change(r#"{"auth_config":null}"#).unwrap_err(),
        ["Error in payload.auth_config: Expected object, received null"]
    );
    assert_eq!(
        change(r#"{"auth_config":{"type":5}}"#).unwrap_err(),
        [
            "Error in payload.auth_config.type: Invalid discriminator value. Expected 'custom' | 'default'"
        ]
    );
}

#[test]
fn every_fault_is_named_at_once() {
    let body = r#"{"type":"custom","name":"","credentials":{"scopes":["a",1],"user_scopes":2,"k":{"any":[null]}},
        "proxy_config":{"proxy_url":"nowhere","proxy_auth_key":1},"tool_access_config":
        {"tools_available_for_execution":[7,"t"],"tools_for_connected_account_creation":"t"},
        "shared_credentials":[],"is_enabled_for_tool_router":"yes","scopes":"x","colour":"red"}"#;
    assert_eq!(
        change(body).unwrap_err(),
        [
            "Error in payload.name: String must contain at least 1 character(s)",
            "Error in payload.tool_access_config.tools_for_connected_account_creation: Expected array, received string",
            "Error in payload.tool_access_config.tools_available_for_execution.0: Expected string, received number",
            "Error in payload.shared_credentials: Expected object, received array",
            "Error in payload.is_enabled_for_tool_router: Expected boolean, received string",
            "Error in payload.credentials.scopes.1: Expected string, received number",
            "Error in payload.credentials.user_scopes: Invalid input: expected string or array of strings, received number",
            "Error in payload.proxy_config.proxy_url: Invalid url",
            "Error in payload.proxy_config.proxy_auth_key: Expected string, received number",
            "Error in payload.scopes: Unrecognized key",
            "Error in payload.colour: Unrecognized key",
        ]
    );
}

#[test]
fn each_type_has_members_of_its_own() {
    let managed = change_of(
        r#"{"type":"default","scopes":["a"],"user_scopes":"b c"}"#,
        true,
    )
    .unwrap();
    assert_eq!(managed.managed, Some(true));
    assert_eq!(managed.settings.credentials.len(), 2);
    assert_eq!(
        change_of(
            r#"{"type":"default","credentials":{},"proxy_config":null}"#,
            true
        )
        .unwrap_err(),
        [
            "Error in payload.credentials: Unrecognized key",
            "Error in payload.proxy_config: Unrecognized key"
        ]
    );
}

#[test]
fn tool_lists_keep_clear_and_prefer_their_newer_name() {
    let tools = |text: &str| change(text).unwrap().settings.tools;
    let kept = tools(r#"{"type":"custom","tool_access_config":{}}"#);
    assert_eq!((kept.for_creation, kept.for_execution), (None, None));
    let cleared =
        tools(r#"{"type":"custom","tool_access_config":{"tools_available_for_execution":[]}}"#);
    assert_eq!(cleared.for_execution, Some(Vec::new()));
    let both = r#"{"type":"custom","restrict_to_following_tools":["old"],
        "tool_access_config":{"tools_available_for_execution":["new"]}}"#;
    assert_eq!(tools(both).for_execution, Some(vec!["new".to_owned()]));
    let alias =
        tools(r#"{"type":"custom","restrict_to_following_tools":["old"],"tool_access_config":{}}"#);
    assert_eq!(alias.for_execution, Some(vec!["old".to_owned()]));
}

#[test]
fn a_proxy_is_kept_cleared_or_replaced_and_its_url_holds_no_secret() {
    let proxy = |text: &str| change(text).map(|change| change.settings.proxy);
    assert!(proxy(r#"{"type":"custom"}"#).unwrap().is_keep());
    assert!(matches!(
        proxy(r#"{"type":"custom","proxy_config":null}"#),
        Ok(Patch::Clear)
    ));
    assert!(matches!(
        proxy(r#"{"type":"custom","proxy_config":{"proxy_url":"http://p.example:3128"}}"#),
        Ok(Patch::Set(set)) if set.auth_key.is_none()
    ));
    let faults =
        proxy(r#"{"type":"custom","proxy_config":{"proxy_url":"http://u:sk-canary@p.example"}}"#)
            .unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(!faults[0].contains(CANARY));
}

#[test]
fn what_is_stored_as_text_holds_no_nul_and_what_is_sealed_may() {
    let body = r#"{"type":"custom","name":"a\u0000","credentials":{"k\u0000":1,"v":"a\u0000"},
        "restrict_to_following_tools":["t\u0000"]}"#;
    let faults = change(body).unwrap_err();
    assert_eq!(faults.len(), 3);
    assert!(
        faults
            .iter()
            .all(|fault| fault.ends_with("The text must not contain the character U+0000"))
    );
    assert!(
        change(
            r#"{"type":"custom","credentials":{"v":"a\u0000"},"shared_credentials":{"w":"\u0000"}}"#
        )
        .is_ok()
    );
}

#[test]
fn a_new_config_is_managed_unless_it_says_otherwise() {
    assert_eq!(
        new(r#"{"toolkit":{"slug":"github"}}"#).unwrap().scheme,
        None
    );
    let custom = new(
        r#"{"toolkit":{"slug":"GitHub"},"auth_config":{"type":"use_custom_auth","authScheme":"API_KEY","extra":1}}"#,
    );
    assert_eq!(custom.unwrap().scheme, Some(Scheme::ApiKey));
}

#[test]
fn a_new_config_that_is_wrong_names_every_fault() {
    assert_eq!(
        new(r#"{"auth_config":{"type":"use_custom_auth","name":3,"credentials":[],"proxy_config":{}}}"#).unwrap_err(),
        [
            "Error in payload.toolkit: Required",
            "Error in payload.auth_config.authScheme: Required",
            "Error in payload.auth_config.proxy_config.proxy_url: Required",
            "Error in payload.auth_config.name: Expected string, received number",
            "Error in payload.auth_config.credentials: Expected object, received array",
        ]
    );
    let faults =
        new(r#"{"toolkit":{},"auth_config":{"type":"sk-canary","authScheme":"sk-canary"}}"#)
            .unwrap_err();
    assert_eq!(faults[0], "Error in payload.toolkit.slug: Required");
    assert!(faults[1].starts_with(
        "Error in payload.auth_config.type: Invalid discriminator value. Expected 'use_"
    ));
    assert!(faults[2].starts_with(
        "Error in payload.auth_config.authScheme: Invalid enum value. Expected 'OAUTH2' | "
    ));
    assert!(faults.iter().all(|fault| !fault.contains(CANARY)));
}

#[test]
fn the_query_takes_commas_repetitions_and_what_sdks_send() {
    let all = query(
        "toolkit_slug=github%2Cslack&toolkit_slug=gmail&limit=50.0&is_composio_managed=False&search=&cursor=",
    );
    let all = all.unwrap();
    assert_eq!(all.filter.toolkits, ["github", "gmail", "slack"]);
    assert_eq!(
        (all.page.limit, all.filter.managed, all.filter.show_disabled),
        (50, Some(false), false)
    );
    assert_eq!((all.filter.search, all.page.cursor), (None, None));
    assert_eq!(query("").unwrap().page.limit, 20);
    assert_eq!(query("limit=1e3").unwrap().page.limit, 1_000);
}

#[test]
fn every_fault_of_the_query_is_named_at_once() {
    assert_eq!(
        query("limit=0&show_disabled=perhaps&cursor=x&is_composio_managed=true&is_composio_managed=false&search=%00")
            .unwrap_err(),
        [
            "Error in query.is_composio_managed: Expected boolean, received array",
            "Error in query.show_disabled: Expected boolean, received string",
            "Error in query.search: The text must not contain the character U+0000",
            "Error in query.limit: Number must be greater than or equal to 1 and less than or equal to 1000",
            "Error in query.cursor: Expected the next_cursor of an earlier answer, received string",
        ]
    );
    for (limit, text) in [
        ("1.5", "Expected integer, received float"),
        ("ten", "Expected number, received nan"),
    ] {
        assert_eq!(
            query(&format!("limit={limit}")).unwrap_err(),
            [format!("Error in query.limit: {text}")]
        );
    }
    for limit in ["1001", "-1", "1e9", "99999999999", "inf"] {
        assert_eq!(
            query(&format!("limit={limit}")).unwrap_err().len(),
            1,
            "{limit}"
        );
    }
}

/// Any JSON whose string values all hold the canary.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        "[a-z ]{0,6}".prop_map(|text| format!("{CANARY}{text}").into()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            members(inner).prop_map(serde_json::Value::Object),
        ]
    })
}

/// Objects with the members that the readers know, and others.
fn members(
    value: impl Strategy<Value = serde_json::Value>,
) -> impl Strategy<Value = serde_json::Map<String, serde_json::Value>> {
    let key = prop_oneof![
        prop::sample::select(vec![
            "type",
            "name",
            "credentials",
            "scopes",
            "user_scopes",
            "proxy_config",
            "proxy_url",
            "proxy_auth_key",
            "tool_access_config",
            "tools_available_for_execution",
            "restrict_to_following_tools",
            "shared_credentials",
            "is_enabled_for_tool_router",
            "auth_config",
            "toolkit",
            "slug",
            "authScheme",
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,5}",
    ];
    prop::collection::hash_map(key, value, 0..8).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused_without_repeating_a_value(body in any_json(), managed: bool) {
        let text = body.to_string();
        let faults = [change_of(&text, managed).err(), new(&text).err()];
        for fault in faults.into_iter().flatten().flatten() {
            prop_assert!(fault.starts_with("Error in payload"), "{fault}");
            prop_assert!(!fault.contains(CANARY), "{fault}");
        }
    }

    #[test]
    fn any_query_is_read_or_refused_without_repeating_a_value(pairs in prop::collection::vec(
        (prop::sample::select(vec!["limit", "cursor", "show_disabled", "is_composio_managed", "toolkit_slug", "search"]), ".{0,12}"),
        0..8,
    )) {
        let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| (key.to_owned(), format!("{value}{CANARY}"))).collect();
        if let Err(issues) = AuthConfigsQuery::from_pairs(&pairs) {
            prop_assert!(issues.iter().all(|issue| !wording::line("query", issue).contains(CANARY)));
        }
    }

    #[test]
    fn each_of_three_faults_is_named(unknown in "[b-f]{9}", wrong_name: i32, wrong_list: bool) {
        let text = format!(
            r#"{{"type":"custom","{unknown}":1,"name":{wrong_name},"restrict_to_following_tools":{wrong_list}}}"#
        );
        let faults = change(&text).unwrap_err();
        prop_assert_eq!(faults.len(), 3);
        let unknown = format!("Error in payload.{unknown}: Unrecognized key");
        prop_assert!(faults.contains(&unknown));
    }
}
