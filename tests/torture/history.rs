//! What may be read of one object, by what its writers were told: the judgement behind lost, phantom and torn.
//!
//! The rule is linearizability of a register. A write that was acknowledged happened between its begin and its end; an
//! unknown one (5xx, broken connection) at any time after its begin, or never; a refused one (4xx, or not sent whole)
//! never. A read may answer with a write unless another acknowledged write began after that one had ended, and ended
//! before the read began.

use std::collections::{HashMap, HashSet};

/// Nanoseconds since the ledger began.
pub type Tick = u64;

/// What a writer knows of its write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 2xx, read to its end.
    Acknowledged,
    /// 5xx, no answer, or half of one: it happened or it did not.
    Unknown,
    /// 4xx, or not sent to its end: it did not happen.
    Refused,
}

/// One write: of a number that nothing else ever writes, or of nothing (the deletion of a credential).
#[derive(Debug, Clone, Copy)]
struct Write {
    number: u64,
    clears: bool,
    begun: Tick,
    /// When it was acknowledged, or given up.
    ended: Option<Tick>,
    acknowledged: bool,
}

impl Write {
    /// The time by which it has certainly happened, if it has happened at all.
    fn settled(&self) -> Tick {
        if self.acknowledged {
            self.ended.unwrap_or(Tick::MAX)
        } else {
            Tick::MAX
        }
    }
}

/// What a reader found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// This number, in every part.
    Number(u64),
    /// The object without a value.
    Nothing,
    /// Parts that do not belong together, or no value that was ever made.
    Torn(String),
    /// No such object.
    Gone,
}

/// What must never be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Acknowledged and absent.
    Lost(String),
    /// Refused, or never asked for, yet present.
    Phantom(String),
    /// Half of a change.
    Torn(String),
}

/// A legal finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Legal {
    /// The write that was found; `None` for a deletion and for the beginning.
    pub number: Option<u64>,
    /// An unknown write that was given up before a later one was acknowledged, and happened after it.
    pub late: bool,
}

/// The writes of one object since its value was last certain.
#[derive(Debug, Default)]
pub struct History {
    open: Vec<Write>,
    refused: HashSet<u64>,
    /// Numbers that a later acknowledged write has replaced, and when that one was acknowledged.
    replaced: HashMap<u64, Tick>,
    /// The same for deletions: the latest such time.
    deletion_replaced: Option<Tick>,
    changed: bool,
}

impl History {
    /// An object that certainly holds this.
    pub fn holding(number: Option<u64>) -> Self {
        let mut history = Self::default();
        history.settle(number);
        history
    }

    /// A write is on its way.
    pub fn begin(&mut self, number: u64, clears: bool, begun: Tick) {
        self.changed = true;
        self.open.push(Write {
            number,
            clears,
            begun,
            ended: None,
            acknowledged: false,
        });
    }

    /// Its writer knows what became of it.
    pub fn end(&mut self, number: u64, outcome: Outcome, ended: Tick) {
        let Some(index) = self.open.iter().position(|write| write.number == number) else {
            panic!("write {number} ended and never began");
        };
        match outcome {
            Outcome::Refused => {
                let write = self.open.swap_remove(index);
                if !write.clears {
                    self.refused.insert(number);
                }
            }
            Outcome::Unknown => self.open[index].ended = Some(ended),
            Outcome::Acknowledged => {
                self.open[index].ended = Some(ended);
                self.open[index].acknowledged = true;
                self.replace(self.open[index].begun, ended);
            }
        }
    }

    /// Forgets all but the number of what ended before `begun`, since the write of that time is acknowledged now.
    fn replace(&mut self, begun: Tick, now: Tick) {
        let (replaced, deletion) = (&mut self.replaced, &mut self.deletion_replaced);
        self.open.retain(|write| {
            let stays = write.settled() >= begun;
            if !stays && write.clears {
                *deletion = Some(now);
            } else if !stays {
                replaced.insert(write.number, now);
            }
            stays
        });
    }

    /// To be compared, though nothing was written.
    pub fn touch(&mut self) {
        self.changed = true;
    }

    /// Whether there were writes since the value was last certain.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// May a read that began at `begun` have found this?
    pub fn judge(&self, seen: &Seen, begun: Tick) -> Result<Legal, Fault> {
        let number = match seen {
            Seen::Torn(what) => return Err(Fault::Torn(what.clone())),
            Seen::Gone => return Err(Fault::Lost("the object is not there".into())),
            Seen::Number(number) => Some(*number),
            Seen::Nothing => None,
        };
        let found = |write: &&Write| match number {
            Some(number) => !write.clears && write.number == number,
            None => write.clears,
        };
        let mut known = false;
        for write in self.open.iter().filter(found) {
            known = true;
            let after = |other: &&Write, than: Tick| {
                let ended = other.ended.unwrap_or(Tick::MAX);
                other.acknowledged && ended < begun && other.begun > than
            };
            if !self.open.iter().any(|other| after(&other, write.settled())) {
                let given_up = write.ended.unwrap_or(Tick::MAX);
                let late =
                    !write.acknowledged && self.open.iter().any(|other| after(&other, given_up));
                return Ok(Legal { number, late });
            }
        }
        let replaced = match number {
            Some(number) => self.replaced.get(&number).copied(),
            None => self.deletion_replaced,
        };
        match (replaced, number) {
            (Some(at), _) if begun <= at => Ok(Legal {
                number,
                late: false,
            }),
            (Some(_), _) => Err(Fault::Lost(format!("{seen:?} is older than acknowledged"))),
            (None, _) if known => Err(Fault::Lost(format!("{seen:?} is older than acknowledged"))),
            (None, Some(number)) if self.refused.contains(&number) => {
                Err(Fault::Phantom(format!("write {number} was refused")))
            }
            (None, Some(number)) => Err(Fault::Phantom(format!(
                "write {number} was never made to this object"
            ))),
            (None, None) => Err(Fault::Lost("nobody has deleted it".into())),
        }
    }

    /// What a fresh session found is certain from now on: nothing is on its way any more.
    pub fn settle(&mut self, number: Option<u64>) {
        *self = Self {
            open: vec![Write {
                number: number.unwrap_or_default(),
                clears: number.is_none(),
                begun: 0,
                ended: Some(0),
                acknowledged: true,
            }],
            // A refused write stays refused for ever.
            refused: std::mem::take(&mut self.refused),
            ..Self::default()
        };
    }
}
