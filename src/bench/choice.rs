//! Which row the next request names, and what must come back.

use rand::RngExt as _;
use rand::rngs::ThreadRng;

use super::check::{Wrong, check};
use super::http::Answer;
use super::path::Path;
use super::template::Target;
use super::world::{Row, World};

/// Added to the number of an unseeded row, in the control.
const NOWHERE: u64 = 90_000_000_000;

/// Chooses for one of several connections, which share the rows out among them where they write: so it is known what
/// must lie in each.
#[derive(Debug)]
pub struct Chooser {
    path: Path,
    /// This one's place, and how many there are.
    part: (u32, u32),
    wrong_ids: bool,
    random: ThreadRng,
    asked: u64,
}

/// What one request is about.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// What is asked for.
    pub target: Target,
    row: Option<Row>,
    generation: Option<u32>,
    /// Whether it must be refused.
    refused: bool,
}

impl Chooser {
    /// For connection `part.0` of `part.1`. With `wrong_ids` every choice is another tenant's row, or none at all.
    pub fn new(path: Path, part: (u32, u32), wrong_ids: bool) -> Self {
        Self {
            path,
            part,
            wrong_ids,
            random: rand::rng(),
            asked: 0,
        }
    }

    /// The next one.
    pub fn next(&mut self, world: &World) -> Choice {
        self.asked += 1;
        let mut choice = match self.path {
            Path::SetAuth => {
                let row = self.own_row(world);
                // Above all that were sent, where it is not known which of them was stored.
                let generation = world.generation(row).map_or_else(
                    || self.random.random_range(1 << 30..1 << 31),
                    |last| last + 1,
                );
                Choice {
                    target: Target::connection(row, generation),
                    row: Some(row),
                    generation: Some(generation),
                    refused: false,
                }
            }
            Path::HandOut | Path::HandOutBatched => {
                let row = world.row(self.random.random_range(0..world.rows()));
                let generation = world.generation(row);
                Choice {
                    target: Target::connection(row, 0),
                    row: Some(row),
                    generation,
                    refused: false,
                }
            }
            Path::PatchComposio | Path::PatchLangdock => {
                let tenant = self.random.random_range(1..=world.tenants);
                Choice {
                    target: Target::config(self.path, tenant),
                    row: None,
                    generation: None,
                    refused: false,
                }
            }
        };
        if self.wrong_ids {
            // In turn the next tenant's key for this row, and the right key for a row that is not there.
            if self.asked.is_multiple_of(2) {
                choice.target.tenant = choice.target.owner % world.tenants + 1;
            } else {
                choice.target.number += NOWHERE;
            }
            choice.row = None;
            choice.refused = true;
        }
        choice
    }

    fn own_row(&mut self, world: &World) -> Row {
        let (place, parts) = self.part;
        let mine = (world.rows() - place).div_ceil(parts);
        world.row(place + parts * self.random.random_range(0..mine))
    }
}

impl Choice {
    /// Checks the answer, or what came instead, and remembers what lies in the row now.
    pub fn judge(
        &self,
        path: Path,
        world: &World,
        answer: Result<&Answer<'_>, &std::io::Error>,
    ) -> Result<(), String> {
        let verdict = match answer {
            // Nothing else will do: a server that is down or overloaded refuses everything.
            Ok(answer) if self.refused => match answer.status {
                status if status == path.refusal() => Ok(()),
                status => Err(format!("status {status}")),
            },
            Ok(answer) => check(
                path,
                self.target,
                self.generation,
                answer.status,
                answer.body,
            )
            .map_err(|wrong| match wrong {
                Wrong::Status(status) => format!("status {status}"),
                Wrong::Body => "200 with a wrong body".to_owned(),
            }),
            Err(error) => Err(error.to_string()),
        };
        if path == Path::SetAuth
            && let Some(row) = self.row
        {
            world.wrote(row, self.generation.filter(|_| verdict.is_ok()));
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::ids;

    fn world() -> World {
        World::new(3, 4, vec!["a".into(), "b".into(), "c".into()])
    }

    #[test]
    fn connections_write_to_rows_of_their_own() {
        let world = world();
        for parts in 1..=6 {
            for place in 0..parts {
                let mut chooser = Chooser::new(Path::SetAuth, (place, parts), false);
                for _ in 0..50 {
                    let row = chooser.next(&world).row.unwrap();
                    assert!(row.index < world.rows());
                    assert_eq!(row.index % parts, place);
                }
            }
        }
    }

    #[test]
    fn wrong_ids_are_never_the_callers_own() {
        let world = world();
        for path in Path::ALL {
            let mut chooser = Chooser::new(path, (0, 1), true);
            for _ in 0..50 {
                let target = chooser.next(&world).target;
                let foreign = target.tenant != target.owner;
                assert!(foreign || target.number > ids::connection(3, 4));
            }
        }
    }

    #[test]
    fn only_the_refusal_of_unknown_ids_passes_the_control() {
        let world = world();
        for path in Path::ALL {
            let choice = Chooser::new(path, (0, 1), true).next(&world);
            let judged = |status| {
                choice.judge(
                    path,
                    &world,
                    Ok(&Answer {
                        status,
                        body: b"{}",
                    }),
                )
            };
            assert_eq!(judged(path.refusal()), Ok(()));
            for status in [200, 400, 401, 429, 500, 503] {
                assert_eq!(judged(status), Err(format!("status {status}")));
            }
            let gone = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            assert!(choice.judge(path, &world, Err(&gone)).is_err());
        }
    }

    #[test]
    fn a_failed_write_leaves_the_row_unknown_and_a_right_one_known() {
        let world = world();
        let choice = Chooser::new(Path::SetAuth, (0, 1), false).next(&world);
        let row = choice.row.unwrap();
        let answer = |status| Answer {
            status,
            body: br#"{"success":true}"#,
        };
        assert!(
            choice
                .judge(Path::SetAuth, &world, Ok(&answer(200)))
                .is_ok()
        );
        assert_eq!(world.generation(row), Some(1));
        let failed = choice.judge(Path::SetAuth, &world, Ok(&answer(503)));
        assert_eq!(failed, Err("status 503".to_owned()));
        assert_eq!(world.generation(row), None);
    }
}
