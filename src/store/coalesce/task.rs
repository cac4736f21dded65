//! The task of a lane: takes what waits, calls, tells each caller its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::select;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use super::meters::Meters;
use super::queue::{Attended, Found, Queue, Waiting};
use super::{Failure, Limits, Link};
use crate::domain::Error;
use crate::store::error::unavailable;

/// Works until the queue is closed and empty, or given up. A panic costs the items of the call, not the lane.
pub(super) async fn attend<L: Link>(link: L, queue: Arc<Queue<L::Item, L::Reply>>, limits: Limits) {
    let _attended = Attended(&queue);
    let mut task = Task {
        link,
        queue: &queue,
        limits,
        meters: None,
        breaks: 0,
    };
    // What was taken is dropped by the panic, and its callers see that.
    while AssertUnwindSafe(task.work()).catch_unwind().await.is_err() {
        task.fault::<L::Reply>("the lane's task panicked");
    }
    task.disconnect();
}

struct Task<'a, L: Link> {
    link: L,
    queue: &'a Queue<L::Item, L::Reply>,
    limits: Limits,
    /// Made with the first item, so that a recorder that is installed after the lane's start is still met.
    meters: Option<Meters>,
    /// Broken calls in a row.
    breaks: u32,
}

/// How a call ended.
enum Outcome<R> {
    /// As many replies as items.
    Done(Vec<R>),
    Refused(Error),
    /// Unknown: the connection is gone.
    Broken,
    /// Unknown, by our own fault; what it was.
    Fault(&'static str),
}

fn unknown() -> Error {
    unavailable("the connection to the database broke; whether the request was done is unknown")
}

fn not_sent_again() -> Error {
    unavailable("the database could not be asked again in time; nothing was done")
}

impl<L: Link> Task<'_, L> {
    async fn work(&mut self) {
        let mut batch = Vec::with_capacity(self.limits.batch);
        let mut order = Vec::with_capacity(self.limits.batch);
        let mut turns = Vec::with_capacity(self.limits.batch);
        while !self.queue.is_given_up() {
            match self.queue.take(self.limits.batch, &mut batch) {
                Found::Items(waiting) => self.meters().waiting(waiting),
                Found::None => {
                    if let Some(meters) = &self.meters {
                        meters.waiting(0);
                    }
                    self.queue.arrival().await;
                    // Callers that are ready now come along; this waits for nobody.
                    yield_now().await;
                    continue;
                }
                Found::Closed => return,
            }
            let patience = match self.breaks {
                0 => self.limits.wait,
                _ => self.limits.wait_broken,
            };
            let now = Instant::now();
            batch.retain_mut(|waiting| waiting.is_wanted(now, patience));
            // Arrival is the second part of the key, so that equal keys keep it.
            let keyed = batch
                .iter()
                .enumerate()
                .map(|(at, waiting)| (L::key(&waiting.item), at));
            order.extend(keyed);
            order.sort_unstable();
            turns.extend(order.drain(..).map(|(_, at)| at));
            if !batch.is_empty() {
                self.settle(&mut batch, &turns).await;
            }
            turns.clear();
            batch.clear();
            if self.breaks > 1 {
                select! {
                    () = sleep(self.limits.pause) => {}
                    () = self.queue.given_up() => {}
                }
            }
        }
    }

    /// Executes the items, `turns` being their order, and answers each of them.
    async fn settle(&mut self, batch: &mut [Waiting<L::Item, L::Reply>], turns: &[usize]) {
        let outcome = {
            let items: Vec<_> = turns.iter().map(|&at| &batch[at].item).collect();
            self.call(&items).await
        };
        match outcome {
            Outcome::Done(replies) => {
                for (&at, reply) in turns.iter().zip(replies) {
                    batch[at].answer(Ok(reply));
                }
            }
            Outcome::Refused(error) => match batch {
                [alone] => alone.answer(Err(error)),
                several => self.settle_one_by_one(several, turns).await,
            },
            Outcome::Broken => {
                for waiting in batch {
                    waiting.answer(Err(unknown()));
                }
            }
            Outcome::Fault(fault) => {
                for waiting in batch {
                    waiting.answer(Err(Error::internal(fault)));
                }
            }
        }
    }

    /// Executes the items of a refused call each for itself, as far as the connection and the time last.
    async fn settle_one_by_one(
        &mut self,
        batch: &mut [Waiting<L::Item, L::Reply>],
        turns: &[usize],
    ) {
        let end = Instant::now() + self.limits.call;
        let mut lost = false;
        for &at in turns {
            let alone = &mut batch[at];
            if lost || Instant::now() >= end {
                alone.answer(Err(not_sent_again()));
                continue;
            }
            let outcome = match self.call(&[&alone.item]).await {
                Outcome::Done(mut replies) => replies.pop().ok_or_else(unknown),
                Outcome::Refused(error) => Err(error),
                Outcome::Broken => {
                    lost = true;
                    Err(unknown())
                }
                Outcome::Fault(fault) => Err(Error::internal(fault)),
            };
            alone.answer(outcome);
        }
    }

    /// One call, within its deadline. The connection is forgotten where its state is not known any more.
    async fn call(&mut self, items: &[&L::Item]) -> Outcome<L::Reply> {
        self.meters().called(items.len());
        let answer = {
            let link = &mut self.link;
            let call = AssertUnwindSafe(async move { link.call(items).await }).catch_unwind();
            select! {
                biased;
                answer = call => answer,
                () = self.queue.given_up() => Ok(Err(Failure::Broken(unavailable(
                    "the server stopped before the database had answered",
                )))),
                () = sleep(self.limits.call) => Ok(Err(Failure::Broken(unavailable(
                    "the database did not answer in time",
                )))),
                never = self.queue.expire(self.limits.wait) => match never {},
            }
        };
        match answer {
            Ok(Ok(replies)) if replies.len() == items.len() => {
                self.answers();
                self.meters().done();
                Outcome::Done(replies)
            }
            Ok(Err(Failure::Refused(error))) => {
                self.answers();
                self.meters().refused();
                Outcome::Refused(error)
            }
            Ok(Err(Failure::Broken(error))) => {
                self.broke(items.len(), &error);
                Outcome::Broken
            }
            Ok(Ok(_)) => self.fault("a call was answered with a wrong number of replies"),
            // The panic's message can hold what was being worked on.
            Err(_) => self.fault("a call panicked"),
        }
    }

    /// Notes that the database answers.
    fn answers(&mut self) {
        if self.breaks > 0 {
            tracing::info!(lane = L::NAME, "the database answers again");
            self.breaks = 0;
        }
    }

    fn broke(&mut self, items: usize, error: &Error) {
        if self.breaks == 0 {
            tracing::warn!(lane = L::NAME, items, %error, "the connection to the database broke");
        }
        self.breaks = self.breaks.saturating_add(1);
        self.meters().broken();
        self.disconnect();
    }

    fn fault<R>(&mut self, fault: &'static str) -> Outcome<R> {
        tracing::error!(
            lane = L::NAME,
            "{fault}; whether its items were done is unknown"
        );
        self.meters().broken();
        self.disconnect();
        Outcome::Fault(fault)
    }

    fn disconnect(&mut self) {
        let link = &mut self.link;
        if catch_unwind(AssertUnwindSafe(|| link.disconnect())).is_err() {
            tracing::error!(lane = L::NAME, "forgetting a connection panicked");
        }
    }

    fn meters(&mut self) -> &Meters {
        self.meters.get_or_insert_with(|| Meters::of(L::NAME))
    }
}
