//! Requests about strata that are wrong: pydantic's faults in its order (measured with FastAPI 0.163 and pydantic
//! 2.14), and the limits of ours.

use http::Method;
use serde_json::{Map, Value, json};

use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::strata::{ADD, STRATA, at, create, strata};

const SET_AUTH: &str = "/mcp-server/strata/set-auth";
const LIST: &str = "list[str-enum[McpServerName]]";
const ALL: &str = "literal['ALL']";

/// The faults of a 422, as `type path`.
async fn faults(tenant: &Tenant, method: Method, path: &str, body: Option<Value>) -> Vec<String> {
    let request = tenant.klavis().request(method, path);
    let reply = match body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    };
    assert_eq!(reply.status, 422, "{path}: {}", reply.text);
    let items = reply.json["detail"].as_array().unwrap();
    let told = items.iter().map(|item| {
        let members = item.as_object().unwrap();
        assert!(!members.contains_key("input"), "{item}");
        let steps = item["loc"].as_array().unwrap().iter();
        let steps: Vec<_> = steps
            .map(|step| step.to_string().replace('"', ""))
            .collect();
        format!("{} {}", item["type"].as_str().unwrap(), steps.join("/"))
    });
    told.collect()
}

/// `$` stands for the list's arm, `!` for the fault of the other one.
fn told(expected: &[&str]) -> Vec<String> {
    let other = format!("literal_error body/servers/{ALL}");
    let each = expected.iter().map(|text| match *text {
        "!" => other.clone(),
        text => text.replace('$', &format!("body/servers/{LIST}")),
    });
    each.collect()
}

#[tokio::test]
async fn faults_of_a_creation_are_all_named_in_declared_order() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let before = app.fingerprint().await;
    for (body, expected) in [
        (json!([]), vec!["model_attributes_type body"]),
        (json!({}), vec!["missing body/userId"]),
        (json!({"userId": ""}), vec!["string_too_short body/userId"]),
        (json!({"userId": "a\u{0}"}), vec!["value_error body/userId"]),
        (
            json!({"userId": "u", "servers": ["nope"]}),
            vec!["enum $/0", "!"],
        ),
        (
            json!({"userId": "u", "servers": "Slack"}),
            vec!["list_type $", "!"],
        ),
        (
            json!({"userId": "u", "servers": "all"}),
            vec!["list_type $", "!"],
        ),
        (
            json!({"userId": "u", "servers": 5}),
            vec!["list_type $", "!"],
        ),
        (
            json!({"userId": "u", "servers": {}}),
            vec!["list_type $", "!"],
        ),
        (
            json!({"userId": "u", "servers": ["ALL"]}),
            vec!["enum $/0", "!"],
        ),
        (
            json!({"userId": "u", "servers": [["Slack"]]}),
            vec!["enum $/0", "!"],
        ),
        (
            json!({"userId": "u", "servers": ["Slack\u{0}"]}),
            vec!["enum $/0", "!"],
        ),
        (
            json!({"userId": "u", "servers": ["no", 1, "Slack", "no", null, "nor"]}),
            vec![
                "enum $/0", "enum $/1", "enum $/3", "enum $/4", "enum $/5", "!",
            ],
        ),
        (
            json!({"userId": "u", "servers": ["no", "Slack", "no", "nor"]}),
            vec!["enum $/0", "enum $/2", "enum $/3", "!"],
        ),
        (
            json!({"userId": 1, "servers": ["no", "Slack", "nor"], "externalServers": 3, "enableAuthHandling": "q"}),
            vec![
                "string_type body/userId",
                "enum $/0",
                "enum $/2",
                "!",
                "list_type body/externalServers",
                "bool_parsing body/enableAuthHandling",
            ],
        ),
        (
            json!({"userId": "u", "servers": ["Slack"], "enableAuthHandling": null}),
            vec!["bool_type body/enableAuthHandling"],
        ),
        (
            json!({"userId": "u", "externalServers": [1, {"name": "x"}, {"name": "", "url": null, "headers": {"a": [], "b": null, "c": {}}}]}),
            vec![
                "model_attributes_type body/externalServers/0",
                "missing body/externalServers/1/url",
                "string_too_short body/externalServers/2/name",
                "string_type body/externalServers/2/url",
                "string_type body/externalServers/2/headers/a",
                "string_type body/externalServers/2/headers/c",
            ],
        ),
        (
            json!({"userId": "u", "externalServers": [{"name": "a\u{0}", "url": "\u{0}", "headers": []}]}),
            vec![
                "value_error body/externalServers/0/name",
                "value_error body/externalServers/0/url",
                "dict_type body/externalServers/0/headers",
            ],
        ),
    ] {
        let found = faults(&alice, Method::POST, STRATA, Some(body.clone())).await;
        assert_eq!(found, told(&expected), "{body}");
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn faults_of_the_other_requests_too() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    let before = app.fingerprint().await;
    for (path, body, expected) in [
        (ADD, json!({}), vec!["missing body/strataId"]),
        (
            ADD,
            json!({"strataId": ""}),
            vec!["string_too_short body/strataId"],
        ),
        (
            ADD,
            json!({"strataId": null, "servers": ["q", 1], "externalServers": [{}]}),
            vec![
                "string_type body/strataId",
                "enum $/0",
                "enum $/1",
                "!",
                "missing body/externalServers/0/name",
                "missing body/externalServers/0/url",
            ],
        ),
        (
            ADD,
            json!({"strataId": "x", "servers": ["q"]}),
            vec!["enum $/0", "!"],
        ),
        (
            ADD,
            json!({"strataId": id, "servers": ["Linear", "q"]}),
            vec!["enum $/1", "!"],
        ),
        (
            SET_AUTH,
            json!({}),
            vec![
                "missing body/strataId",
                "missing body/serverName",
                "missing body/authData",
            ],
        ),
        (
            SET_AUTH,
            json!({"strataId": 1, "serverName": "q", "authData": {"token": 1, "x": 2}}),
            vec![
                "string_type body/strataId",
                "enum body/serverName",
                "string_type body/authData/ApiKeyAuth/token",
                "extra_forbidden body/authData/ApiKeyAuth/x",
                "extra_forbidden body/authData/GeneralAuth/token",
                "extra_forbidden body/authData/GeneralAuth/x",
            ],
        ),
        (
            SET_AUTH,
            json!({"strataId": "x", "serverName": "q", "authData": {}}),
            vec!["enum body/serverName"],
        ),
    ] {
        let found = faults(&alice, Method::POST, path, Some(body.clone())).await;
        assert_eq!(found, told(&expected), "{path} {body}");
    }
    for name in ["nope", "Slack%00", "%FF", "%20"] {
        let path = format!("{}/auth/{name}", at(&id));
        for method in [Method::GET, Method::DELETE] {
            let found = faults(&alice, method, &path, None).await;
            assert_eq!(found, ["enum path/serverName"], "{name}");
        }
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn each_bad_element_of_the_query_breaks_both_arms() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    let before = app.fingerprint().await;
    for (query, bad) in [
        ("servers=", vec![0]),
        ("servers", vec![0]),
        ("servers=all", vec![0]),
        ("servers=Slack%00", vec![0]),
        (
            "servers=nope&servers=Slack&servers=ALL&servers=nor",
            vec![0, 3],
        ),
        (
            "servers=Slack&servers=%00&servers=nope&servers=nope",
            vec![1, 2, 3],
        ),
    ] {
        for strata in [&id, "none"] {
            let path = format!("{}/servers?{query}", at(strata));
            let found = faults(&alice, Method::DELETE, &path, None).await;
            let expected: Vec<_> = bad
                .iter()
                .flat_map(|index| {
                    [
                        format!("enum query/servers/{index}/str-enum[McpServerName]"),
                        format!("literal_error query/servers/{index}/{ALL}"),
                    ]
                })
                .collect();
            assert_eq!(found, expected, "{query}");
        }
    }
    assert_eq!(app.fingerprint().await, before);
    let nul = alice
        .klavis()
        .delete(&format!("{}/servers?externalServers=%00", at(&id)))
        .await;
    assert_eq!(
        nul.json["deletedExternalServers"],
        json!([]),
        "{}",
        nul.text
    );
}

fn external(name: &str, url: &str, headers: usize) -> Value {
    let headers: Map<String, Value> = (0..headers)
        .map(|number| (format!("X-{number}"), json!(number.to_string())))
        .collect();
    json!({"name": name, "url": url, "headers": headers})
}

#[tokio::test]
async fn each_limit_holds_at_its_edge() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let with = |external: Vec<Value>| json!({"userId": "u1", "externalServers": external});
    let many = |count: usize| {
        (0..count)
            .map(|at| external(&format!("s{at}"), "x", 0))
            .collect::<Vec<_>>()
    };
    for (fits, beyond, fault) in [
        (
            with(vec![external(&"é".repeat(255), "x", 0)]),
            with(vec![external(&"é".repeat(256), "x", 0)]),
            "string_too_long body/externalServers/0/name",
        ),
        (
            with(vec![external("a", &"é".repeat(2_048), 0)]),
            with(vec![external("a", &"é".repeat(2_049), 0)]),
            "string_too_long body/externalServers/0/url",
        ),
        (
            with(vec![external("a", "x", 100)]),
            with(vec![external("a", "x", 101)]),
            "too_long body/externalServers/0/headers",
        ),
        (
            with(many(100)),
            with(many(101)),
            "too_long body/externalServers",
        ),
    ] {
        assert_eq!(create(&alice, fits).await.status, 200, "{fault}");
        assert_eq!(
            faults(&alice, Method::POST, STRATA, Some(beyond)).await,
            [fault]
        );
    }
    let names = |count: usize| json!({"userId": "u1", "servers": vec!["Slack"; count]});
    assert_eq!(
        create(&alice, names(200)).await.json["addedServers"],
        json!(["Slack"])
    );
    assert_eq!(
        faults(&alice, Method::POST, STRATA, Some(names(201))).await,
        told(&["too_long $", "!"])
    );
    let id = strata(&alice, "u1", json!([])).await;
    let query = format!("{}/servers?{}", at(&id), vec!["servers=ALL"; 201].join("&"));
    assert_eq!(
        faults(&alice, Method::DELETE, &query, None).await,
        ["too_long query/servers"]
    );

    // The hundredth server is taken, also beside one that is replaced; the next is not, with whatever else is wrong.
    let add = |external: Vec<Value>, servers: Value| json!({"strataId": id, "servers": servers, "externalServers": external});
    let full = alice.klavis().post(ADD, add(many(99), json!([]))).await;
    assert_eq!(full.status, 200, "{}", full.text);
    let two = vec![external("s0", "other", 0), external("last", "x", 0)];
    assert_eq!(
        alice.klavis().post(ADD, add(two, json!([]))).await.status,
        200
    );
    let more = || vec![external("one more", "x", 1)];
    let before = app.fingerprint().await;
    assert_eq!(
        faults(
            &alice,
            Method::POST,
            ADD,
            Some(add(more(), json!(["Linear"])))
        )
        .await,
        ["too_long body/externalServers"]
    );
    assert_eq!(
        faults(
            &alice,
            Method::POST,
            ADD,
            Some(add(more(), json!(["Linear", "nope"])))
        )
        .await,
        told(&["enum $/1", "!", "too_long body/externalServers"])
    );
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn header_values_are_sealed_and_never_shown() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let secret = canary();
    let headers = json!({"Authorization": secret, "X-\u{0}": format!("\u{0}{secret}"), "X-None": null, "": ""});
    let server = json!({"name": "wiki", "url": "https://mcp.example", "headers": headers});
    let made = create(&alice, json!({"userId": "u1", "externalServers": [server]})).await;
    assert_eq!(made.status, 200, "{}", made.text);
    for wrong in [
        json!({"userId": "u1", "externalServers": [{"name": "x", "url": "y", "headers": {"a": [secret]}}]}),
        json!({"userId": "u1", "externalServers": [{"name": "x", "url": 1, "headers": {"a": secret}}]}),
        json!({"userId": "u1", "externalServers": [{"name": "x", "url": "y", "headers": secret}]}),
        json!({"userId": "u1", "servers": ["nope"], "externalServers": [{"name": "x", "url": "y", "headers": {"a": secret}}]}),
    ] {
        assert_eq!(create(&alice, wrong).await.status, 422);
    }
    let sealed = app
        .sql("SELECT sealed_headers FROM strata_external_servers")
        .await;
    let bytes = sealed[0]["sealed_headers"].as_str().unwrap();
    assert!(bytes.starts_with("\\x010100000001"), "{bytes}");
    app.finish().await;
}
