use std::sync::{Arc, Mutex};

use axum::body::Body;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn capture(setting: &str) -> (Captured, tracing::subscriber::DefaultGuard) {
    let captured = Captured::default();
    let writer = captured.clone();
    let telemetry = Telemetry::parse(setting, false).unwrap();
    let subscriber = telemetry.subscriber(move || writer.clone());
    (captured, tracing::subscriber::set_default(subscriber))
}

#[test]
fn the_setting_is_read_or_refused_by_name() {
    let format = |setting, terminal| Telemetry::parse(setting, terminal).unwrap().format;
    assert_eq!(format("", true), LogFormat::Human);
    assert_eq!(format("", false), LogFormat::Json);
    assert_eq!(format("info,json", true), LogFormat::Json);
    assert_eq!(
        format(" human , keyway::store = debug ,", false),
        LogFormat::Human
    );
    for (setting, fault) in [
        ("inof", LogFault::Unknown(1)),
        ("info,5", LogFault::Unknown(2)),
        ("json,keyway=loud", LogFault::Unknown(2)),
        ("=debug", LogFault::Unknown(1)),
        ("keyway[span]=debug", LogFault::Unknown(1)),
        ("json,human", LogFault::Twice(2)),
        ("info,json,debug", LogFault::Twice(3)),
    ] {
        let refused = Telemetry::parse(setting, false).unwrap_err();
        assert_eq!(refused, fault, "{setting}");
        assert!(refused.to_string().starts_with("KEYWAY_LOG: part "));
    }
}

#[test]
fn levels_hold_for_us_and_are_capped_for_libraries() {
    let (captured, _guard) =
        capture("json,warn,keyway=trace,hyper::proto=trace,h2=trace,other=trace");
    tracing::trace!(target: "keyway::store", "own-trace");
    tracing::trace!(target: "keyway_other", "like-own");
    tracing::info!(target: "elsewhere", "below-warn");
    tracing::warn!(target: "elsewhere", "at-warn");
    tracing::debug!(target: "other", "lib-debug");
    tracing::info!(target: "other", "lib-info");
    tracing::info!(target: "hyper::proto", "hyper-info");
    tracing::warn!(target: "hyper::proto", "hyper-warn");
    tracing::warn!(target: "sqlx_postgres::options::parse", "options-warn");
    let text = captured.text();
    let seen: Vec<_> = [
        "own-trace",
        "like-own",
        "below-warn",
        "at-warn",
        "lib-debug",
        "lib-info",
        "hyper-info",
        "hyper-warn",
        "options-warn",
    ]
    .into_iter()
    .filter(|word| text.contains(word))
    .collect();
    assert_eq!(seen, ["own-trace", "at-warn", "lib-info", "hyper-warn"]);
    for line in text.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).unwrap()["message"].is_string());
    }
}

/// One request over each protocol, secrets in header, path and body, everything at TRACE.
#[tokio::test]
async fn no_request_leaks_at_trace() {
    const SECRET: &str = "sk-live-4815162342";
    let (captured, _guard) = capture("human,trace,hyper=trace,h2=trace,tower=trace,axum=trace");
    tracing::trace!(target: "keyway", "begin");
    let (client, server) = tokio::io::duplex(64 * 1024);
    let router = axum::Router::new().fallback(|body: Body| async { body });
    let service = hyper_util::service::TowerToHyperService::new(router);
    let serving = tokio::spawn(async move {
        let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
        http.serve_connection(TokioIo::new(server), service)
            .await
            .ok();
    });
    let mut client = client;
    let request = format!(
        "POST /{SECRET} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {SECRET}\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{SECRET}",
        SECRET.len()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(SECRET));
    serving.await.unwrap();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/{SECRET}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(|body: Body| async move {
        body.collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default()
    });
    let serving = tokio::spawn(axum::serve(listener, router).into_future());
    let http2 = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let request = http2.post(url).header("x-api-key", SECRET).body(SECRET);
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), SECRET);
    serving.abort();

    let text = captured.text();
    assert!(text.contains("begin"), "nothing was captured");
    assert!(
        text.lines().all(|line| line.contains(" keyway")),
        "a library logged: {text}"
    );
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn a_panic_is_logged_by_its_place_and_without_its_message() {
    const SECRET: &str = "sk-live-108";
    let (captured, _guard) = capture("json");
    let before = std::panic::take_hook();
    panics::log_places_only();
    let outcome = std::panic::catch_unwind(|| panic!("{SECRET}"));
    std::panic::set_hook(before);
    assert!(outcome.is_err());
    let text = captured.text();
    assert!(text.contains("a panic") && text.contains(file!()), "{text}");
    assert!(!text.contains(SECRET), "{text}");
}

/// What is recorded after the span began is in its lines too, and any text stays one line of valid JSON.
#[test]
fn a_line_of_json_holds_the_fields_of_its_span_whatever_they_contain() {
    let (captured, guard) = capture("json");
    let span = tracing::info_span!("request", id = "a\"b", route = tracing::field::Empty);
    span.record("route", "line\nbreak \\ \u{1} é");
    span.in_scope(|| {
        tracing::info!(
            count = 3,
            share = 0.5,
            none = f64::NAN,
            yes = true,
            "said \"so\""
        );
    });
    drop(guard);

    let text = captured.text();
    let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert_eq!(line["message"], "said \"so\"");
    assert_eq!(
        (&line["count"], &line["share"], &line["none"], &line["yes"]),
        (
            &serde_json::json!(3),
            &serde_json::json!(0.5),
            &serde_json::Value::Null,
            &serde_json::json!(true)
        )
    );
    assert_eq!(line["level"], "INFO");
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        line["span"],
        serde_json::json!({"id": "a\"b", "route": "line\nbreak \\ \u{1} é", "name": "request"})
    );
}
