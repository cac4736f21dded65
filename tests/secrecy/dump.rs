//! What `pg_dump` writes of a database: what a backup holds.

use std::path::PathBuf;
use std::process::Command;

use keyway::store::embedded::find_binaries;

use crate::common::TestApp;

/// Beside the server programs, or beside what they are links to, or in PATH.
fn program() -> PathBuf {
    let directory = find_binaries(None).unwrap().directory().to_owned();
    let linked = directory.join("postgres").canonicalize().unwrap();
    let places = [directory.join("pg_dump"), linked.with_file_name("pg_dump")];
    let found = places.into_iter().find(|place| place.is_file());
    found.unwrap_or_else(|| PathBuf::from("pg_dump"))
}

/// The whole dump as text.
pub fn dump(app: &TestApp) -> String {
    let database = app.superuser();
    let output = Command::new(program())
        .arg("--host")
        .arg(database.get_socket().unwrap())
        .args(["--port", &database.get_port().to_string()])
        .args(["--username", database.get_username()])
        .arg(database.get_database().unwrap())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pg_dump: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
