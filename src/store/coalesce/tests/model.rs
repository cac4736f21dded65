//! A link in memory: it does what its script says, and records every call.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::{Failure, Link};
use super::ms;
use crate::domain::Error;

/// How long a connection takes to be made.
pub(super) const CONNECT: Duration = ms(3);
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Plain,
    /// A call with it is refused.
    Poison,
    /// A call with it panics before anything is done.
    Bomb,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// It is done after that many milliseconds.
    Takes(u64),
    /// The connection breaks, after the commit or before it.
    Breaks { committed: bool },
    /// It never ends, after the commit or before it.
    Hangs { committed: bool },
    /// It is committed, and a reply is missing.
    Miscounts,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Rising with the arrival.
    pub(super) id: usize,
    pub(super) key: u8,
    pub(super) nature: Nature,
}

/// A plain item.
pub(super) fn plain(id: usize) -> Item {
    item(id, Nature::Plain)
}

pub(super) fn item(id: usize, nature: Nature) -> Item {
    Item { id, key: 0, nature }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Refused,
    Broken,
    Panicked,
    Miscounted,
    /// The lane dropped it.
    Cut,
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) ids: Vec<usize>,
    pub(super) at: Instant,
    pub(super) course: Course,
    pub(super) end: End,
}

/// What the other side of the connection has seen.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) script: VecDeque<Course>,
    /// The database is away: connecting takes that long and fails.
    pub(super) away: Option<Duration>,
    pub(super) calls: Vec<Call>,
    pub(super) applied: Vec<Item>,
    pub(super) connects: usize,
    /// The link is gone.
    pub(super) dropped: bool,
}

pub(super) type Shared = Arc<Mutex<World>>;

pub(super) struct Model {
    world: Shared,
    connected: bool,
}

impl Model {
    pub(super) fn new(world: World) -> (Self, Shared) {
        let world = Arc::new(Mutex::new(world));
        let model = Self {
            world: Arc::clone(&world),
            connected: false,
        };
        (model, world)
    }

    pub(super) fn following(script: impl IntoIterator<Item = Course>) -> (Self, Shared) {
        Self::new(World {
            script: script.into_iter().collect(),
            ..World::default()
        })
    }

    /// Does the items, where the course says so, and answers each with its own id.
    fn commit(&self, items: &[&Item]) -> Vec<usize> {
        let mut world = self.world.lock().unwrap();
        world.applied.extend(items.iter().copied().cloned());
        items.iter().map(|item| item.id).collect()
    }

    fn end(&self, end: End) {
        self.world.lock().unwrap().calls.last_mut().unwrap().end = end;
    }

    fn break_off(&mut self) -> Failure {
        self.connected = false;
        self.end(End::Broken);
        Failure::Broken(Error::internal("the connection broke"))
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.world.lock().unwrap().dropped = true;
    }
}

impl Link for Model {
    type Item = Item;
    type Reply = usize;
    type Key = u8;

    const NAME: &'static str = "model";

    fn key(item: &Item) -> u8 {
        assert!(item.key != u8::MAX, "a key that cannot be told");
        item.key
    }

    async fn call(&mut self, items: &[&Item]) -> Result<Vec<usize>, Failure> {
        let (course, away) = {
            let mut world = self.world.lock().unwrap();
            let course = world.script.pop_front().unwrap_or(Course::Takes(2));
            world.calls.push(Call {
                ids: items.iter().map(|item| item.id).collect(),
                at: Instant::now(),
                course,
                end: End::Cut,
            });
            (course, world.away)
        };
        if let Some(away) = away {
            sleep(away).await;
            return Err(self.break_off());
        }
        if !self.connected {
            sleep(CONNECT).await;
            self.connected = true;
            self.world.lock().unwrap().connects += 1;
        }
        if let Course::Takes(time) = course {
            sleep(ms(time)).await;
        }
        for item in items {
            match item.nature {
                Nature::Plain => {}
                Nature::Poison => {
                    self.end(End::Refused);
                    return Err(Failure::Refused(poisoned(item.id)));
                }
                Nature::Bomb => {
                    self.end(End::Panicked);
                    // A panic without the hook, which would print it thousands of times.
                    resume_unwind(Box::new("a bomb"));
                }
            }
        }
        match course {
            Course::Takes(_) => {
                let replies = self.commit(items);
                self.end(End::Done);
                Ok(replies)
            }
            Course::Breaks { committed } => {
                if committed {
                    self.commit(items);
                }
                Err(self.break_off())
            }
            Course::Hangs { committed } => {
                if committed {
                    self.commit(items);
                }
                sleep(Duration::from_hours(1)).await;
                panic!("waited for an hour")
            }
            Course::Miscounts => {
                let mut replies = self.commit(items);
                replies.pop();
                self.end(End::Miscounted);
                Ok(replies)
            }
        }
    }

    fn disconnect(&mut self) {
        self.connected = false;
    }
}

/// The error of one poisoned item, which names it.
pub(super) fn poisoned(id: usize) -> Error {
    Error::Unavailable {
        reason: format!("poison {id}").into(),
        retry_after: ms(1_000),
    }
}
