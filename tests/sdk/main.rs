//! The published SDKs, and TypeScript clients generated from `openapi/*.json`, against the built program: what its
//! users run, on its embedded Postgres. `make test` builds it and sets the clients up.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clients;
mod composio;
mod database;
mod klavis;
mod program;
mod unsteady;

use clients::{Language, run};
use program::Server;

/// A server with a tenant, whose clients get its key, a lesser one and another tenant's.
fn serves(language: Language, client: &str) {
    let server = Server::start(&[]);
    let (ours, theirs) = (server.tenant("ours"), server.tenant("theirs"));
    let settings = [
        ("KEYWAY_URL", server.url()),
        ("KEYWAY_KEY", server.key(&ours, &[])),
        (
            "KEYWAY_READING_KEY",
            server.key(&ours, &["auth_configs:read", "connections:read"]),
        ),
        ("KEYWAY_FOREIGN_KEY", server.key(&theirs, &[])),
    ];
    run(language, client, &settings);
}

#[test]
fn the_published_python_client_of_klavis() {
    klavis::lives(Language::Python, "klavis_client.py");
}

#[test]
fn the_published_async_python_client_of_klavis() {
    klavis::lives(Language::Python, "klavis_async_client.py");
}

#[test]
fn the_published_typescript_client_of_klavis() {
    klavis::lives(Language::TypeScript { document: None }, "klavis_sdk");
}

#[test]
fn the_published_python_clients_of_klavis_repeat_what_was_refused_for_the_moment() {
    klavis::repeats(Language::Python, "klavis_retries.py", &["SYNC", "ASYNC"]);
}

#[test]
fn the_published_typescript_client_of_klavis_repeats_what_was_refused_for_the_moment() {
    klavis::repeats(
        Language::TypeScript { document: None },
        "klavis_retries",
        &["LIMITED"],
    );
}

#[test]
fn the_published_python_client_of_composio() {
    composio::lives(Language::Python, "composio_client_sync.py");
}

#[test]
fn the_published_async_python_client_of_composio() {
    composio::lives(Language::Python, "composio_client_async.py");
}

#[test]
fn the_published_python_sdk_of_composio() {
    composio::lives(Language::Python, "composio_sdk.py");
}

#[test]
fn the_published_typescript_sdk_and_client_of_composio() {
    composio::lives(Language::TypeScript { document: None }, "composio_core");
}

#[test]
fn the_published_python_clients_of_composio_repeat_what_was_refused_for_the_moment() {
    composio::repeats(
        Language::Python,
        "composio_retries.py",
        &["SYNC", "ASYNC", "SDK"],
    );
}

#[test]
fn the_published_typescript_clients_of_composio_repeat_what_was_refused_for_the_moment() {
    composio::repeats(
        Language::TypeScript { document: None },
        "composio_retries",
        &["CLIENT", "CORE"],
    );
}

#[test]
fn a_typescript_client_generated_from_the_klavis_document() {
    serves(
        Language::TypeScript {
            document: Some("openapi/klavis.json"),
        },
        "klavis",
    );
}

#[test]
fn a_typescript_client_generated_from_the_composio_document() {
    serves(
        Language::TypeScript {
            document: Some("openapi/composio.json"),
        },
        "composio",
    );
}

#[test]
fn a_typescript_client_generated_from_the_langdock_document() {
    serves(
        Language::TypeScript {
            document: Some("openapi/langdock.json"),
        },
        "langdock",
    );
}
