//! The body of a form (`application/x-www-form-urlencoded`, WHATWG URL section 5.1), read strictly: what is no UTF-8 is
//! refused and not repaired, for a repaired secret is another one.

use std::time::Duration;

use axum::extract::Request;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::domain::Error;
use crate::domain::error::BodyFault;
use crate::http::serve;

/// The largest form, in bytes.
const LIMIT: usize = 64 * 1024;
/// How long a form may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(15);
const TYPE: &[u8] = b"application/x-www-form-urlencoded";

/// What was sent, in its order. Wiped when dropped.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Reads the body of a request.
    pub(super) async fn read(request: Request) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        if !is_form(&parts.headers) {
            return Err(Error::Body(BodyFault::MediaType));
        }
        if parts.headers.contains_key(CONTENT_ENCODING) {
            return Err(Error::Body(BodyFault::Encoding));
        }
        let bytes = serve::read_body(body, LIMIT, ARRIVAL).await;
        let bytes = bytes.map_err(|fault| {
            Error::Body(match fault {
                serve::BodyFault::TooLarge => BodyFault::TooLarge { limit: LIMIT },
                serve::BodyFault::TimedOut | serve::BodyFault::Broken => BodyFault::Incomplete,
            })
        })?;
        Self::parse(&bytes).ok_or(Error::Body(BodyFault::Incomplete))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?.to_string(), decoded(value)?))
        });
        pairs.collect::<Option<_>>().map(Self)
    }

    /// The first value of this name, taken out.
    pub(super) fn take(&mut self, name: &str) -> Option<Zeroizing<String>> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .map_or(&[][..], |value| value.as_bytes());
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(TYPE)
}

fn decoded(text: &str) -> Option<Zeroizing<String>> {
    let spaced = Zeroizing::new(text.replace('+', " "));
    let plain = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Zeroizing::new(plain.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let mut form = Form::parse(b"a=1+2%2B3&&b=%C3%A4%0D%0A&c&a=again&d=x=y").expect("a form");
        let mut take = |name| form.take(name).map(|value| value.to_string());
        assert_eq!(take("a").as_deref(), Some("1 2+3"));
        assert_eq!(take("b").as_deref(), Some("ä\r\n"));
        assert_eq!(take("c").as_deref(), Some(""));
        assert_eq!(take("d").as_deref(), Some("x=y"));
        assert_eq!(take("e"), None);
        let mut form = Form::parse(b"p=1&b=first&b=second").expect("a form");
        let mut take = |name| form.take(name).map(|value| value.to_string());
        assert_eq!(take("p").as_deref(), Some("1"));
        assert_eq!(take("b").as_deref(), Some("first"));
    }

    #[test]
    fn what_is_no_utf_8_is_no_form() {
        for bytes in [&b"a=%FF"[..], b"a=\xff", b"%C3=1"] {
            assert!(Form::parse(bytes).is_none());
        }
    }
}
