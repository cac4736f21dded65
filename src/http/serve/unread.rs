//! The body of a request that was answered before it was read: read after all where it is small and there, else the
//! client is told that the connection ends. A connection that ends without a word looks to a client that keeps it open
//! like one that broke under its next request.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::time::timeout;

/// The largest body that is read for nothing, in bytes, as announced.
const SMALL: u64 = 64 * 1024;
/// How long it may take. It was sent with the head, or is just on its way.
const ARRIVAL: Duration = Duration::from_millis(50);

/// Where a body is left that nobody read to its end.
#[derive(Debug, Default, Clone)]
pub(super) struct Unread(Arc<Mutex<Option<Incoming>>>);

impl Unread {
    /// The request with its body watched, and where that is left; nothing where no body can be left to be read.
    pub(super) fn watch(request: Request<Incoming>) -> (Request<Body>, Option<Self>) {
        // HTTP/2 has streams: one that is not read ends alone.
        if request.version() > Version::HTTP_11 || request.body().is_end_stream() {
            return (request.map(Body::new), None);
        }
        let unread = Self::default();
        let rest = unread.clone();
        let watched = request.map(|body| {
            Body::new(Watched {
                body: Some(body),
                rest,
            })
        });
        (watched, Some(unread))
    }

    /// Reads what is left, or has the answer say that the connection ends. `asked_to_send`: the client waits to be told
    /// to send its body (`Expect: 100-continue`), which reading it would do.
    pub(super) async fn settle(self, asked_to_send: bool, answer: &mut Response<Body>) {
        let rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rest) = rest else { return };
        let is_small = rest.size_hint().upper().is_some_and(|bytes| bytes <= SMALL);
        if is_small && !asked_to_send {
            let read = async {
                while let Some(frame) = rest.frame().await {
                    if frame.is_err() {
                        return false;
                    }
                }
                true
            };
            if timeout(ARRIVAL, read).await == Ok(true) {
                return;
            }
        }
        answer
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Whether the client waits to be told to send its body (RFC 9110 section 10.1.1).
pub(super) fn asks_to_send<B>(request: &Request<B>) -> bool {
    request.headers().contains_key(EXPECT)
}

struct Watched {
    body: Option<Incoming>,
    rest: Unread,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = self.body.as_mut() else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !body.is_end_stream());
        if rest.is_some() {
            *self.rest.0.lock().unwrap_or_else(PoisonError::into_inner) = rest;
        }
    }
}
