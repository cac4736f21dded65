//! A page as an answer: its headers, and its policy.

use std::sync::LazyLock;

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
};
use http::{HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::pages::STYLE;
use crate::domain::Error;
use crate::http::failure::Failure;

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// The page with this status. `posts_to`: where its form leads.
pub(super) fn page(
    status: StatusCode,
    template: &impl Template,
    posts_to: &FormTargets,
) -> Response {
    let Ok(html) = template.render() else {
        return Failure(Error::internal("a page could not be rendered")).into_response();
    };
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    let fixed = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (ROBOTS, "noindex, nofollow"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy(posts_to)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Where a page's form may lead, redirects included: browsers hold each of them against the page's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FormTargets {
    /// There is no form.
    Nowhere,
    /// Here, and on to these sources of the policy.
    Here(Option<&'static str>),
}

impl FormTargets {
    /// Here, and on to the platform's URL where there is one.
    pub(super) fn and(callback_url: Option<&str>) -> Self {
        Self::Here(callback_url.and_then(source))
    }
}

/// The one style may be used, the form sent; nothing else is loaded, run or embedded.
fn policy(posts_to: &FormTargets) -> String {
    static STYLE_HASH: LazyLock<String> =
        LazyLock::new(|| STANDARD.encode(Sha256::digest(STYLE.as_bytes())));
    let form_action = match posts_to {
        FormTargets::Nowhere => "'none'".to_owned(),
        FormTargets::Here(None) => "'self'".to_owned(),
        FormTargets::Here(Some(source)) => format!("'self' {source}"),
    };
    format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'",
        *STYLE_HASH
    )
}

/// The sources (CSP level 3, section 2.3.1) that a platform's URL may lead to. Browsers hold every redirect after the form to
/// the policy, and where the platform sends its users on is its own affair: so these are schemes. One that is on the
/// user's own machine may go on by http.
fn source(url: &str) -> Option<&'static str> {
    match Url::parse(url).ok()?.scheme() {
        "https" => Some("https:"),
        "http" => Some("http: https:"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_lets_a_form_lead_here_and_to_the_platform() {
        for (url, form_action) in [
            (None, "form-action 'self';"),
            (
                Some("https://app.example/a?b#c"),
                "form-action 'self' https:;",
            ),
            (
                Some("http://localhost:3000/x"),
                "form-action 'self' http: https:;",
            ),
            (
                Some("http://[::1]:3000/"),
                "form-action 'self' http: https:;",
            ),
            (
                Some("https://app.example;script-src/"),
                "form-action 'self' https:;",
            ),
        ] {
            let policy = policy(&FormTargets::and(url));
            assert!(policy.contains(form_action), "{url:?}: {policy}");
        }
        assert!(policy(&FormTargets::Nowhere).contains("form-action 'none';"));
    }
}
