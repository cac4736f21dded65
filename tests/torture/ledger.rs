//! The ledger: every write and hand-out with what its client was told, and what was found against it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use uuid::Uuid;

use crate::history::{Fault, History, Outcome, Seen, Tick};

/// How many findings are kept as text.
const TOLD: usize = 20;

/// What a request does, as the audit log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    SetAuth,
    ClearAuth,
    HandOut,
    PatchConfig,
    PatchSetting,
    CreateConfig,
    CreateInstance,
}

impl Action {
    /// The action of its audit row.
    pub fn audited(self) -> &'static str {
        match self {
            Self::SetAuth => "connection.set_credential",
            Self::ClearAuth => "connection.clear_credential",
            Self::HandOut => "connection.hand_out",
            Self::PatchConfig => "auth_config.update",
            Self::PatchSetting => "integration.set_auth",
            Self::CreateConfig => "auth_config.create",
            Self::CreateInstance => "connection.create",
        }
    }
}

/// What an object is, and so how it is written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A connection: set-auth and hand-out of the Klavis dialect.
    Connection,
    /// An auth config: PATCH and GET of the Composio dialect.
    Config,
    /// An integration's auth setting: PATCH and GET of the Langdock dialect.
    Setting,
}

/// One object under test.
#[derive(Debug)]
pub struct Object {
    pub kind: Kind,
    /// The index of its tenant in the world.
    pub tenant: usize,
    /// Its id on the wire.
    pub id: String,
    history: Mutex<History>,
}

impl Object {
    /// An object that certainly holds this.
    pub fn new(kind: Kind, tenant: usize, id: &str, holds: Option<u64>) -> Self {
        Self {
            kind,
            tenant,
            id: id.to_owned(),
            history: Mutex::new(History::holding(holds)),
        }
    }

    /// To be compared with the next comparison, though nobody has written to it since it was made.
    pub fn touch(&self) {
        self.history.lock().unwrap().touch();
    }

    /// Whether it was written to since its value was last certain.
    pub fn changed(&self) -> bool {
        self.history.lock().unwrap().changed()
    }
}

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// The number that it writes, unlike every other's.
    pub number: u64,
    /// Its `x-request-id`.
    pub request: Uuid,
    pub action: Action,
    begun: Tick,
}

/// What was asked and what was found, so far.
#[derive(Debug, Default, Clone, Copy, serde::Serialize)]
pub struct Counts {
    /// Acknowledged writes.
    pub acknowledged: u64,
    /// Credentials handed out, each compared.
    pub handed_out: u64,
    pub unknown: u64,
    pub refused: u64,
    pub lost: u64,
    pub phantom: u64,
    pub torn: u64,
    /// Audit rows that are missing, double, or of a refused request.
    pub audit: u64,
    /// Valid requests that were answered 4xx, failures that were not 503, 503 without `Retry-After`.
    pub wrong: u64,
    /// Legal: an unknown write that happened after a later acknowledged one.
    pub late: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Ledger {
    start: Instant,
    numbers: AtomicU64,
    counts: Mutex<Counts>,
    findings: Mutex<Vec<String>>,
    /// What the audit log must say of each request.
    requests: Mutex<HashMap<Uuid, (Action, Outcome)>>,
    /// The request of each number that was written.
    writers: Mutex<HashMap<u64, Uuid>>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            numbers: AtomicU64::new(1),
            counts: Mutex::default(),
            findings: Mutex::default(),
            requests: Mutex::default(),
            writers: Mutex::default(),
        }
    }
}

impl Ledger {
    /// The time, on the ledger's clock.
    pub fn now(&self) -> Tick {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap()
    }

    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap()
    }

    /// The first findings, as text.
    pub fn findings(&self) -> Vec<String> {
        self.findings.lock().unwrap().clone()
    }

    fn attempt(&self, action: Action) -> Attempt {
        Attempt {
            number: self.numbers.fetch_add(1, Ordering::Relaxed),
            request: Uuid::new_v4(),
            action,
            begun: self.now(),
        }
    }

    /// A request that changes no known object (a creation) is about to be sent.
    pub fn begin(&self, action: Action) -> Attempt {
        self.attempt(action)
    }

    /// A write to this object is about to be sent.
    pub fn begin_write(&self, object: &Object, action: Action) -> Attempt {
        let attempt = self.attempt(action);
        let clears = action == Action::ClearAuth;
        let mut history = object.history.lock().unwrap();
        history.begin(attempt.number, clears, attempt.begun);
        attempt
    }

    /// The write's client knows what became of it.
    pub fn end_write(&self, object: &Object, attempt: Attempt, outcome: Outcome) {
        let now = self.now();
        let mut history = object.history.lock().unwrap();
        history.end(attempt.number, outcome, now);
        drop(history);
        self.end(attempt, outcome);
    }

    /// A deletion was acknowledged that found nothing to delete, so it was none: it has seen that there is nothing, and
    /// has no audit row. One that was sent again may have deleted the first time.
    pub fn end_void(&self, object: &Object, attempt: Attempt, sent_again: bool) {
        let outcome = if sent_again {
            Outcome::Acknowledged
        } else {
            Outcome::Refused
        };
        let mut history = object.history.lock().unwrap();
        history.end(attempt.number, outcome, self.now());
        let judged = history.judge(&Seen::Nothing, attempt.begun);
        drop(history);
        if let Err(fault) = judged {
            self.found(&fault, object);
        }
        self.count().acknowledged += 1;
        let audited = if sent_again {
            Outcome::Unknown
        } else {
            Outcome::Refused
        };
        let expected = (attempt.action, audited);
        self.requests
            .lock()
            .unwrap()
            .insert(attempt.request, expected);
    }

    /// The same for a request that changes no known object.
    pub fn end(&self, attempt: Attempt, outcome: Outcome) {
        let mut counts = self.count();
        match outcome {
            Outcome::Acknowledged => counts.acknowledged += 1,
            Outcome::Unknown => counts.unknown += 1,
            Outcome::Refused => counts.refused += 1,
        }
        drop(counts);
        let expected = (attempt.action, outcome);
        self.requests
            .lock()
            .unwrap()
            .insert(attempt.request, expected);
        self.writers
            .lock()
            .unwrap()
            .insert(attempt.number, attempt.request);
    }

    /// A read has answered, or has not (`None`). What it found is judged; a hand-out needs its audit row.
    pub fn end_read(&self, object: &Object, attempt: Attempt, seen: Option<&Seen>) {
        self.expect_read(attempt, seen);
        let Some(seen) = seen else { return };
        let judged = object.history.lock().unwrap().judge(seen, attempt.begun);
        if let Err(fault) = judged {
            self.found(&fault, object);
        }
    }

    /// What the audit log must say of a read.
    fn expect_read(&self, attempt: Attempt, seen: Option<&Seen>) {
        let hands_out = attempt.action == Action::HandOut;
        let outcome = match seen {
            Some(Seen::Number(_) | Seen::Torn(_)) => Outcome::Acknowledged,
            // Nothing was handed out: nothing is audited.
            Some(Seen::Nothing | Seen::Gone) => Outcome::Refused,
            None => Outcome::Unknown,
        };
        if hands_out {
            let expected = (attempt.action, outcome);
            self.requests
                .lock()
                .unwrap()
                .insert(attempt.request, expected);
        }
        if hands_out && outcome == Outcome::Acknowledged {
            self.count().handed_out += 1;
        }
    }

    /// What a fresh session found, while nothing was on its way: it is judged, and certain from now on.
    pub fn settle(&self, object: &Object, attempt: Attempt, seen: &Seen) {
        self.expect_read(attempt, Some(seen));
        let mut history = object.history.lock().unwrap();
        let judged = history.judge(seen, attempt.begun);
        history.settle(match seen {
            Seen::Number(number) => Some(*number),
            _ => None,
        });
        drop(history);
        match judged {
            Ok(legal) => {
                self.count().late += u64::from(legal.late);
                if let Some(number) = legal.number {
                    self.happened(number);
                }
            }
            Err(fault) => self.found(&fault, object),
        }
    }

    /// A write of unknown outcome is there: its audit row must be, too.
    pub fn happened(&self, number: u64) {
        let Some(request) = self.writers.lock().unwrap().get(&number).copied() else {
            return;
        };
        if let Some((_, outcome)) = self.requests.lock().unwrap().get_mut(&request) {
            *outcome = Outcome::Acknowledged;
        }
    }

    /// Takes down what must never be found.
    pub fn found(&self, fault: &Fault, object: &Object) {
        let mut counts = self.count();
        match fault {
            Fault::Lost(_) => counts.lost += 1,
            Fault::Phantom(_) => counts.phantom += 1,
            Fault::Torn(_) => counts.torn += 1,
        }
        drop(counts);
        self.tell(format!("{:?} {}: {fault:?}", object.kind, object.id));
    }

    /// Takes down an answer that was no legal one.
    pub fn wrong(&self, what: String) {
        self.count().wrong += 1;
        self.tell(what);
    }

    fn tell(&self, what: String) {
        let mut findings = self.findings.lock().unwrap();
        if findings.len() < TOLD {
            findings.push(what);
        }
    }

    fn count(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap()
    }

    /// Compares with the audit log: its rows by request and action. Each acknowledged request has exactly one of its
    /// action, an unknown one at most one, a refused one none of any action.
    pub fn audit(&self, rows: &HashMap<Uuid, HashMap<String, u64>>) {
        for (request, (action, outcome)) in self.requests.lock().unwrap().iter() {
            let of_request = rows.get(request);
            let own = of_request.and_then(|rows| rows.get(action.audited()));
            let own = own.copied().unwrap_or_default();
            let legal = match outcome {
                Outcome::Acknowledged => own == 1,
                Outcome::Unknown => own <= 1,
                Outcome::Refused => of_request.is_none(),
            };
            if !legal {
                self.count().audit += 1;
                self.tell(format!(
                    "{outcome:?} {action:?} {request} has these audit rows: {of_request:?}"
                ));
            }
        }
    }
}
