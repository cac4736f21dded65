//! `POST /connect/{link_token}`: what was typed becomes the connection's credential.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use super::form::Form;
use super::guard::{Nonce, Page};
use super::{pages, wording};
use crate::domain::connect::{Asks, ConnectPage, Submitted, Typed};
use crate::domain::{Error, Service};
use crate::http::extract::PathTexts;
use crate::http::failure::Failure;
use crate::http::layers::RequestId;

/// Takes the form once. Where it is not in order, the page comes again with what was typed, apart from secrets.
pub(super) async fn handler(
    State(service): State<Service>,
    path: PathTexts<1>,
    request: Request,
) -> Response {
    let [token] = path.0;
    submitted(&service, &token, request)
        .await
        .unwrap_or_else(|error| Failure(error).into_response())
}

async fn submitted(service: &Service, token: &str, request: Request) -> Result<Response, Error> {
    let page = Page::new(service, token);
    if page.is_foreign(request.headers()) {
        return Ok(wording::not_from_here());
    }
    let nonce = Nonce::of(request.headers(), &page);
    let request_id = RequestId::of(request.extensions()).to_owned();
    let mut form = Form::read(request).await?;
    let found = match service.connect_page(token).await? {
        Ok(found) => found,
        Err(why) => return Ok(wording::no_page(why)),
    };
    if matches!(found.asks, Asks::Provider) {
        return Ok(at_provider(&found));
    }
    let proof = form.take(pages::PROOF).unwrap_or_default();
    let Some(nonce) = nonce.filter(|nonce| nonce.vouches_for(&page, &proof)) else {
        return Ok(wording::not_from_here());
    };
    let typed = Arc::new(typed(&found, &mut form));
    drop(form);
    let done = service
        .connect(token, Arc::clone(&typed), &request_id)
        .await?;
    Ok(match done {
        Submitted::Connected { integration, go_to } => connected(&page, &integration, go_to),
        Submitted::Refused {
            page: found,
            faults,
        } => {
            let Asks::Fields(fields) = &found.asks else {
                return Err(Error::internal("a form without fields is refused"));
            };
            let form = pages::Shown {
                page: &page,
                nonce: &nonce,
                found: &found,
                fields,
            };
            form.faulty(&typed, &faults)
        }
        Submitted::AtProvider(found) => at_provider(&found),
        Submitted::Gone(why) => wording::no_page(why),
    })
}

/// There is no form to send.
fn at_provider(found: &ConnectPage) -> Response {
    wording::at_provider(StatusCode::NOT_IMPLEMENTED, &found.integration)
}

/// What was typed into the fields that the page has; nothing else is read.
fn typed(found: &ConnectPage, form: &mut Form) -> Typed {
    let mut typed = Typed::default();
    if let Asks::Fields(fields) = &found.asks {
        for field in fields {
            if let Some(value) = form.take(&pages::input_name(&field.slug)) {
                typed.note(field.slug.clone(), value);
            }
        }
    }
    typed
}

/// On to the platform, or our own page where it named nothing.
fn connected(page: &Page<'_>, integration: &str, go_to: Option<String>) -> Response {
    let mut response = wording::connected(integration);
    if let Some(location) = go_to.and_then(|url| HeaderValue::try_from(url).ok()) {
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, location);
    }
    if let Some(cookie) = page.clear_cookie() {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
