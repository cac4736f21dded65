//! The metrics of the real server: what it counts of keys and secrets, and what it refuses to start with.

use std::net::TcpListener;

use serde_json::json;

use crate::common::client::{Client, Line};
use crate::common::{canary, secrecy};
use crate::place::Place;
use crate::program::{Server, keyway};

/// A client of the metrics' own listener.
fn scraper(server: &Server) -> Client {
    let event = server.logged("metrics are at /metrics").unwrap();
    let address = event["address"].as_str().unwrap().parse().unwrap();
    Client::new(Line::new(address).into(), None)
}

fn value(text: &str, series: &str) -> f64 {
    let lines = text.lines();
    let mut values = lines.filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = values.next();
    value
        .unwrap_or_else(|| panic!("{series} is missing in\n{text}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn a_server_counts_what_it_does_with_keys_and_secrets() {
    let place = Place::new();
    let run = keyway("").on(&place);
    let server = run
        .env("KEYWAY_METRICS_LISTEN", "127.0.0.1:0")
        .serve(&place)
        .await;
    let key = server.shown_key();
    let (client, scraper) = (server.client(&key), scraper(&server));
    let before = scraper.get("/metrics").await.text;
    assert!(value(&before, "keyway_sealed_total").abs() < 1.0);

    let (secret, user) = (canary(), "a-user-of-the-test");
    let instance = json!({ "serverName": "Stripe", "userId": user });
    let made = client.post("/mcp-server/instance/create", instance).await;
    let id = made.json["instanceId"].as_str().unwrap();
    let auth = json!({ "instanceId": id, "authData": { "api_key": secret } });
    let set = client.post("/mcp-server/instance/set-auth", auth).await;
    assert_eq!(set.status, 200);
    let path = format!("/mcp-server/instance/{id}/auth");
    for _ in 0..2 {
        let handed_out = client.get(&path).await;
        assert_eq!(handed_out.json["authData"]["api_key"], secret);
    }
    let unknown = server.client("kw_unknown").get(&path).await;
    assert_eq!(unknown.status, 403);

    let text = scraper.get("/metrics").await.text;
    let grown = |series: &str| value(&text, series) - value(&before, series);
    for (series, by) in [
        ("keyway_sealed_total", 1.0),
        ("keyway_opened_total", 2.0),
        ("keyway_credentials_handed_out_total", 2.0),
        // The integration, its auth config and the instance are made; the credential is set, and handed out twice.
        ("keyway_audit_rows_total", 6.0),
        (r#"keyway_open_failures_total{reason="refused"}"#, 0.0),
        (
            r#"keyway_key_cache_lookups_total{cache="api_key",outcome="miss"}"#,
            1.0,
        ),
        (
            r#"keyway_key_cache_lookups_total{cache="api_key",outcome="hit"}"#,
            3.0,
        ),
        (
            r#"keyway_key_cache_lookups_total{cache="data_key",outcome="miss"}"#,
            1.0,
        ),
    ] {
        assert!((grown(series) - by).abs() < 0.1, "{series}\n{text}");
    }
    let requests = |status| {
        let route = "/mcp-server/instance/{instanceId}/auth";
        let labels = format!(r#"dialect="klavis",route="{route}",method="GET",status="{status}""#);
        value(&text, &format!("keyway_http_requests_total{{{labels}}}"))
    };
    assert_eq!((requests(200), requests(403)), (2.0, 1.0));
    assert!(value(&text, "keyway_http_connections") >= 1.0);
    assert!(value(&text, "keyway_db_connections") >= 1.0);
    let version = env!("CARGO_PKG_VERSION");
    let built = format!("keyway_build_info{{version=\"{version}\"}}");
    assert!((value(&text, &built) - 1.0).abs() < 0.1);
    assert!(value(&text, "process_start_time_seconds") > 1.7e9);
    assert!(value(&text, "process_cpu_seconds_total") > 0.0);
    secrecy::assert_absent("the metrics", &text);
    for word in [user, id, &key, "Stripe", "default"] {
        assert!(!text.contains(word), "{word}");
    }
    assert_eq!(client.get("/metrics").await.status, 404);
    assert_eq!(scraper.get("/livez").await.status, 404);
    server.stop(&place).await;
}

#[tokio::test]
async fn nothing_listens_and_nothing_is_measured_where_it_is_not_asked_for() {
    let place = Place::new();
    let server = keyway("").on(&place).serve(&place).await;

    assert_eq!(server.logged("metrics are at /metrics"), None);
    let reply = server.client(&server.shown_key()).get("/metrics").await;
    assert_eq!(reply.status, 404);
    server.stop(&place).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_used_stops_the_start_before_anything_is_made() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let free = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    for (main, metrics, code, said) in [
        ("127.0.0.1:0", "9464", 2, "invalid socket address"),
        (
            "127.0.0.1:0",
            &*taken.to_string(),
            1,
            "choose another address",
        ),
        (&*free, &*free, 78, "takes the address of the server itself"),
    ] {
        let place = Place::new();
        let run = keyway("").on(&place).env("KEYWAY_LISTEN", main);
        let answer = run.env("KEYWAY_METRICS_LISTEN", metrics).answer().await;
        let refusal = answer.refusal(code);
        assert!(refusal.contains("KEYWAY_METRICS_LISTEN"), "{refusal}");
        assert!(refusal.contains(said), "{refusal}");
        assert!(!place.data_dir().exists());
    }
}
