//! The examples of Composio's toolkits.

use http::Method;

use super::{ANY_KEY, By, Example, example};

pub fn all() -> Vec<Example> {
    vec![
        example(
            ("composio", Method::GET, "/toolkits"),
            ANY_KEY,
            By::Nothing,
            |named| format!("/toolkits?search={}", named.service),
            |_| None,
        ),
        example(
            ("composio", Method::GET, "/toolkits/categories"),
            ANY_KEY,
            By::Nothing,
            |_| "/toolkits/categories".to_owned(),
            |_| None,
        ),
        example(
            ("composio", Method::GET, "/toolkits/{slug}"),
            ANY_KEY,
            By::Service,
            |named| format!("/toolkits/{}", named.service),
            |_| None,
        ),
    ]
}
