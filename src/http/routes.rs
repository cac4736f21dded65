//! One router for everything that the server answers.

use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, OriginalUri, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::header::ALLOW;
use http::{HeaderValue, Method};
use tower::ServiceExt as _;

use super::failure::Failure;
use super::layers::Owner;
use super::{DIALECTS, connect, dialect_of, docs, health, layers};
use crate::domain::{Error, Service};

/// Stands for HEAD where a dialect does not take it: no route has a handler for it, so that the router refuses it
/// like any other method that the path does not have.
const REFUSED_HEAD: &[u8] = b"HEAD-REFUSED";

/// Every dialect at each of its prefixes, the pages of the house, and the layers around them. An answer that takes
/// longer than `request_timeout` becomes [`Error::TimedOut`] (see [`layers::Within`] for the exceptions).
pub fn router(service: Service, request_timeout: Duration) -> Router {
    let dialects = dialects().with_state(service.clone());
    let by_https = connect::is_https(&service);
    let house = health::routes()
        .merge(docs::routes())
        .merge(connect::routes())
        .layer(from_fn(note_house_route))
        .with_state(service);
    let whole = house
        .method_not_allowed_fallback(house_method_not_allowed)
        .fallback(move |request: Request| without_refused_head(dialects.clone(), request));
    let whole = layers::all(whole, request_timeout);
    if by_https {
        connect::by_https_only(whole)
    } else {
        whole
    }
}

/// The routes of all dialects, with failures for what they do not have.
fn dialects() -> Router<Service> {
    DIALECTS
        .iter()
        .flat_map(|dialect| {
            dialect
                .prefixes
                .iter()
                .map(move |prefix| (*prefix, dialect.routes))
        })
        .fold(Router::new(), |router, (prefix, routes)| {
            let routes = Router::from(routes()).layer(from_fn(whole_path));
            if prefix.is_empty() {
                router.merge(routes)
            } else {
                router.nest(prefix, routes)
            }
        })
        .layer(from_fn(note_route))
        .fallback(no_route)
        .method_not_allowed_fallback(method_not_allowed)
}

/// Gives a nested route the path as it was asked for: a dialect is known by its prefix, which nesting strips.
async fn whole_path(OriginalUri(uri): OriginalUri, mut request: Request, next: Next) -> Response {
    *request.uri_mut() = uri;
    next.run(request).await
}

/// Puts the route's template on the span: never the path, which holds ids.
async fn note_route(request: Request, next: Next) -> Response {
    note(&request, Owner::Dialect);
    next.run(request).await
}

/// As [`note_route`], for a route that belongs to no dialect.
async fn note_house_route(request: Request, next: Next) -> Response {
    note(&request, Owner::House);
    next.run(request).await
}

fn note(request: &Request, owner: Owner) {
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        tracing::Span::current().record("route", route.as_str());
    }
    layers::note(request.extensions(), owner);
}

async fn no_route(request: Request) -> Failure {
    admitted(&request).err().unwrap_or(Error::NoRoute).into()
}

async fn method_not_allowed(request: Request) -> Failure {
    note(&request, Owner::Dialect);
    refused_method(&request)
}

async fn house_method_not_allowed(request: Request) -> Failure {
    note(&request, Owner::House);
    refused_method(&request)
}

fn refused_method(request: &Request) -> Failure {
    admitted(request)
        .err()
        .unwrap_or(Error::MethodNotAllowed)
        .into()
}

/// A dialect that refuses browsers refuses them on every path.
fn admitted(request: &Request) -> Result<(), Error> {
    (dialect_of(request.uri().path()).admit)(request.headers())
}

/// Whether a segment of the path is empty. It names nothing, though the router would take it for an id.
fn has_empty_segment(path: &str) -> bool {
    path.contains("//")
}

/// Answers with `dialects`, which see no HEAD where their dialect does not take it.
async fn without_refused_head(dialects: Router, mut request: Request) -> Response {
    let path = request.uri().path();
    if has_empty_segment(path) || (dialect_of(path).hides)(path) {
        return no_route(request).await.into_response();
    }
    let refused = request.method() == Method::HEAD && !dialect_of(request.uri().path()).head;
    if refused && let Ok(method) = Method::from_bytes(REFUSED_HEAD) {
        *request.method_mut() = method;
    }
    let takes_head = dialect_of(request.uri().path()).head;
    let mut response = dialects.oneshot(request).await.into_response();
    if !takes_head && let Some(allow) = response.headers().get(ALLOW).and_then(without_head) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

/// The `Allow` header without HEAD, which the router adds to every GET.
fn without_head(allow: &HeaderValue) -> Option<HeaderValue> {
    let methods = allow
        .to_str()
        .ok()?
        .split(',')
        .map(str::trim)
        .filter(|method| *method != "HEAD");
    HeaderValue::from_str(&methods.collect::<Vec<_>>().join(", ")).ok()
}
