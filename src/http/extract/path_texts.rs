//! Path parameters that are any text.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, MatchedPath};
use http::request::Parts;
use percent_encoding::percent_decode_str;

/// Stands for a parameter that is no UTF-8: no stored text holds it, so it names nothing.
const NOBODY: &str = "\0";

/// The first `N` path parameters, percent-decoded each, in their order. At a route that spells a parameter out (a word
/// of another route, such as `set-auth`), the last segment of the path is the one parameter.
#[derive(Debug)]
pub struct PathTexts<const N: usize>(pub [String; N]);

impl<const N: usize, S: Send + Sync> FromRequestParts<S> for PathTexts<N> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let matched = parts.extensions.get::<MatchedPath>();
        let route = matched.map_or("", MatchedPath::as_str);
        Ok(Self(texts(route, parts.uri.path())))
    }
}

fn texts<const N: usize>(route: &str, path: &str) -> [String; N] {
    let segments = route.split('/').zip(path.split('/'));
    let mut params: Vec<_> = segments
        .filter(|(name, _)| name.starts_with('{'))
        .map(|(_, text)| text)
        .collect();
    if params.is_empty() {
        params.extend(path.rsplit('/').next());
    }
    let mut texts = params.into_iter().map(|text| {
        let text = percent_decode_str(text).decode_utf8();
        text.map_or_else(|_| NOBODY.to_owned(), Into::into)
    });
    std::array::from_fn(|_| texts.next().unwrap_or_else(|| NOBODY.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_is_decoded_for_itself() {
        let route = "/user/{userId}/auth/{serverName}";
        assert_eq!(
            texts(route, "/user/a%2Fb%20c/auth/Slack"),
            ["a/b c", "Slack"]
        );
        assert_eq!(texts(route, "/user/%FF/auth/Gmail"), [NOBODY, "Gmail"]);
        assert_eq!(
            texts("/user/{userId}", "/user/%EF%BF%BD"),
            ["\u{FFFD}".to_owned()]
        );
    }

    #[test]
    fn a_spelled_out_parameter_is_the_last_segment() {
        assert_eq!(texts("/user/set-auth", "/user/set-auth"), ["set-auth"]);
    }
}
