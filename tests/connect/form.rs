//! A browser's part of the page: opening it, filling in the form, sending it.

use std::fmt::Write as _;

use http::Method;

use crate::common::TestApp;
use crate::common::client::Reply;

pub const FORM: &str = "application/x-www-form-urlencoded";

/// The page as a browser was shown it.
pub struct Opened<'a> {
    app: &'a TestApp,
    pub path: String,
    pub reply: Reply,
    /// `name=value`, as it goes back.
    pub cookie: String,
    pub proof: String,
}

/// Asks for the page without a cookie.
pub async fn get(app: &TestApp, path: &str) -> Reply {
    app.anonymous().get(path).await
}

/// Opens a page that has a form.
pub async fn open<'a>(app: &'a TestApp, path: &str) -> Opened<'a> {
    let reply = get(app, path).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    Opened {
        app,
        path: path.to_owned(),
        cookie: cookie(&reply),
        proof: proof(&reply.text),
        reply,
    }
}

/// What the answer gives the browser to keep.
pub fn cookie(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie").split(';').next().unwrap();
    cookie.to_owned()
}

/// What stands in the form's hidden input.
pub fn proof(html: &str) -> String {
    between(html, "name=\"proof\" value=\"", "\"").to_owned()
}

/// The text between two others, of which the first is there once.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("{before} is not in {text}"));
    rest.split_once(after).unwrap().0
}

/// Fields as a browser writes them.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        let name = percent(&format!("field.{name}"));
        write!(body, "&{name}={}", percent(value)).unwrap();
    }
    body
}

pub fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

impl Opened<'_> {
    /// Sends the form with these values.
    pub async fn send(&self, fields: &[(&str, &str)]) -> Reply {
        let body = format!("proof={}{}", self.proof, encoded(fields));
        self.post(&[("cookie", &self.cookie), ("content-type", FORM)], body)
            .await
    }

    /// Sends any body with any headers.
    pub async fn post(&self, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Reply {
        let mut request = self.app.anonymous().request(Method::POST, &self.path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(body).send().await
    }
}

/// The opening tag of the input of a field.
pub fn input<'a>(html: &'a str, field: &str) -> &'a str {
    let id = format!("id=\"field-{field}\" name=");
    let at = html
        .find(&id)
        .unwrap_or_else(|| panic!("no input for {field} in {html}"));
    let from = html[..at].rfind('<').unwrap();
    &html[from..=from + html[from..].find('>').unwrap()]
}

/// Whether the page has an input for the field.
pub fn asks_for(html: &str, field: &str) -> bool {
    html.contains(&format!("id=\"field-{field}\""))
}
