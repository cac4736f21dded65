//! Every other page in words: success, the ends of links, failures.

use std::borrow::Cow;

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use http::header::RETRY_AFTER;

use super::answer::{FormTargets, page};
use super::pages::{STYLE, initial};
use crate::domain::Error;
use crate::domain::connect::NoPage;
use crate::domain::error::BodyFault;
use crate::http::failure::retry_after;

const ASK_ANEW: &str = "Go back to the application that sent you here and start again from there.";

#[derive(Template)]
#[template(path = "notice.html", config = "src/http/connect/askama.toml")]
struct Notice<'a> {
    sign: char,
    /// A class of the style.
    look: &'static str,
    title: Cow<'a, str>,
    lines: &'a [&'a str],
    /// Whether there is a form to open again.
    again: bool,
    /// By which the operator finds the request in the log.
    reference: Option<&'a str>,
}

impl<'a> Notice<'a> {
    fn new(title: impl Into<Cow<'a, str>>, lines: &'a [&'a str]) -> Self {
        Self {
            sign: '!',
            look: "plain",
            title: title.into(),
            lines,
            again: false,
            reference: None,
        }
    }

    fn answer(&self, status: StatusCode) -> Response {
        page(status, self, &FormTargets::Nowhere)
    }
}

/// The connection is ready, and the platform named no page of its own.
pub(super) fn connected(integration: &str) -> Response {
    let lines = ["Everything is set up. You can close this page now."];
    let notice = Notice {
        sign: '✓',
        look: "good",
        ..Notice::new(format!("{integration} is connected"), &lines)
    };
    notice.answer(StatusCode::OK)
}

/// Only the provider can give the credential.
pub(super) fn at_provider(status: StatusCode, integration: &str) -> Response {
    let asks = format!("{integration} asks you to sign in and to agree on its own pages.");
    let lines = [
        asks.as_str(),
        "The redirect there comes with the OAuth engine of this server, which it does not have yet. Until then nothing \
         can be entered or sent here.",
        "You can close this page. The application that sent you here may know another way.",
    ];
    let notice = Notice {
        sign: initial(integration),
        look: "",
        ..Notice::new(format!("Connect {integration}"), &lines)
    };
    notice.answer(status)
}

/// Why there is no page.
pub(super) fn no_page(none: NoPage) -> Response {
    let (status, title, line) = match none {
        NoPage::Unknown => (
            StatusCode::NOT_FOUND,
            "This link is not valid",
            "It may be incomplete, or it ended some time ago.",
        ),
        NoPage::Used => (
            StatusCode::GONE,
            "This link cannot be used any more",
            "Each link connects once, and ends when what it connects is changed in another way. If you have just \
             connected, everything is done.",
        ),
        NoPage::Expired => (
            StatusCode::GONE,
            "This link has expired",
            "For your safety, links end after ten minutes.",
        ),
        NoPage::Disabled => (
            StatusCode::CONFLICT,
            "Connecting is switched off",
            "New connections of this kind are not taken at the moment.",
        ),
        NoPage::SwitchedOff => (
            StatusCode::CONFLICT,
            "This connection is switched off",
            "Only the application that sent you here can switch it on again.",
        ),
    };
    Notice::new(title, &[line, ASK_ANEW]).answer(status)
}

/// The form was not sent by the page that this browser was shown.
pub(super) fn not_from_here() -> Response {
    let lines = [
        "For your safety, the form is taken only from the page that this browser was shown, and only where cookies are \
         allowed. Nothing was stored.",
    ];
    let notice = Notice {
        again: true,
        ..Notice::new("Please send the form again", &lines)
    };
    notice.answer(StatusCode::FORBIDDEN)
}

/// A failure as a page.
pub(super) fn failure(error: &Error, request_id: &str) -> Response {
    let (status, title, line) = match error {
        Error::MethodNotAllowed => (
            StatusCode::METHOD_NOT_ALLOWED,
            "That is not possible here",
            "This page can be opened, and its form sent.",
        ),
        Error::Body(BodyFault::TooLarge { .. }) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "That is too much",
            "What was entered is too long to be taken. Nothing was stored.",
        ),
        Error::Body(BodyFault::MediaType | BodyFault::Encoding) => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The form cannot be read",
            "It did not come in the form in which browsers send it. Nothing was stored.",
        ),
        Error::Body(_) => (
            StatusCode::BAD_REQUEST,
            "The form cannot be read",
            "It did not arrive completely. Nothing was stored.",
        ),
        Error::NoRoute | Error::NotFound(_) | Error::IllFormedId(_) => {
            return no_page(NoPage::Unknown);
        }
        Error::Unavailable { .. } | Error::Refused(_) | Error::RateLimited { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Please try again in a moment",
            "This server cannot take the form just now. Nothing was stored.",
        ),
        Error::TimedOut => (
            StatusCode::GATEWAY_TIMEOUT,
            "That took too long",
            "Open the link again to see whether everything is done.",
        ),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong",
            "It is not your fault. Please try again in a moment.",
        ),
    };
    let lines = [line];
    let notice = Notice {
        again: status.is_server_error(),
        reference: status.is_server_error().then_some(request_id),
        ..Notice::new(title, &lines)
    };
    let mut response = notice.answer(status);
    if let Some(again) = retry_after(error) {
        response.headers_mut().insert(RETRY_AFTER, again);
    }
    response
}
