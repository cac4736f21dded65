//! What a connection is doing, and until when it may go on doing it.
//!
//! hyper's own header time-out also runs between requests (ten seconds for heads would cut idle
//! keep-alive connections after ten seconds), and nothing in hyper bounds an idle connection or
//! the sniffing of the protocol (hyper issue 3962). So the clock is ours.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::Limits;

const H2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Shared by the connection's task, its socket and its requests.
pub(super) struct Activity(Mutex<State>);

struct State {
    protocol: Protocol,
    /// Requests in the service.
    handling: usize,
    /// Answers that have not been written out.
    responding: usize,
    /// When the last answer made progress or, without any, when the connection began.
    since: Instant,
    /// When the head of a next request began, if it has and is not yet whole.
    head: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq)]
enum Protocol {
    /// This many bytes of HTTP/2's preface have been seen.
    Sniffing(usize),
    Http1,
    Http2,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            protocol: Protocol::Sniffing(0),
            handling: 0,
            responding: 0,
            since: Instant::now(),
            head: None,
        })))
    }

    /// When the connection is to be closed as things stand; `None` while a request is handled.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = self.state();
        match state.head {
            _ if state.handling > 0 => None,
            Some(began) if state.responding == 0 => Some(began + limits.headers),
            _ => Some(state.since + limits.idle),
        }
    }

    /// Whether the client has sent the whole preface of HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        self.state().protocol == Protocol::Http2
    }

    /// Bytes came in.
    pub(super) fn received(&self, bytes: &[u8]) {
        let mut state = self.state();
        if let Protocol::Sniffing(seen) = state.protocol {
            state.protocol = sniff(seen, bytes);
        }
        if state.protocol == Protocol::Http2 {
            // Frames of any kind come between requests; heads are bounded by the idle time.
            state.head = None;
        } else if state.handling + state.responding == 0 && !bytes.is_empty() {
            state.head.get_or_insert_with(Instant::now);
        }
    }

    /// Bytes went out. HTTP/2 writes pings of its own, which prove nothing.
    pub(super) fn sent(&self) {
        let mut state = self.state();
        if state.protocol != Protocol::Http2 {
            state.since = Instant::now();
        }
    }

    /// A request's head is whole and goes to the service.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        let mut state = self.state();
        state.handling += 1;
        state.head = None;
        drop(state);
        Running {
            activity: Arc::clone(self),
            responding: false,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sniff(seen: usize, bytes: &[u8]) -> Protocol {
    let rest = H2_PREFACE.get(seen..).unwrap_or_default();
    let length = rest.len().min(bytes.len());
    if rest.get(..length) != bytes.get(..length) {
        Protocol::Http1
    } else if length == rest.len() {
        Protocol::Http2
    } else {
        Protocol::Sniffing(seen + length)
    }
}

/// One request from its head to the end of its answer; dropping it ends it.
pub(super) struct Running {
    activity: Arc<Activity>,
    responding: bool,
}

impl Running {
    /// The service has answered; the body of the answer remains to be written.
    pub(super) fn respond(&mut self) {
        if !std::mem::replace(&mut self.responding, true) {
            let mut state = self.activity.state();
            state.handling -= 1;
            state.responding += 1;
            state.since = Instant::now();
        }
    }

    /// A part of the answer's body was taken.
    pub(super) fn progress(&self) {
        self.activity.state().since = Instant::now();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        if self.responding {
            state.responding -= 1;
        } else {
            state.handling -= 1;
        }
        state.since = Instant::now();
    }
}
