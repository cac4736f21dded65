//! The request's id: the caller's where it is one, else ours; in every answer, in the log and in the audit row.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header that carries it, both ways.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: a UUID or 32 hexadecimal digits, as the caller wrote it, or a new UUID.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id that the layer gave this request; empty where it did not run.
    pub fn of(extensions: &Extensions) -> &str {
        extensions.get::<Self>().map_or("", Self::as_str)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The caller's id where it sent exactly one that has the form.
    fn taken(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(HEADER).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return None;
        };
        let text = value.to_str().ok()?;
        let is_id = matches!(text.len(), 32 | 36) && Uuid::try_parse(text).is_ok();
        is_id.then(|| Self(value.clone()))
    }

    fn made() -> Self {
        let mut text = Uuid::encode_buffer();
        let id = Uuid::new_v4();
        let text: &str = id.hyphenated().encode_lower(&mut text);
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("")))
    }
}

/// Gives the request its id and echoes it on the answer, whatever the answer is.
pub(super) async fn assigned(mut request: Request, next: Next) -> Response {
    let id = RequestId::taken(request.headers()).unwrap_or_else(RequestId::made);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(HEADER, id.0);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_static(value));
        }
        RequestId::taken(&headers).map(|id| id.as_str().to_owned())
    }

    #[test]
    fn a_uuid_and_32_digits_are_taken_as_they_are_written() {
        for id in [
            "2F1B4C6E-9D3A-4C55-8A1E-0B7D5A3F9C21",
            "2f1b4c6e9d3a4c558a1e0b7d5a3f9c21",
        ] {
            assert_eq!(taken(&[id]).as_deref(), Some(id));
        }
    }

    #[test]
    fn anything_else_is_not() {
        for id in [
            "",
            "abc",
            "{2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21}",
            "2f1b4c6e9d3a4c558a1e0b7d5a3f9c2g",
        ] {
            assert_eq!(taken(&[id]), None, "{id}");
        }
        let twice = "2f1b4c6e9d3a4c558a1e0b7d5a3f9c21";
        assert_eq!(taken(&[twice, twice]), None);
    }

    #[test]
    fn a_made_one_is_a_uuid() {
        assert!(Uuid::try_parse(RequestId::made().as_str()).is_ok());
    }
}
