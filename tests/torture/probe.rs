//! `/livez`, asked all the while: liveness answers whatever happens to the database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::client::{Client, Reply};
use crate::requests::Request;

/// What liveness may take on a machine that has more to do than it can.
const PROMPT: Duration = Duration::from_secs(2);

/// A probe at work.
pub struct Probe {
    end: Arc<AtomicBool>,
    asking: JoinHandle<(u64, Duration)>,
}

impl Probe {
    /// Asks this server every 20 ms, on one connection.
    pub fn start(address: SocketAddr) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let asking = tokio::spawn(ask(address, Arc::clone(&end)));
        Self { end, asking }
    }

    /// Ends it: every answer was a prompt 200. Tells how many there were, and the slowest.
    pub async fn stop(self) -> String {
        self.end.store(true, Ordering::Relaxed);
        let (asked, slowest) = self.asking.await.unwrap();
        assert!(asked > 0, "/livez was never asked");
        format!("/livez: {asked} × 200, slowest {} ms", slowest.as_millis())
    }
}

async fn ask(address: SocketAddr, end: Arc<AtomicBool>) -> (u64, Duration) {
    let (mut asked, mut slowest) = (0, Duration::ZERO);
    let mut client = Client::of(address);
    while !end.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let reply = client.send(&Request::plain("/livez")).await;
        let took = begun.elapsed();
        assert!(
            matches!(&reply, Reply::Answer(answer) if answer.status == 200) && took < PROMPT,
            "/livez: {reply:?} after {took:?}"
        );
        asked += 1;
        slowest = slowest.max(took);
        sleep(Duration::from_millis(20)).await;
    }
    (asked, slowest)
}
