//! `GET /connect/{link_token}`: the page.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::SET_COOKIE;

use super::guard::{Nonce, Page};
use super::{pages, wording};
use crate::domain::Service;
use crate::domain::connect::Asks;
use crate::http::extract::PathTexts;
use crate::http::failure::Failure;

/// Shows the form. Nothing is changed, so that programs which follow links do no harm.
pub(super) async fn handler(
    State(service): State<Service>,
    path: PathTexts<1>,
    request: Request,
) -> Response {
    let [token] = path.0;
    let page = Page::new(&service, &token);
    let found = match service.connect_page(&token).await {
        Ok(Ok(found)) => found,
        Ok(Err(why)) => return wording::no_page(why),
        Err(error) => return Failure(error).into_response(),
    };
    let Asks::Fields(fields) = &found.asks else {
        return wording::at_provider(StatusCode::OK, &found.integration);
    };
    let nonce = Nonce::kept_or_new(request.headers(), &page);
    let form = pages::Shown {
        page: &page,
        nonce: &nonce,
        found: &found,
        fields,
    };
    let mut response = form.fresh();
    if let Some(cookie) = page.set_cookie(&nonce) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
