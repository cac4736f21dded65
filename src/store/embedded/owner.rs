//! Who needs the guard, and when nobody does any more.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::guard::Profile;
use super::layout::Layout;

/// How long others' use of Postgres may outlast the server that owns it.
const USERS_PATIENCE: Duration = Duration::from_secs(3);

/// Who needs the guard.
pub(super) enum Owner {
    /// The process at the other end of standard input.
    Server {
        layout: Layout,
        closed: oneshot::Receiver<()>,
    },
    /// Everybody who shares the cluster.
    Tests { layout: Layout, linger: Duration },
}

impl Owner {
    /// `linger` is for tests only.
    pub(super) fn watch(profile: Profile, linger: Duration, layout: &Layout) -> Self {
        let layout = layout.clone();
        if profile == Profile::Test {
            return Self::Tests { layout, linger };
        }
        let (closing, closed) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let mut input = std::io::stdin().lock();
            let mut bytes = [0; 64];
            while input.read(&mut bytes).is_ok_and(|length| length > 0) {}
            drop(closing);
        });
        Self::Server { layout, closed }
    }

    /// Waits until Postgres is needed no more. The file, where there is one, keeps others from
    /// sharing it again; without it somebody still does, or its directory has gone.
    pub(super) async fn gone(&mut self) -> Option<File> {
        match self {
            Self::Server { layout, closed } => {
                if !closed.is_terminated() {
                    drop(closed.await);
                }
                layout.alone(USERS_PATIENCE).await.ok().flatten()
            }
            Self::Tests { layout, linger } => {
                let mut last_used = Instant::now();
                loop {
                    sleep(Duration::from_millis(50).min(*linger)).await;
                    match layout.alone(Duration::ZERO).await {
                        Ok(Some(file)) if last_used.elapsed() >= *linger => return Some(file),
                        Ok(Some(_unused_for_now)) => {}
                        Ok(None) => last_used = Instant::now(),
                        Err(_directory_has_gone) => return None,
                    }
                }
            }
        }
    }
}
