use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use utoipa::PartialSchema as _;

use super::*;
use crate::http::langdock::issue_words::words;

const ALLOWED: [&str; 1] = ["idp.corp:8080"];
/// Stands in every faulty value of the generated bodies, so that an echo of one is seen.
const MARK: &str = "s3cr3t-mark";

fn read(body: &Value) -> Result<IntegrationAuth, Vec<Issue>> {
    let json = Json::parse(body.to_string().as_bytes()).unwrap();
    let allowed = ALLOWED.map(str::to_owned);
    match AuthRequest::from_json(json).unwrap().read(&allowed) {
        Ok(auth) => Ok(auth),
        Err(Error::Invalid(issues)) => Err(issues),
        Err(other) => panic!("{other:?}"),
    }
}

/// Every issue as `authFields.0.slug: must not be empty`.
fn told(body: &Value) -> Vec<String> {
    let issues = read(body).err().unwrap_or_default();
    issues
        .iter()
        .map(|issue| format!("{}: {}", dotted(issue), words(&issue.rule)))
        .collect()
}

fn places(body: &Value) -> Vec<String> {
    read(body)
        .err()
        .unwrap_or_default()
        .iter()
        .map(dotted)
        .collect()
}

fn dotted(issue: &Issue) -> String {
    issue
        .path
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(".")
}

fn whole() -> Value {
    json!({
        "authType": "OAUTH",
        "authFields": [
            {"slug": "api_key", "label": "API key", "type": "PASSWORD", "description": "d", "placeholder": "sk-…", "required": true},
            {"slug": "base_url", "label": "Base URL", "type": "TEXT", "placeholder": null, "id": "ignored"}
        ],
        "authTestCode": "return 1;",
        "oauthClient": {
            "scopes": "a b", "authUrl": "https://idp.example/a", "tokenUrl": "http://idp.corp:8080/t", "clientId": "c",
            "clientSecret": "s", "label": "Connect", "authorizationCode": "return 2;", "accessTokenCode": null
        },
        "unknown": {"deep": [1]}
    })
}

#[test]
fn a_whole_body_is_read_and_unknown_members_are_ignored() {
    let auth = read(&whole()).unwrap();
    assert_eq!(auth.kind, AuthKind::OAuth);
    assert_eq!(auth.test_code, Patch::Set("return 1;".to_owned()));
    let field =
        |slug: &str, label: &str, kind, description: &str, placeholder: Option<&str>, required| {
            DeclaredField {
                slug: slug.to_owned(),
                label: label.to_owned(),
                kind,
                description: description.to_owned(),
                placeholder: placeholder.map(str::to_owned),
                required,
                default: None,
            }
        };
    assert_eq!(
        auth.fields,
        [
            field(
                "api_key",
                "API key",
                FieldKind::Password,
                "d",
                Some("sk-…"),
                true
            ),
            field("base_url", "Base URL", FieldKind::Text, "", None, false),
        ]
    );
    let Patch::Set(client) = auth.oauth_client else {
        panic!("the client is set")
    };
    assert_eq!(
        client.token_url,
        Patch::Set("http://idp.corp:8080/t".to_owned())
    );
    assert_eq!(client.client_secret, Patch::Set("s".to_owned().into()));
    assert_eq!(
        client.authorization_code,
        Patch::Set("return 2;".to_owned())
    );
    assert_eq!(client.access_token_code, Patch::Clear);
    assert_eq!(client.refresh_token_code, Patch::Keep);
}

#[test]
fn what_is_absent_is_kept_but_for_the_fields() {
    let auth = read(&json!({"authType": "API_KEY"})).unwrap();
    assert_eq!(auth.fields, []);
    assert_eq!(auth.test_code, Patch::Keep);
    assert!(auth.oauth_client.is_keep());
}

#[test]
fn null_and_the_empty_text_clear() {
    for empty in [json!(null), json!("")] {
        let auth = read(
            &json!({"authType": "OAUTH", "authTestCode": empty, "oauthClient": {"accessTokenCode": empty}}),
        );
        let auth = auth.unwrap();
        assert_eq!(auth.test_code, Patch::Clear);
        assert_eq!(
            auth.oauth_client.as_set().unwrap().access_token_code,
            Patch::Clear
        );
    }
    assert!(matches!(
        read(&json!({"authType": "OAUTH", "oauthClient": null}))
            .unwrap()
            .oauth_client,
        Patch::Clear
    ));
}

#[test]
fn a_default_code_that_is_sent_back_is_not_stored() {
    let client = json!({"authorizationCode": default_codes::AUTHORIZATION, "refreshTokenCode": default_codes::REFRESH_TOKEN});
    let auth = read(&json!({"authType": "OAUTH", "oauthClient": client})).unwrap();
    assert_eq!(
        auth.oauth_client.as_set().unwrap().authorization_code,
        Patch::Clear
    );
    assert_eq!(
        auth.oauth_client.as_set().unwrap().refresh_token_code,
        Patch::Clear
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once_in_the_order_of_the_members() {
    let body = json!({
        "oauthClient": {"tokenUrl": "http://elsewhere.example/", "label": 7, "clientSecret": "x".repeat(501)},
        "authTestCode": ["x"],
        "authFields": [
            {"type": "DATE", "label": "", "required": "yes"},
            "text",
            {"slug": "Key", "label": "L", "type": "TEXT"},
            {"slug": "key", "label": "L", "type": "TEXT", "description": null},
            {"slug": "__proto__", "label": "L\u{0}", "type": "TEXT"}
        ]
    });
    assert_eq!(
        told(&body),
        [
            "authType: is required",
            "authFields.0.slug: is required",
            "authFields.0.label: must not be empty",
            "authFields.0.type: must be one of TEXT, MULTI_LINE_TEXT, PASSWORD, NUMBER, EMBEDDING_MODEL",
            "authFields.0.required: must be a boolean, not string",
            "authFields.1: must be an object, not string",
            "authFields.3.slug: is the slug of an earlier field too (upper and lower case count as the same)",
            "authFields.3.description: must be a string, not null",
            "authFields.4.slug: is a reserved word of JavaScript objects: choose another one",
            "authFields.4.label: must not hold the character U+0000",
            "authTestCode: must be a string, not array",
            "oauthClient.tokenUrl: must be an absolute https URL without user info or fragment (http only for hosts \
             that the operator's egress allow-list names)",
            "oauthClient.clientSecret: must have at most 500 characters (UTF-16 units)",
            "oauthClient.label: must be a string, not number",
        ]
    );
}

#[test]
fn a_client_or_fields_that_do_not_go_with_the_type_are_told_together() {
    let mut body = whole();
    body["authType"] = json!("NONE");
    assert_eq!(places(&body), ["authFields", "oauthClient"]);
    body["authType"] = json!("SERVICE_ACCOUNT");
    assert_eq!(places(&body), ["oauthClient"]);
    body["oauthClient"] = json!(null);
    assert_eq!(places(&body), [""; 0]);
}

#[test]
fn a_body_that_is_no_object_is_told_at_the_top() {
    for (body, kind) in [
        (json!([]), "array"),
        (json!(null), "null"),
        (json!("x"), "string"),
        (json!(1), "number"),
    ] {
        assert_eq!(told(&body), [format!(": must be an object, not {kind}")]);
    }
    let body = json!({"authType": "OAUTH", "authFields": null});
    assert_eq!(told(&body), ["authFields: must be an array, not null"]);
}

#[test]
fn a_list_of_a_hundred_thousand_fields_is_not_read_to_its_end() {
    let body = json!({"authType": "API_KEY", "authFields": vec![0; 100_000]});
    let places = places(&body);
    assert_eq!(places.len(), 102);
    assert_eq!(places[0], "authFields");
    assert_eq!(places[101], "authFields.100");
}

/// A text of `length` UTF-16 units that its member takes: an emoji (two units) at its end where any text will do.
fn text_of(name: &str, length: usize) -> String {
    match name {
        "slug" => "s".repeat(length),
        "authUrl" | "tokenUrl" => format!("https://a.example/{}", "u".repeat(length - 18)),
        _ => "é".repeat(length - 2) + "🔑",
    }
}

/// The document says what the reader does: each `maxLength` holds to the unit.
#[test]
fn the_limits_of_the_document_are_those_of_the_reader() {
    let schemas = [
        ("", UpdateAuthConfigurationRequest::schema(), 1),
        ("authFields.0.", AuthFieldInput::schema(), 4),
        ("oauthClient.", OauthClientInput::schema(), 9),
    ];
    for (place, schema, number) in schemas {
        let schema = serde_json::to_value(schema).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let limited = properties
            .iter()
            .filter_map(|(name, is)| Some((name, is["maxLength"].as_u64()?)));
        let limited: Vec<_> = limited.collect();
        assert_eq!(limited.len(), number, "{place}");
        for (name, limit) in limited {
            let limit = usize::try_from(limit).unwrap();
            let with = |text: String| {
                let mut body = whole();
                *at(&mut body, &format!("{place}{name}")) = json!(text);
                told(&body)
            };
            assert_eq!(with(text_of(name, limit)), [""; 0], "{place}{name}");
            let past =
                format!("{place}{name}: must have at most {limit} characters (UTF-16 units)");
            assert_eq!(with(text_of(name, limit + 1)), [past]);
        }
    }
}

/// What lies at a dotted place.
fn at<'a>(body: &'a mut Value, place: &str) -> &'a mut Value {
    place
        .split('.')
        .fold(body, |at, step| match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step],
        })
}

/// A faulty value for each member, with the place at which it is told.
fn faults() -> impl Strategy<Value = BTreeMap<&'static str, Value>> {
    let long = |length: usize| MARK.repeat(length / MARK.len() + 1);
    let wrong_kind = || {
        prop_oneof![
            Just(json!(7)),
            Just(json!(true)),
            Just(json!({MARK: MARK})),
            Just(json!([MARK]))
        ]
    };
    let text = move |limit: usize| {
        prop_oneof![
            wrong_kind(),
            Just(json!(long(limit))),
            Just(json!(format!("{MARK}\0")))
        ]
    };
    let word = move || prop_oneof![wrong_kind(), Just(json!(MARK)), Just(json!(null))];
    let url = move || {
        prop_oneof![
            text(2_000),
            Just(json!(MARK)),
            Just(json!(format!("https://{MARK}@a.example/")))
        ]
    };
    let members = [
        ("authType", word().boxed()),
        (
            "authFields.0.slug",
            prop_oneof![text(100), Just(json!(format!("{MARK}!"))), Just(json!(""))].boxed(),
        ),
        (
            "authFields.0.label",
            prop_oneof![text(100), Just(json!(null))].boxed(),
        ),
        ("authFields.0.type", word().boxed()),
        ("authFields.0.description", text(500).boxed()),
        ("authFields.0.placeholder", text(200).boxed()),
        (
            "authFields.0.required",
            prop_oneof![Just(json!(MARK)), Just(json!(null)), Just(json!(1))].boxed(),
        ),
        (
            "authFields.1",
            prop_oneof![Just(json!(MARK)), Just(json!([MARK])), Just(json!(null))].boxed(),
        ),
        ("authTestCode", text(1_000).boxed()),
        ("oauthClient.scopes", text(2_000).boxed()),
        ("oauthClient.authUrl", url().boxed()),
        ("oauthClient.tokenUrl", url().boxed()),
        ("oauthClient.clientId", text(500).boxed()),
        ("oauthClient.clientSecret", text(500).boxed()),
        ("oauthClient.label", text(100).boxed()),
        ("oauthClient.authorizationCode", text(1_000).boxed()),
        ("oauthClient.accessTokenCode", text(1_000).boxed()),
        ("oauthClient.refreshTokenCode", text(1_000).boxed()),
    ];
    let chosen = proptest::sample::subsequence(members.to_vec(), 3..=members.len());
    chosen.prop_flat_map(|members| {
        let (names, values): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        values.prop_map(move |values| names.iter().copied().zip(values).collect())
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("authType"),
        Just("authFields"),
        Just("authTestCode"),
        Just("oauthClient"),
        Just("slug"),
        Just("label"),
        Just("type"),
        Just("TEXT"),
        Just("OAUTH"),
        Just("NONE"),
        Just("authUrl"),
        Just("placeholder"),
        Just("x")
    ];
    let word = word.prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        word.clone().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn each_of_many_faults_is_named_and_no_value_is_repeated(faults in faults()) {
        let mut body = whole();
        for (place, value) in &faults {
            *at(&mut body, place) = value.clone();
        }
        let told = told(&body);
        let mut told_at = places(&body);
        told_at.sort();
        let mut expected: Vec<_> = faults.keys().map(|place| (*place).to_owned()).collect();
        expected.sort();
        prop_assert_eq!(told_at, expected);
        prop_assert!(!told.concat().contains(MARK));
        let issues = format!("{:?}", read(&body));
        prop_assert!(!issues.contains(MARK));
    }

    #[test]
    fn any_body_is_read_or_refused_with_places(body in any_json()) {
        if let Err(issues) = read(&body) {
            prop_assert!(!issues.is_empty());
        }
    }
}
