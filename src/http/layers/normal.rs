//! One spelling of each path (RFC 3986 section 6.2.2.2).

use std::borrow::Cow;

use axum::extract::{OriginalUri, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::Uri;
use http::uri::PathAndQuery;

/// Writes a percent-encoded letter, digit, `-`, `.`, `_` or `~` as the character that it stands for. Both spellings
/// name the same thing, so both must lead to the same route of the dialects, whose words the router compares as they
/// are written. A route of the house is matched before this and takes one spelling only. Nothing else is decoded: `%2F`
/// is not the separator.
pub(super) async fn normalised(mut request: Request, next: Next) -> Response {
    if let Some(uri) = normal(request.uri()) {
        request.extensions_mut().insert(OriginalUri(uri.clone()));
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

/// The normal form, where it is another one.
fn normal(uri: &Uri) -> Option<Uri> {
    let Cow::Owned(path) = plain(uri.path()) else {
        return None;
    };
    let whole = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(whole).ok()?);
    Uri::from_parts(parts).ok()
}

fn plain(path: &str) -> Cow<'_, str> {
    let mut written = String::new();
    let mut copied = 0;
    for (at, _) in path.match_indices('%') {
        let octet = path.get(at + 1..at + 3).and_then(octet);
        if let Some(character) = octet.map(char::from).filter(|octet| is_unreserved(*octet)) {
            written.push_str(&path[copied..at]);
            written.push(character);
            copied = at + 3;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(path);
    }
    written.push_str(&path[copied..]);
    Cow::Owned(written)
}

/// The octet that two hexadecimal digits write.
fn octet(digits: &str) -> Option<u8> {
    let all_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all_digits
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

/// RFC 3986 section 2.3.
fn is_unreserved(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_' | '~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_no_encoding_is_decoded_once() {
        for (written, path) in [
            ("/set%2Dauth", "/set-auth"),
            ("/%75ser/%7e%5F%2e%41", "/user/~_.A"),
            ("/a%2541", "/a%2541"),
            ("/%%41", "/%A"),
            ("/%4%31", "/%41"),
        ] {
            assert_eq!(plain(written), path, "{written}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for path in [
            "/", "/a%2Fb", "/%20", "/%C3%A9", "/%00", "/%", "/%4", "/%zz", "/%+4", "*",
        ] {
            assert!(matches!(plain(path), Cow::Borrowed(_)), "{path}");
        }
        let uri = Uri::from_static("/a%2Fb?c=%41");
        assert_eq!(normal(&uri), None);
    }

    #[test]
    fn the_query_stays() {
        let uri = Uri::from_static("http://host:1/us%65r/?page%5Fsize=%35");
        let expected = Uri::from_static("http://host:1/user/?page%5Fsize=%35");
        assert_eq!(normal(&uri), Some(expected));
    }
}
