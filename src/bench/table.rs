//! The results as text: Markdown that reads well in a terminal too.

use super::results::{Latency, Results, Summary};

/// The whole report.
pub fn markdown(results: &Results) -> String {
    let mut parts = vec![
        head(results),
        table(
            &[
                "path",
                "connections",
                "per second",
                "pgbench",
                "ratio (lowest–highest)",
                "p50 ms",
                "p99 ms",
                "p99.9 ms",
                "failed",
                "CPU µs server",
                "Postgres",
                "generator",
                "Postgres under pgbench",
                "foreign CPU",
            ],
            &results.summary.iter().map(measured).collect::<Vec<_>>(),
        ),
    ];
    if !results.constant_rate.is_empty() {
        parts.push(
            format!(
                "At a constant rate, half of the round's best, {} s a round after a second that does not count; time \
                 from when each request was due; medians of the rounds:",
                results.plan.steady_seconds
            ),
        );
        let runs = results.constant_rate.iter().map(|run| {
            let Latency {
                p50, p99, p99_9, ..
            } = run.latency_ms;
            vec![
                run.path.name().to_owned(),
                format!("{:.0}", run.rate),
                format!("{:.0}", run.achieved),
                format!("{p50:.2}"),
                format!("{p99:.2}"),
                format!("{p99_9:.2}"),
                run.failures.to_string(),
            ]
        });
        let header = [
            "path",
            "rate /s",
            "answered /s",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "failed",
        ];
        parts.push(table(&header, &runs.collect::<Vec<_>>()));
    }
    let verdicts = results.targets.iter().map(|verdict| {
        let met = match verdict.met {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "not measured",
        };
        let measured = verdict.measured;
        vec![
            verdict.what.clone(),
            verdict.target.clone(),
            measured.map_or_else(String::new, |measured| format!("{measured:.2}")),
            met.to_owned(),
        ]
    });
    parts.push(table(
        &["target", "bound", "measured", ""],
        &verdicts.collect::<Vec<_>>(),
    ));
    parts.push(facts(results));
    parts.join("\n\n") + "\n"
}

fn head(results: &Results) -> String {
    let (machine, plan) = (&results.machine, &results.plan);
    let settings: Vec<String> = machine
        .settings
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    format!(
        "# Keyway {} beside pgbench\n\n{}: {}, {} cores, {} MiB, Linux {}; {}; {}.\n{} rows of {} tenants, {} rounds \
         of {} s a cell after {} s of warm-up; server, database and generator share the machine.",
        results.keyway,
        results.made_at,
        machine.cpu.as_deref().unwrap_or("unknown processor"),
        machine.cores,
        machine
            .memory_mib
            .map_or_else(|| "?".to_owned(), |mib| mib.to_string()),
        machine.kernel.as_deref().unwrap_or("?"),
        machine.postgres,
        settings.join(", "),
        plan.rows,
        plan.tenants,
        plan.rounds,
        plan.seconds,
        plan.warm_up,
    )
}

fn measured(cell: &Summary) -> Vec<String> {
    let optional =
        |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), |is| format!("{is:.0}"));
    let (lowest, highest) = cell.ratio_range;
    vec![
        cell.path.name().to_owned(),
        cell.connections.to_string(),
        format!("{:.0}", cell.per_second),
        format!("{:.0}", cell.pgbench_per_second),
        format!("{:.2} ({lowest:.2}–{highest:.2})", cell.ratio),
        format!("{:.2}", cell.latency_ms.p50),
        format!("{:.2}", cell.latency_ms.p99),
        format!("{:.2}", cell.latency_ms.p99_9),
        cell.failures.to_string(),
        optional(cell.server_us),
        optional(cell.postgres_us),
        optional(cell.generator_us),
        optional(cell.baseline_postgres_us),
        cell.foreign_percent
            .map_or_else(|| "–".to_owned(), |percent| format!("{percent:.0} %")),
    ]
}

fn facts(results: &Results) -> String {
    let mib =
        |kib: Option<u64>| kib.map_or_else(|| "?".to_owned(), |kib| (kib / 1_024).to_string());
    let memory = results.memory;
    let controls: Vec<String> = results
        .control
        .iter()
        .map(|run| {
            let name = run.path.name();
            format!(
                "{name} {} of {} (status {})",
                run.failures, run.requests, run.status
            )
        })
        .collect();
    let read_back = results
        .cells
        .iter()
        .filter_map(|cell| cell.server.read_back);
    let read_back: u64 = read_back.sum();
    let mut lines = vec![
        format!(
            "- server memory in MiB: idle {}, loaded {}, peak {}, after 256 connections {}",
            mib(memory.idle),
            mib(memory.loaded),
            mib(memory.peak),
            mib(memory.after_256)
        ),
        format!(
            "- start to the first 200: {:.0} ms (median of {}); program {:.1} MB; seeded {:.0} rows a second",
            results.start.median_ms,
            results.start.all_ms.len(),
            std::time::Duration::from_micros(results.binary_bytes).as_secs_f64(),
            results.seed.rows_per_second
        ),
        format!(
            "- control with ids that are not the caller's, refused as such: {}",
            controls.join(", ")
        ),
        format!(
            "- read back after set-auth, compared with what was written last: {read_back} hand-outs"
        ),
    ];
    lines.extend(results.notes.iter().map(|note| format!("- {note}")));
    lines.join("\n")
}

/// A Markdown table, its columns padded.
fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|&name| name.to_owned()).collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = rows.iter().chain([&header]);
            let width = |row: &Vec<String>| row.get(column).map_or(0, |cell| cell.chars().count());
            cells.map(width).max().unwrap_or_default()
        })
        .collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths);
        let padded = cells.map(|(cell, width)| format!(" {cell:width$} |"));
        format!("|{}", padded.collect::<String>())
    };
    let rule = widths
        .iter()
        .map(|width| format!("{}|", "-".repeat(width + 2)));
    let mut lines = vec![line(&header), format!("|{}", rule.collect::<String>())];
    lines.extend(rows.iter().map(|row| line(row)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_stand_under_each_other() {
        let rows = vec![
            vec!["set-auth".to_owned(), "≥ 2×".to_owned()],
            vec!["a".to_owned(), "b".to_owned()],
        ];
        let text = table(&["path", "x"], &rows);
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(widths, [19, 19, 19, 19], "{text}");
        assert!(text.starts_with("| path     | x    |\n|----------|------|\n"));
    }
}
