//! Results on stdout: one JSON document, or something to read.

use std::io::{self, Write as _};

use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::Failure;

fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        // Whoever reads has had enough (`keyway key list | head -1`).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => {
            result.map_err(|error| Failure::Said(format!("writing the result to stdout: {error}")))
        }
    }
}

/// Text as it stands.
pub(super) fn text(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    )
}

/// One line.
pub(super) fn line(line: &str) -> Result<(), Failure> {
    text(&format!("{line}\n"))
}

/// One JSON document.
pub(super) fn json(value: &serde_json::Value) -> Result<(), Failure> {
    line(&value.to_string())
}

/// A table with a header.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    line(&lines.join("\n"))
}
