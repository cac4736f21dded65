//! After the writes: what lies in the rows that were written, beside what was written last.

use std::net::SocketAddr;
use std::sync::Arc;

use rand::RngExt as _;
use tokio::task::JoinSet;

use super::check::{Wrong, check};
use super::error::{BenchError, attempting};
use super::http::Line;
use super::path::Path;
use super::template::{Target, Template};
use super::world::{Row, World};

/// How many rows are read, some of them twice where fewer were written.
const SAMPLE: u32 = 1_024;
/// How many connections share them.
const CONNECTIONS: usize = 16;

/// What came of it.
#[derive(Debug, Default)]
pub struct Read {
    /// Hand-outs that were asked for.
    pub compared: u64,
    /// Those that were not what was written last.
    pub wrong: u64,
    /// What the first of them was.
    pub first: Option<String>,
}

/// Hands out a sample of the written rows. Nobody may write meanwhile.
pub async fn compare(address: SocketAddr, world: &Arc<World>) -> Result<Read, BenchError> {
    let rows = sample(world);
    let mut readers = JoinSet::new();
    for part in rows.chunks(rows.len().div_ceil(CONNECTIONS).max(1)) {
        readers.spawn(read(address, Arc::clone(world), part.to_vec()));
    }
    let mut all = Read::default();
    while let Some(part) = readers.join_next().await {
        let part = part.map_err(attempting("reading back what was written"))?;
        all.compared += part.compared;
        all.wrong += part.wrong;
        all.first = all.first.or(part.first);
    }
    Ok(all)
}

/// Rows that were written and of which it is known what must lie in them.
fn sample(world: &World) -> Vec<Row> {
    let mut random = rand::rng();
    let next = |from: u32| {
        let onward = (from..world.rows()).chain(0..from);
        let mut rows = onward.map(|index| world.row(index));
        rows.find(|row| world.generation(*row).is_some_and(|last| last > 0))
    };
    (0..SAMPLE)
        .map_while(|_| next(random.random_range(0..world.rows())))
        .collect()
}

async fn read(address: SocketAddr, world: Arc<World>, rows: Vec<Row>) -> Read {
    let path = Path::HandOut;
    let mut template = Template::of(path);
    let mut line = Line::new(address);
    let mut read = Read::default();
    for row in rows {
        let target = Target::connection(row, 0);
        let wrong = match line.ask(template.render(&world, target)).await {
            Ok(answer) => {
                let last = world.generation(row);
                match check(path, target, last, answer.status, answer.body) {
                    Ok(()) => None,
                    Err(Wrong::Status(status)) => Some(format!("read back: status {status}")),
                    Err(Wrong::Body) => Some("read back: not what was written last".to_owned()),
                }
            }
            Err(error) => Some(format!("read back: {error}")),
        };
        read.compared += 1;
        read.wrong += u64::from(wrong.is_some());
        read.first = read.first.or(wrong);
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_written_rows_are_read_back() {
        let world = World::new(3, 4, vec!["a".into(), "b".into(), "c".into()]);
        assert!(sample(&world).is_empty());
        world.wrote(world.row(1), Some(3));
        world.wrote(world.row(4), Some(1));
        world.wrote(world.row(5), None);
        let rows = sample(&world);
        assert_eq!(rows.len(), 1_024);
        assert!(rows.iter().all(|row| row.index == 1 || row.index == 4));
    }
}
