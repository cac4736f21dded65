//! `keyway bench`, very small: it runs, checks itself, says what it measured, and leaves nothing behind. Its figures
//! are nobody's business here.

use std::path::Path;

use serde_json::Value;

use crate::place::Place;
use crate::program::{Answer, keyway};

/// Whether the baseline can be run on this machine.
fn has_pgbench() -> bool {
    let beside = keyway::store::embedded::find_binaries(None)
        .is_ok_and(|binaries| binaries.directory().join("pgbench").is_file());
    let path = std::env::var_os("PATH").unwrap_or_default();
    beside || std::env::split_paths(&path).any(|directory| directory.join("pgbench").is_file())
}

async fn bench(place: &Place, arguments: &str) -> Answer {
    let sizes = "--tenants 2 --rows 10 --rounds 1 --seconds 0.2 --connections 1,2";
    keyway(&format!("bench {sizes} {arguments}"))
        .env("KEYWAY_DATA_DIR", place.file(""))
        .arg("--output")
        .arg(place.file("out"))
        .answer()
        .await
}

fn entries(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_small_bench_measures_checks_and_leaves_nothing_but_its_results() {
    if !has_pgbench() {
        eprintln!("skipped: there is no pgbench");
        return;
    }
    let place = Place::new();

    let answer = bench(&place, "--only set-auth,hand-out --json").await;

    let results = answer.json();
    let file = std::fs::read_to_string(place.file("out/results-partial.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), results);
    let table = std::fs::read_to_string(place.file("out/results-partial.md")).unwrap();
    assert!(
        table.contains("| set-auth ") && table.contains("not met"),
        "{table}"
    );
    assert_eq!(results["plan"]["rows"], 10);
    let cells = results["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 4, "two paths at two concurrencies");
    for cell in cells {
        assert_eq!(cell["server"]["failures"], 0, "{cell}");
        assert!(cell["server"]["requests"].as_u64().unwrap() > 0, "{cell}");
        assert!(cell["pgbench"]["calls"].as_u64().unwrap() > 0, "{cell}");
        let read_back = cell["server"]["read_back"].as_u64();
        assert_eq!(
            read_back,
            (cell["path"] == "set-auth").then_some(1_024),
            "{cell}"
        );
    }
    assert_eq!(results["summary"].as_array().unwrap().len(), 4);
    assert_eq!(results["constant_rate"].as_array().unwrap().len(), 2);
    let control = results["control"].as_array().unwrap();
    assert_eq!(control.len(), 2);
    for run in control {
        assert!(run["requests"].as_u64().unwrap() > 0, "{run}");
        assert_eq!(run["requests"], run["failures"], "{run}");
        assert_eq!(run["failed_percent"], 100.0, "{run}");
        assert_eq!(run["status"], 404, "{run}");
    }
    let verdicts = results["targets"].as_array().unwrap();
    let at_one = verdicts
        .iter()
        .find(|verdict| verdict["what"] == "set-auth at 1, ratio to pgbench");
    assert!(at_one.unwrap()["met"].is_boolean(), "{at_one:?}");
    assert_eq!(entries(&place.file("")), ["out"]);
}

#[tokio::test]
async fn what_cannot_be_measured_is_refused_before_anything_is_started() {
    let place = Place::new();

    let answer = keyway("bench --rows 100 --tenants 10 --connections 64")
        .env("KEYWAY_DATA_DIR", place.file(""))
        .answer()
        .await;
    assert!(answer.refusal(2).contains("--rows"), "{answer:?}");
    assert_eq!(entries(&place.file("")), Vec::<String>::new());
}
