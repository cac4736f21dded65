//! The coalescer: many callers, one connection, one call (group commit). It knows neither credentials nor a database.
//!
//! A [`Lane`] owns a [`Link`] in a task of its own. The task takes what waits, at most 64 items, and sends it as one
//! call; while the call runs the next items gather. There is no timer that holds an item back: alone it goes alone.
//!
//! # Contract
//! 1. **Own result.** Each caller gets the reply to its own item, or one error, and always one of them.
//! 2. **Acknowledged.** `Ok` means that the link answered for this item after its commit was confirmed. `Err` of a
//!    [`Failure::Refused`] and of an item that was never taken means: nothing was done. After [`Failure::Broken`], a
//!    call beyond its deadline or a panic, the outcome is *unknown*: done as a whole or not at all, never half.
//! 3. **No retry of the unknown.** An item that may have been done is never sent again. Only the items of a refused
//!    call are, because nothing of it was done: one by one, each with its own outcome.
//! 4. **One bad item harms no other.** What refuses or panics alone fails alone. The exceptions are a broken
//!    connection and a panic in a call of several items: all of that call are unknown then, and the items of a
//!    refused call that had not been sent again by then answer 503, not done.
//! 5. **Order.** A call has its items sorted by [`Link::Key`], equal keys in the order of arrival, which is that of
//!    the first poll of [`Lane::run`]. Calls follow each other, so items of one key are executed in the order of
//!    arrival. An item of unknown outcome may still take effect after later ones, unless the link bounds its call on
//!    the other side too (a `statement_timeout` below [`Limits::call`]).
//! 6. **Gone callers.** A caller that goes away changes nothing for the others. Once its item is in a call it is
//!    neither cancelled nor skipped, also not when that call is repeated one by one. Before that it is left out:
//!    nobody was told anything, so not done is as right as done, and cheaper.
//! 7. **Bounded.** At most 4,096 items wait; one more gets 503 at once. Nobody waits longer than 1.5 s untaken. While
//!    the connection is broken an item is taken only within 0.7 s, so that waiting and a link that connects within
//!    1.2 s stay below 2 s together. A call has 6 s, the calls of a refused one begin within 6 s.
//! 8. **Recovery.** After a break the next item connects anew. Only a second break in a row makes the lane pause, for
//!    50 ms, so that an outage is no busy loop. A panic of the link ends neither the lane nor a caller's wait.
//!
//! Metrics (the recorder must be installed before the first item): `keyway_lane_waiting{lane}`, the items that waited
//! when the last call was made up, 0 at rest; `keyway_lane_batch_items{lane}`, the items of a call;
//! `keyway_lane_calls_total{lane,outcome}` with `done`, `refused` or `broken` (a panic or a wrong answer counts there).

mod meters;
mod queue;
mod task;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::queue::{Queue, Waiting};
use crate::domain::Error;

/// One kind of call, and the connection that it runs on, which the lane's task owns alone.
pub(super) trait Link: Send + 'static {
    /// What a caller hands in.
    type Item: Send + Sync + 'static;
    /// What it gets back.
    type Reply: Send + 'static;
    /// Orders the items of a call, so that two servers lock rows in one order.
    type Key: Ord + Send;

    /// The name of the lane in metrics and logs.
    const NAME: &'static str;

    /// The key of an item. Cheap and without side effects.
    fn key(item: &Self::Item) -> Self::Key;

    /// Sends the items (1 to 64, sorted) as one call in one implicit transaction. The answer has as many replies, in
    /// the items' order, and comes only after the commit was confirmed. It connects when it is not connected, within
    /// 1.2 s. The lane drops the future where it takes too long and calls [`Link::disconnect`] then.
    fn call(
        &mut self,
        items: &[&Self::Item],
    ) -> impl Future<Output = Result<Vec<Self::Reply>, Failure>> + Send;

    /// Forgets the connection (closed, not returned), so that the next call makes a new one. Must not block.
    fn disconnect(&mut self);
}

/// Why a call was not answered.
#[derive(Debug)]
pub(super) enum Failure {
    /// An error that was reported before the commit: nothing of the call was done.
    Refused(Error),
    /// The connection broke or was never made: the outcome is unknown.
    Broken(Error),
}

/// The bounds of a lane.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Items of one call.
    batch: usize,
    /// Items that wait at once.
    queue: usize,
    /// How long an item waits untaken.
    wait: Duration,
    /// The same while the connection is broken.
    wait_broken: Duration,
    /// How long a call may take, and how long after a refusal its items are still sent again.
    call: Duration,
    /// How long the lane pauses after a second break in a row.
    pause: Duration,
    /// How long [`Lane::close`] waits for what was handed in before.
    close: Duration,
}

impl Limits {
    const DEFAULT: Self = Self {
        batch: 64,
        queue: 4_096,
        wait: Duration::from_millis(1_500),
        wait_broken: Duration::from_millis(700),
        call: Duration::from_secs(6),
        pause: Duration::from_millis(50),
        close: Duration::from_secs(4),
    };
}

/// The callers' end. Cheap to clone; the lane ends when the last clone is gone.
pub(super) struct Lane<L: Link> {
    handle: Arc<Handle<L>>,
}

struct Handle<L: Link> {
    queue: Arc<Queue<L::Item, L::Reply>>,
    task: TaskTracker,
    limits: Limits,
}

impl<L: Link> Clone for Lane<L> {
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
        }
    }
}

impl<L: Link> Drop for Handle<L> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl<L: Link> Lane<L> {
    /// Starts the lane's task on the current runtime. Nothing connects before the first item.
    pub(super) fn start(link: L) -> Self {
        Self::start_within(link, Limits::DEFAULT)
    }

    fn start_within(link: L, limits: Limits) -> Self {
        let queue = Arc::new(Queue::new(limits.queue));
        let task = TaskTracker::new();
        task.spawn(task::attend(link, Arc::clone(&queue), limits));
        task.close();
        Self {
            handle: Arc::new(Handle {
                queue,
                task,
                limits,
            }),
        }
    }

    /// Has `item` executed and waits for its own reply. What `Ok` and `Err` promise, and what dropping the future
    /// does, is the contract of the module.
    pub(super) async fn run(&self, item: L::Item) -> Result<L::Reply, Error> {
        let (answer, reply) = oneshot::channel();
        self.handle.queue.push(Waiting::new(item, answer))?;
        match reply.await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::internal(
                "a lane's task panicked; whether the item was done is unknown",
            )),
        }
    }

    /// Takes no more items (503), finishes what was handed in before, and returns when the task has ended: after 4 s
    /// at most, where a call that still runs is given up (unknown) and what waits is answered 503.
    pub(super) async fn close(&self) {
        let Handle {
            queue,
            task,
            limits,
        } = &*self.handle;
        queue.close();
        if timeout(limits.close, task.wait()).await.is_err() {
            queue.give_up();
            task.wait().await;
        }
    }
}
