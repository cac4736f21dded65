//! Where items wait: first in, first out, bounded, and answered where they wait too long.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::domain::Error;
use crate::store::error::unavailable;

/// An item and whom to answer.
pub(super) struct Waiting<I, R> {
    pub(super) item: I,
    since: Instant,
    answer: Option<oneshot::Sender<Result<R, Error>>>,
}

impl<I, R> Waiting<I, R> {
    pub(super) fn new(item: I, answer: oneshot::Sender<Result<R, Error>>) -> Self {
        Self {
            item,
            since: Instant::now(),
            answer: Some(answer),
        }
    }

    /// Tells the caller, once. One that is gone is told nothing.
    pub(super) fn answer(&mut self, outcome: Result<R, Error>) {
        if let Some(answer) = self.answer.take() {
            let _gone = answer.send(outcome);
        }
    }

    /// Whether somebody still wants the item done. Who has waited longer than `patience` is answered 503 instead.
    pub(super) fn is_wanted(&mut self, now: Instant, patience: Duration) -> bool {
        if self.answer.as_ref().is_none_or(oneshot::Sender::is_closed) {
            return false;
        }
        let waits = now.duration_since(self.since) <= patience;
        if !waits {
            self.answer(Err(waited_too_long()));
        }
        waits
    }
}

fn waited_too_long() -> Error {
    unavailable("the database did not get to the request in time; nothing was done")
}

/// What the task found when it asked for items.
pub(super) enum Found {
    /// That many waited; the first of them are the task's now.
    Items(usize),
    /// None: more may come.
    None,
    /// None, and none will come.
    Closed,
}

/// The items that no call has taken yet.
pub(super) struct Queue<I, R> {
    state: Mutex<State<I, R>>,
    most: usize,
    arrived: Notify,
    given_up: CancellationToken,
}

struct State<I, R> {
    waiting: VecDeque<Waiting<I, R>>,
    closed: bool,
}

impl<I, R> Queue<I, R> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                closed: false,
            }),
            most,
            arrived: Notify::new(),
            given_up: CancellationToken::new(),
        }
    }

    /// Puts an item at the end, or refuses it where the queue is full or closed: nothing was done then.
    pub(super) fn push(&self, new: Waiting<I, R>) -> Result<(), Error> {
        let mut state = self.state();
        if state.closed {
            return Err(unavailable("the server is stopping"));
        }
        if state.waiting.len() >= self.most {
            return Err(unavailable("too many requests wait for the database"));
        }
        state.waiting.push_back(new);
        // The task sleeps only where it has seen an empty queue.
        let first = state.waiting.len() == 1;
        drop(state);
        if first {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Moves the first items, at most `most`, into `batch`.
    pub(super) fn take(&self, most: usize, batch: &mut Vec<Waiting<I, R>>) -> Found {
        let mut state = self.state();
        let waiting = state.waiting.len();
        if waiting > 0 {
            batch.extend(state.waiting.drain(..waiting.min(most)));
            Found::Items(waiting)
        } else if state.closed {
            Found::Closed
        } else {
            Found::None
        }
    }

    /// Waits for the first item after [`Found::None`], or for the end.
    pub(super) async fn arrival(&self) {
        self.arrived.notified().await;
    }

    /// Answers 503 to everyone who waits longer than `patience`, as it happens. Runs beside a call.
    pub(super) async fn expire(&self, patience: Duration) -> Infallible {
        let mut expired = Vec::new();
        loop {
            let now = Instant::now();
            let next = {
                let mut state = self.state();
                loop {
                    // The first one is the oldest. Who arrives later is not due before `now + patience`.
                    let Some(first) = state.waiting.front() else {
                        break now + patience;
                    };
                    let due = first.since + patience;
                    if due >= now {
                        break due;
                    }
                    expired.extend(state.waiting.pop_front());
                }
            };
            for mut late in expired.drain(..) {
                late.answer(Err(waited_too_long()));
            }
            // The bound is exclusive, and the timer counts in milliseconds.
            sleep_until(next + Duration::from_millis(1)).await;
        }
    }

    /// Takes no more items.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.arrived.notify_one();
    }

    /// Has the task end now, whatever it does.
    pub(super) fn give_up(&self) {
        self.close();
        self.given_up.cancel();
    }

    /// Ends when [`Queue::give_up`] was called.
    pub(super) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }

    /// Whether [`Queue::give_up`] was called.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.is_cancelled()
    }

    fn state(&self) -> MutexGuard<'_, State<I, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task's end of the queue: when it goes, no caller waits for ever.
pub(super) struct Attended<'a, I, R>(pub(super) &'a Queue<I, R>);

impl<I, R> Drop for Attended<'_, I, R> {
    fn drop(&mut self) {
        self.0.close();
        let rest = mem::take(&mut self.0.state().waiting);
        for mut left in rest {
            left.answer(Err(unavailable("the server is stopping; nothing was done")));
        }
    }
}
