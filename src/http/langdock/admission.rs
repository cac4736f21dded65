//! Who may ask: no browsers, and one API key as a bearer token.

use http::HeaderMap;
use http::header::{AUTHORIZATION, ORIGIN};

use crate::domain::Error;
use crate::domain::error::KeyFault;

/// Refuses what only a browser sends. `Sec-Fetch-Mode` alone is no sign of one: Node's own `fetch` sends it.
pub(super) fn refuse_browsers(headers: &HeaderMap) -> Result<(), Error> {
    if headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site") {
        Err(Error::Browser)
    } else {
        Ok(())
    }
}

/// The API key of `Authorization: Bearer <key>` (RFC 6750 section 2.1; the scheme's case does not matter).
pub(super) fn api_key(headers: &HeaderMap) -> Result<String, KeyFault> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(KeyFault::Missing)?;
    let others = values.count();
    if others > 0 {
        return Err(KeyFault::Ambiguous(others + 1));
    }
    let (scheme, key) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(KeyFault::Missing)?;
    let key = key.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !key.is_empty() {
        Ok(key.to_owned())
    } else {
        Err(KeyFault::Missing)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn an_origin_or_a_fetch_site_is_a_browser_and_a_fetch_mode_is_not() {
        assert!(refuse_browsers(&headers(&[])).is_ok());
        assert!(refuse_browsers(&headers(&[("sec-fetch-mode", "cors")])).is_ok());
        for sign in [
            ("origin", "https://a.example"),
            ("origin", "null"),
            ("origin", ""),
            ("sec-fetch-site", "none"),
        ] {
            assert!(
                matches!(refuse_browsers(&headers(&[sign])), Err(Error::Browser)),
                "{sign:?}"
            );
        }
    }

    #[test]
    fn one_bearer_token_is_the_key() {
        for value in ["Bearer kw_key", "bearer kw_key", "BEARER   kw_key "] {
            assert_eq!(
                api_key(&headers(&[("authorization", value)])),
                Ok("kw_key".to_owned()),
                "{value}"
            );
        }
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "kw_key",
            "Basic kw_key",
            "Bearerkw_key",
        ] {
            assert_eq!(
                api_key(&headers(&[("authorization", value)])),
                Err(KeyFault::Missing),
                "{value}"
            );
        }
        assert_eq!(api_key(&headers(&[])), Err(KeyFault::Missing));
        let two = [
            ("authorization", "Bearer kw_one"),
            ("authorization", "Bearer kw_two"),
        ];
        assert_eq!(api_key(&headers(&two)), Err(KeyFault::Ambiguous(2)));
    }
}
