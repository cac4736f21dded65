//! What is measured of requests and of the database, and that nothing of a request gets into it.
//!
//! Each test has a recorder of its own thread: the server runs on the test's single-threaded runtime.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use keyway::http::{layers, metrics_router, router, serve};
use keyway::store::Db;
use keyway::telemetry::metrics::{Metrics, SERIES};
use metrics::set_default_local_recorder;
use reqwest::Method;
use tokio::net::TcpListener;

use crate::common::client::{Client, Key, Line};
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary, database, secrecy};

/// A server of `router`, which ends with the test's runtime.
async fn served(router: Router) -> Arc<Line> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let line = Arc::new(Line::new(listener.local_addr().unwrap()));
    let forever = std::future::pending();
    let limits = serve::Limits::default();
    tokio::spawn(serve::serve(listener, router, forever, limits));
    line
}

/// A second, measured server of the same service.
async fn measured(app: &TestApp) -> Arc<Line> {
    let router = router(app.service().clone(), layers::REQUEST_TIMEOUT);
    served(layers::measured(router)).await
}

fn composio(line: &Arc<Line>, tenant: &Tenant) -> Client {
    Client::new(Arc::clone(line), Some(Key::of("x-api-key", &tenant.key)))
}

/// The value of one series, as it is written.
fn value<'a>(text: &'a str, series: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
}

/// The requests that were counted, each with its labels.
fn counted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("keyway_http_requests_total"))
        .collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn requests_are_counted_by_dialect_route_method_and_status() {
    let (recorder, metrics) = Metrics::recorder();
    let _recording = set_default_local_recorder(&recorder);
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let line = measured(&app).await;
    let (client, anonymous) = (
        composio(&line, &alice),
        Client::new(Arc::clone(&line), None),
    );

    for _ in 0..2 {
        assert_eq!(client.get("/api/v3/auth_configs").await.status, 200);
    }
    assert_eq!(anonymous.get("/api/v3/auth_configs").await.status, 401);
    let unknown = "/api/v3/auth_configs/ac_abcdefghijkl";
    assert_eq!(client.get(unknown).await.status, 404);
    let too_much = client
        .request(Method::POST, "/api/v3.1/auth_configs")
        .header("content-type", "application/json")
        .body(vec![b' '; serve::BODY_LIMIT + 1]);
    assert_eq!(too_much.send().await.status, 413);
    assert_eq!(client.delete("/api/v3/auth_configs").await.status, 405);
    let head = client.request(Method::HEAD, "/mcp-server/instance/x");
    assert_eq!(head.send().await.status, 405);
    assert_eq!(client.get("/nowhere").await.status, 404);
    assert_eq!(anonymous.get("/livez").await.status, 200);
    assert_eq!(anonymous.delete("/livez").await.status, 405);

    let text = metrics.render();
    assert_eq!(
        counted(&text),
        [
            r#"{dialect="composio",route="/api/v3.1/auth_configs",method="POST",status="413"} 1"#,
            r#"{dialect="composio",route="/api/v3/auth_configs",method="DELETE",status="405"} 1"#,
            r#"{dialect="composio",route="/api/v3/auth_configs",method="GET",status="200"} 2"#,
            r#"{dialect="composio",route="/api/v3/auth_configs",method="GET",status="401"} 1"#,
            r#"{dialect="composio",route="/api/v3/auth_configs/{nanoid}",method="GET",status="404"} 1"#,
            r#"{dialect="house",route="/livez",method="DELETE",status="405"} 1"#,
            r#"{dialect="house",route="/livez",method="GET",status="200"} 1"#,
            r#"{dialect="klavis",route="/mcp-server/instance/{instanceId}",method="HEAD",status="405"} 1"#,
            r#"{dialect="klavis",route="unmatched",method="GET",status="404"} 1"#,
        ]
    );
    let duration = "keyway_http_request_duration_seconds";
    let labels = r#"dialect="composio",route="/api/v3/auth_configs",method="GET",status="200""#;
    for (series, expected) in [
        (format!("{duration}_count{{{labels}}}"), "2"),
        (format!("{duration}_bucket{{{labels},le=\"10\"}}"), "2"),
        (format!("{duration}_bucket{{{labels},le=\"0.0001\"}}"), "0"),
        ("keyway_http_requests_in_flight".to_owned(), "0"),
        ("keyway_http_requests_abandoned_total".to_owned(), "0"),
    ] {
        assert_eq!(value(&text, &series), Some(expected), "{series}\n{text}");
    }
    app.finish().await;
}

#[tokio::test]
async fn what_a_caller_writes_makes_no_series_and_is_not_shown() {
    let (recorder, metrics) = Metrics::recorder();
    let _recording = set_default_local_recorder(&recorder);
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let line = measured(&app).await;
    let client = composio(&line, &alice);
    let ask = async |round: usize| {
        let (secret, user) = (canary(), format!("user-{round}-of-alice"));
        for path in [
            format!("/{secret}/{user}"),
            format!("/docs/{secret}"),
            format!("/api/v3/{user}/{secret}?user={user}"),
            format!("/api/v3/auth_configs/{secret}"),
            format!("/mcp-server/instance/{user}/auth"),
            format!("/integrations/v1/{secret}"),
        ] {
            client.get(&path).await;
            let method = Method::from_bytes(format!("BREW{round}").as_bytes()).unwrap();
            let request = client.request(method, &path);
            request.header("x-user", &user).send().await;
        }
        user
    };

    ask(0).await;
    let first = metrics.render();
    let mut users = Vec::new();
    for round in 1..20 {
        users.push(ask(round).await);
    }
    let text = metrics.render();

    assert_eq!(text.lines().count(), first.lines().count(), "{text}");
    assert_eq!(counted(&text).len(), counted(&first).len());
    assert!(text.contains(r#"dialect="klavis",route="unmatched",method="other",status="404"} 20"#));
    secrecy::assert_absent("the metrics", &text);
    let known = [
        alice.id.to_string(),
        alice.key_id.clone(),
        alice.key.clone(),
    ];
    for word in users.iter().chain(&known).map(String::as_str) {
        assert!(!text.contains(word), "{word}");
    }
    assert!(!text.contains("BREW") && !text.contains("alice"), "{text}");
    app.finish().await;
}

#[tokio::test]
async fn panics_and_time_outs_are_counted_and_so_is_who_does_not_wait() {
    let (recorder, metrics) = Metrics::recorder();
    let _recording = set_default_local_recorder(&recorder);
    let handlers = Router::new()
        .route("/panic", get(panics))
        .route("/slow", get(sleeps));
    let limit = Duration::from_millis(300);
    let line = served(layers::measured(layers::all(handlers, limit))).await;
    let client = Client::new(Arc::clone(&line), None);

    assert_eq!(client.get("/panic").await.status, 500);
    assert_eq!(client.get("/slow").await.status, 504);
    let impatient = tokio::time::timeout(limit / 3, client.get("/slow"));
    assert!(impatient.await.is_err());
    let in_flight = || {
        let text = metrics.render();
        value(&text, "keyway_http_requests_in_flight").map(str::to_owned)
    };
    for _ in 0..100 {
        if in_flight().as_deref() == Some("0") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let text = metrics.render();
    // These handlers are not of the server's router, which names the route.
    let labels = |status| {
        format!(
            r#"keyway_http_requests_total{{dialect="klavis",route="unmatched",method="GET",status="{status}"}}"#
        )
    };
    assert_eq!(value(&text, &labels(500)), Some("1"), "{text}");
    assert_eq!(value(&text, &labels(504)), Some("1"), "{text}");
    let abandoned = value(&text, "keyway_http_requests_abandoned_total");
    assert_eq!(abandoned, Some("1"), "{text}");
    assert_eq!(in_flight().as_deref(), Some("0"));
}

async fn panics() {
    panic!("a secret that must not be shown: {}", "hunter2");
}

async fn sleeps() {
    tokio::time::sleep(Duration::from_secs(20)).await;
}

#[tokio::test]
async fn metrics_have_a_listener_of_their_own_and_the_server_knows_no_such_path() {
    let (recorder, metrics) = Metrics::recorder();
    let _recording = set_default_local_recorder(&recorder);
    let app = TestApp::start().await;
    let render = move || metrics.render();
    let own = Client::new(served(metrics_router(render)).await, None);

    let scraped = own.get("/metrics").await;
    assert_eq!(scraped.status, 200);
    let format = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(scraped.header("content-type"), format);
    assert_eq!(scraped.header("cache-control"), "no-store");
    assert!(scraped.text.contains("# TYPE keyway_sealed_total counter"));
    let head = own.request(Method::HEAD, "/metrics").send().await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for path in [
        "/",
        "/metrics/",
        "/metrics/x",
        "/livez",
        "/api/v3/auth_configs",
    ] {
        assert_eq!(own.get(path).await.status, 404, "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let refused = own.request(method, "/metrics").send().await;
        assert_eq!((refused.status, refused.header("allow")), (405, "GET,HEAD"));
    }

    let unknown = app.anonymous().get("/nothing").await;
    let reply = app.anonymous().get("/metrics").await;
    assert_eq!((reply.status, reply.text), (404, unknown.text));
    app.finish().await;
}

#[tokio::test]
async fn turns_and_transactions_are_counted() {
    let (recorder, metrics) = Metrics::recorder();
    let _recording = set_default_local_recorder(&recorder);
    let database = database().await;
    let db = Db::new(database.login());
    let read = || {
        db.gauges().publish();
        metrics.render()
    };
    db.ping().await.unwrap();
    let committed = r#"keyway_db_transactions_total{kind="auth",outcome="committed"}"#;
    assert_eq!(value(&read(), committed), Some("1"));
    assert_eq!(value(&read(), "keyway_db_connections"), Some("1"));
    // The pool takes a connection back in a task of its own.
    let mut idle = None;
    for _ in 0..100 {
        idle = value(&read(), "keyway_db_connections_idle").map(str::to_owned);
        if idle.as_deref() == Some("1") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(idle.as_deref(), Some("1"));

    // Fourteen hold every turn there is, longer than the fifteenth waits for one.
    let hold = async || {
        let sleep = tokio::time::sleep;
        let work = db.auth(move |_| {
            Box::pin(async move {
                sleep(Duration::from_millis(900)).await;
                Ok(())
            })
        });
        work.await
    };
    let holding = futures_util::future::join_all((0..15).map(|_| hold()));
    let look = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        read()
    };
    let (ended, text) = tokio::join!(holding, look);

    assert_eq!(ended.iter().filter(|one| one.is_ok()).count(), 14);
    for (series, expected) in [
        (r#"keyway_db_turns{turn="short"}"#, "14"),
        (r#"keyway_db_turns_in_use{turn="short"}"#, "14"),
        (r#"keyway_db_turns_waiting{turn="short"}"#, "1"),
        (r#"keyway_db_turns_in_use{turn="big"}"#, "0"),
        ("keyway_db_connections", "14"),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series}\n{text}");
    }
    let after = read();
    for (series, expected) in [
        (r#"keyway_db_acquire_timeouts_total{turn="short"}"#, "1"),
        (r#"keyway_db_turns_in_use{turn="short"}"#, "0"),
        (r#"keyway_db_turns_waiting{turn="short"}"#, "0"),
        (committed, "15"),
    ] {
        assert_eq!(value(&after, series), Some(expected), "{series}\n{after}");
    }
    db.close().await;
}

#[test]
fn every_series_is_described_and_stands_in_the_readme() {
    let (recorder, metrics) = Metrics::recorder();
    let text = metrics::with_local_recorder(&recorder, || metrics.render());
    let readme = include_str!("../../README.md");
    for series in SERIES {
        assert!(
            readme.contains(&format!("`{}", series.name)),
            "{} is not in the README",
            series.name
        );
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(
            SERIES.iter().any(|series| series.name == name),
            "{name} is not described"
        );
    }
}
