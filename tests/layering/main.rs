//! The layers keep to themselves: `http → domain → store + crypto`, never back, and one dialect knows no other.
//! Read from the source text, without comments and string literals.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod source;

use std::path::Path;

use source::{Source, sources};

const DIALECTS: [&str; 3] = ["klavis", "composio", "langdock"];

/// Asserts that no file under `folder` uses a path that begins with or goes through one of `names`.
fn assert_knows_nothing_of(folder: &str, names: &[&str]) {
    let files = sources(folder);
    assert!(!files.is_empty(), "{folder} has no files");
    let found: Vec<_> = files
        .iter()
        .flat_map(|file| {
            names
                .iter()
                .filter(|name| file.uses(name))
                .map(|name| (file.path.display(), *name))
        })
        .map(|(path, name)| format!("{path} uses {name}"))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_domain_knows_neither_the_wire_nor_the_database_driver() {
    assert_knows_nothing_of(
        "src/domain",
        &["axum", "hyper", "http", "tower", "utoipa", "sqlx"],
    );
}

#[test]
fn the_wire_knows_neither_the_store_nor_its_driver() {
    assert_knows_nothing_of("src/http", &["sqlx", "store"]);
}

#[test]
fn the_store_knows_nothing_of_the_wire() {
    assert_knows_nothing_of("src/store", &["axum", "hyper", "http", "utoipa"]);
}

#[test]
fn crypto_knows_nothing_above_it() {
    assert_knows_nothing_of(
        "src/crypto",
        &["axum", "hyper", "http", "sqlx", "domain", "store"],
    );
}

#[test]
fn the_bench_measures_the_server_from_outside_and_nothing_of_the_server_knows_it() {
    // It speaks HTTP itself (its own `http`), and asks the rules nothing.
    assert_knows_nothing_of("src/bench", &["axum", "hyper", "utoipa", "cli", "Service"]);
    for folder in ["src/http", "src/domain", "src/store", "src/crypto"] {
        assert_knows_nothing_of(folder, &["bench"]);
    }
}

#[test]
fn a_dialect_knows_no_other() {
    for dialect in DIALECTS {
        let others: Vec<_> = DIALECTS
            .into_iter()
            .filter(|other| *other != dialect)
            .collect();
        assert_knows_nothing_of(&format!("src/http/{dialect}"), &others);
    }
}

#[test]
fn wire_types_stay_in_their_dialect() {
    for file in sources("src") {
        let within = DIALECTS
            .iter()
            .any(|dialect| file.is_under(&format!("src/http/{dialect}")));
        assert!(
            within || !file.uses("wire"),
            "{} uses wire types",
            file.path.display()
        );
        assert!(
            !file.text.contains("pub mod wire"),
            "{} publishes wire types",
            file.path.display()
        );
    }
}

#[test]
fn only_the_audit_module_of_the_store_vouches_for_an_audit_row() {
    let vouching: Vec<_> = sources("src")
        .into_iter()
        .filter(|file| file.text.contains("Audited::by") && !file.is_under("src/crypto"))
        .map(|file| file.path)
        .collect();
    assert!(
        vouching
            .iter()
            .all(|path| path == Path::new("src/store/audit.rs")
                || path.starts_with("src/store/audit")),
        "{vouching:?}"
    );
}

#[test]
fn nothing_calls_out_over_http() {
    for file in sources("src").into_iter().filter(|file| !file.is_test()) {
        let calls = ["reqwest", "ureq"]
            .into_iter()
            .any(|client| file.uses(client));
        assert!(!calls, "{} has an HTTP client", file.path.display());
    }
}

#[test]
fn files_keep_their_size() {
    let most = |file: &Source| if file.is_test() { 400 } else { 300 };
    let files = sources("src").into_iter().chain(sources("tests"));
    let long = files.filter(|file| file.lines > most(file));
    let found: Vec<_> = long
        .map(|file| format!("{} has {} lines", file.path.display(), file.lines))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}
