//! `keyway bench`: the server as it is shipped, under load, beside pgbench running the same SQL functions on the same
//! database in the same minutes. Ratios between the two hold where absolute figures move with the machine and the hour.
//!
//! It works on a private Postgres of its own and may know the store and the keys as the command line does; nothing of
//! the server knows it. Rows are seeded as superuser, in bulk: the one place outside the store with statements.

mod check;
mod choice;
mod copy;
mod error;
mod field;
mod http;
mod ids;
mod load;
mod median;
mod notes;
mod options;
mod path;
mod pgbench;
mod proc;
mod read_back;
mod report;
mod results;
mod run;
mod scripts;
mod seed;
mod server;
mod stage;
mod table;
mod tables;
mod targets;
mod template;
mod world;

use std::pin::pin;
use std::sync::Arc;

pub use error::BenchError;
use field::Field;
pub use options::Options;
pub use path::Path;
use pgbench::Pgbench;
pub use report::Report;
pub use results::{Cell, Results};
use run::Run;
use stage::Stage;
pub use stage::StageOptions;
pub use targets::STANDARD_ROWS;

/// Runs a bench, and leaves no process and no directory behind, whether it ends, fails or is stopped by `stop`.
/// `done` hears of every cell.
///
/// # Errors
/// `Control` where the checks cannot be trusted; all others say what was attempted.
pub async fn run(
    options: &Options,
    done: &dyn Fn(&Cell),
    stop: impl Future<Output = ()>,
) -> Result<Report, BenchError> {
    options.check()?;
    let pgbench = Pgbench::find(options.stage.bin_dir.as_deref())?;
    let address = server::free_address(options.address)?;
    let mut stage = Stage::claim(&options.stage)?;
    let mut stop = pin!(stop);
    let root = tokio::select! {
        root = stage.open(&options.stage) => root,
        () = &mut stop => Err(BenchError::Stopped),
    };
    let root = match root {
        Ok(root) => root,
        Err(error) => return stage.close().await.and(Err(error)),
    };
    let mut field = Field {
        stage,
        address,
        world: Arc::new(world::World::new(0, 0, Vec::new())),
        pgbench,
        server: None,
    };
    let outcome = tokio::select! {
        outcome = measured(options, &mut field, &root, done) => outcome,
        () = &mut stop => Err(BenchError::Stopped),
    };
    // The server first: its connections end before their database.
    let stopped = match field.server.take() {
        Some(server) => server.stop().await,
        None => Ok(()),
    };
    let closed = field.stage.close().await;
    let report = outcome?;
    stopped.and(closed).map(|()| report)
}

async fn measured(
    options: &Options,
    field: &mut Field,
    root: &crate::crypto::RootKey,
    done: &dyn Fn(&Cell),
) -> Result<Report, BenchError> {
    let (tenants, per_tenant) = (options.tenants, options.per_tenant());
    tracing::info!(rows = tenants * per_tenant, "seeding");
    let seeded = seed::seed(&field.stage, root, tenants, per_tenant).await?;
    let seed = results::Seed {
        seconds: seeded.seconds,
        rows_per_second: f64::from(tenants * per_tenant) / seeded.seconds,
    };
    Pgbench::prepare(&field.stage, &seeded).await?;
    field.world = Arc::new(seeded.world);
    let mut run = Run::default();
    run.starts(field).await?;
    run.idle(field).await?;
    tracing::info!("control: ids that are not the caller's");
    run.control(field, options).await?;
    tracing::info!(
        rounds = options.rounds,
        cells = options.cells(),
        "measuring"
    );
    run.rounds(field, options, done).await?;
    let summary = median::summary(&run.cells, report::cores());
    let machine = report::machine(field).await?;
    report::written(options, machine, seed, run, summary)
}
