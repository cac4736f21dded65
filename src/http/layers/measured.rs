//! Requests in numbers: how many, how long, how many at once.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::{Extensions, StatusCode};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::spanned::method_name;
use crate::http::dialect_of;

/// The route of a request that no route has taken.
const UNMATCHED: &str = "unmatched";

/// Measures every request to `router`, whatever becomes of it: put it around all other layers. It needs an installed
/// recorder; where there is none, leave it out.
pub fn measured(router: Router) -> Router {
    let requests = Arc::new(Requests::new());
    router.layer(from_fn_with_state(requests, measure))
}

/// Where the router leaves the route that it chose: the layers outside of it see the request before that.
#[derive(Debug, Clone, Default)]
struct Chosen(Arc<OnceLock<(Owner, MatchedPath)>>);

/// To whom a route belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Owner {
    /// The dialect of the path.
    Dialect,
    /// No dialect: probes and references.
    House,
}

/// Notes the route of a request, if it has one and requests are measured.
pub(in crate::http) fn note(extensions: &Extensions, owner: Owner) {
    if let (Some(Chosen(chosen)), Some(route)) = (extensions.get(), extensions.get::<MatchedPath>())
    {
        // The innermost router that knows it is asked first; the others would say the same.
        chosen.set((owner, route.clone())).ok();
    }
}

async fn measure(
    State(requests): State<Arc<Requests>>,
    mut request: Request,
    next: Next,
) -> Response {
    let running = requests.begin();
    let chosen = Chosen::default();
    request.extensions_mut().insert(chosen.clone());
    let dialect = dialect_of(request.uri().path()).name;
    let method = method_name(request.method());
    let response = next.run(request).await;
    let (dialect, route) = match chosen.0.get() {
        Some((Owner::House, route)) => ("house", route.as_str()),
        Some((Owner::Dialect, route)) => (dialect, route.as_str()),
        None => (dialect, UNMATCHED),
    };
    let kind = Kind {
        dialect,
        method,
        status: response.status(),
    };
    requests.answered(route, kind, running.end());
    response
}

/// The numbers of one router. Handles are kept, so that a request costs two look-ups and not the making of labels.
struct Requests {
    in_flight: Gauge,
    abandoned: Counter,
    /// By route; templates, so there is an end to them.
    answered: RwLock<HashMap<Box<str>, HashMap<Kind, Answered>>>,
}

/// What tells the series of one route apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    dialect: &'static str,
    method: &'static str,
    status: StatusCode,
}

struct Answered {
    count: Counter,
    duration: Histogram,
}

impl Answered {
    fn of(route: &str, kind: Kind) -> Self {
        let labels = [
            ("dialect", kind.dialect.to_owned()),
            ("route", route.to_owned()),
            ("method", kind.method.to_owned()),
            ("status", kind.status.as_str().to_owned()),
        ];
        Self {
            count: counter!("keyway_http_requests_total", &labels),
            duration: histogram!("keyway_http_request_duration_seconds", &labels),
        }
    }

    fn one(&self, took: Duration) {
        self.count.increment(1);
        self.duration.record(took);
    }
}

impl Requests {
    fn new() -> Self {
        Self {
            in_flight: gauge!("keyway_http_requests_in_flight"),
            abandoned: counter!("keyway_http_requests_abandoned_total"),
            answered: RwLock::default(),
        }
    }

    fn begin(&self) -> Running<'_> {
        self.in_flight.increment(1.0);
        Running {
            requests: self,
            begun: Instant::now(),
            ended: false,
        }
    }

    fn answered(&self, route: &str, kind: Kind, took: Duration) {
        let known = self.answered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(answered) = known.get(route).and_then(|kinds| kinds.get(&kind)) {
            return answered.one(took);
        }
        drop(known);
        let mut known = self
            .answered
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        known
            .entry(route.into())
            .or_default()
            .entry(kind)
            .or_insert_with(|| Answered::of(route, kind))
            .one(took);
    }
}

/// A request until its answer, or until nobody waits for that any more.
struct Running<'a> {
    requests: &'a Requests,
    begun: Instant,
    ended: bool,
}

impl Running<'_> {
    fn end(mut self) -> Duration {
        self.ended = true;
        self.begun.elapsed()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.requests.in_flight.decrement(1.0);
        if !self.ended {
            self.requests.abandoned.increment(1);
        }
    }
}
