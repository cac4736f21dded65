//! What a run is asked for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::error::BenchError;
use super::ids;
use super::path::Path;
use super::results::Plan;
use super::stage::StageOptions;
use super::targets::{MANY_ROWS, STANDARD_ROWS};

/// The most connections: the private Postgres takes that many clients of pgbench.
const MOST_CONNECTIONS: u32 = 380;
/// The tenants of a standard run.
const STANDARD_TENANTS: u32 = 1_000;
/// HTTP connections of a standard run.
const STANDARD_CONNECTIONS: [u32; 4] = [1, 16, 64, 256];
/// The fewest rounds of a standard run, and of one on many rows.
const STANDARD_ROUNDS: (u32, u32) = (5, 3);
/// Shorter cells are only looks.
const STANDARD_SECONDS: Duration = Duration::from_secs(1);
/// How long a constant rate counts, where the cells are not shorter than a second, and how long it runs before that:
/// a rate takes longer than a closed loop to show what it does to the slowest.
const STEADY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(1));

/// What a run is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many tenants to seed.
    pub tenants: u32,
    /// How many connections to seed, of all tenants.
    pub rows: u32,
    /// How many rounds.
    pub rounds: u32,
    /// How long a cell counts.
    pub seconds: Duration,
    /// How long it runs before that.
    pub warm_up: Duration,
    /// HTTP connections, and clients of pgbench.
    pub connections: Vec<u32>,
    /// What to measure.
    pub paths: Vec<Path>,
    /// Where the server to measure listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// Where the result files go.
    pub output: PathBuf,
    /// Where the database lies meanwhile.
    pub stage: StageOptions,
}

impl Options {
    /// How many connections each tenant gets.
    pub fn per_tenant(&self) -> u32 {
        self.rows.checked_div(self.tenants).unwrap_or_default()
    }

    /// Refuses what cannot be run.
    pub fn check(&self) -> Result<(), BenchError> {
        let refused = |what: String| Err(BenchError::Usage(what));
        let most = self.connections.iter().copied().max().unwrap_or_default();
        if self.tenants < 2 || self.per_tenant() < 2 || self.per_tenant() > ids::MOST_PER_TENANT {
            return refused(format!(
                "--rows {} and --tenants {}: at least two tenants with 2 to {} rows each are needed",
                self.rows,
                self.tenants,
                ids::MOST_PER_TENANT
            ));
        }
        if self.connections.contains(&0) || most == 0 || most > MOST_CONNECTIONS {
            return refused(format!(
                "--connections must be numbers from 1 to {MOST_CONNECTIONS}, separated by commas"
            ));
        }
        if self.tenants * (self.per_tenant() / 2) < most {
            return refused(format!(
                "--connections {most} needs at least {} --rows, half of which are the server's",
                most * 2
            ));
        }
        if self.rounds == 0 || self.seconds < Duration::from_millis(100) || self.paths.is_empty() {
            return refused(
                "a run needs at least one round, one path and 0.1 seconds a cell".to_owned(),
            );
        }
        Ok(())
    }

    /// The name of the result files without their endings. Only a standard run writes those that are compared and
    /// quoted; a look at a part of it, or with less time, must not overwrite them.
    pub fn name(&self) -> String {
        match self.rows {
            STANDARD_ROWS if self.is_standard() => "results".to_owned(),
            MANY_ROWS if self.is_standard_on_many() => format!("results-{MANY_ROWS}"),
            _ => "results-partial".to_owned(),
        }
    }

    fn is_standard(&self) -> bool {
        let all_paths = Path::ALL.iter().all(|path| self.paths.contains(path));
        let mut counts = STANDARD_CONNECTIONS.iter();
        all_paths
            && counts.all(|count| self.connections.contains(count))
            && self.is_long(STANDARD_ROUNDS.0)
    }

    /// There the two hot paths of Klavis count, at the concurrency of the comparison.
    fn is_standard_on_many(&self) -> bool {
        let mut paths = [Path::SetAuth, Path::HandOut].iter();
        paths.all(|path| self.paths.contains(path))
            && self.connections.contains(&64)
            && self.is_long(STANDARD_ROUNDS.1)
    }

    fn is_long(&self, rounds: u32) -> bool {
        self.tenants == STANDARD_TENANTS
            && self.rounds >= rounds
            && self.seconds >= STANDARD_SECONDS
    }

    /// How long a constant rate counts, and how long it runs before that.
    pub fn steady(&self) -> (Duration, Duration) {
        if self.seconds < STANDARD_SECONDS {
            (self.seconds, self.warm_up)
        } else {
            (self.seconds.max(STEADY.0), STEADY.1)
        }
    }

    /// How many cells it has in all.
    pub fn cells(&self) -> usize {
        self.rounds as usize * self.paths.len() * self.connections.len()
    }

    /// The same for the result file.
    pub fn plan(&self) -> Plan {
        Plan {
            tenants: self.tenants,
            rows: self.tenants * self.per_tenant(),
            rounds: self.rounds,
            seconds: self.seconds.as_secs_f64(),
            warm_up: self.warm_up.as_secs_f64(),
            steady_seconds: self.steady().0.as_secs_f64(),
            connections: self.connections.clone(),
            paths: self.paths.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standard(rows: u32, rounds: u32) -> Options {
        Options {
            tenants: STANDARD_TENANTS,
            rows,
            rounds,
            seconds: Duration::from_secs(2),
            warm_up: Duration::from_millis(500),
            connections: STANDARD_CONNECTIONS.to_vec(),
            paths: Path::ALL.to_vec(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            output: PathBuf::new(),
            stage: StageOptions::default(),
        }
    }

    #[test]
    fn only_a_standard_run_writes_the_files_that_are_quoted() {
        let name = |change: fn(&mut Options)| {
            let mut options = standard(STANDARD_ROWS, 5);
            change(&mut options);
            options.name()
        };
        assert_eq!(name(|_| ()), "results");
        assert_eq!(name(|options| options.rounds = 6), "results");
        let parts: [fn(&mut Options); 6] = [
            |options| options.rounds = 4,
            |options| options.rows = 10,
            |options| options.tenants = 2,
            |options| options.seconds = Duration::from_millis(900),
            |options| options.paths.truncate(4),
            |options| options.connections = vec![1, 64, 256],
        ];
        for part in parts {
            assert_eq!(name(part), "results-partial");
        }
    }

    #[test]
    fn many_rows_need_only_what_is_compared() {
        let mut options = standard(MANY_ROWS, 3);
        options.paths = vec![Path::SetAuth, Path::HandOut];
        options.connections = vec![64];
        assert_eq!(options.name(), "results-5000000");
        options.rounds = 2;
        assert_eq!(options.name(), "results-partial");
        options.rounds = 3;
        options.connections = vec![256];
        assert_eq!(options.name(), "results-partial");
    }

    #[test]
    fn a_constant_rate_counts_for_five_seconds_unless_the_cells_are_tiny() {
        let mut options = standard(STANDARD_ROWS, 5);
        assert_eq!(options.steady(), STEADY);
        options.seconds = Duration::from_millis(200);
        assert_eq!(options.steady().0, options.seconds);
    }
}
