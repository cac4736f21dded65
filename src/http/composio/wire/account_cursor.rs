//! The opaque `cursor` of the list of connected accounts: a byte for the order that it belongs to, 8 of time, 16 of row id
//! and 4 of page number, in base64url.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::account_list::{AccountCursor, AccountOrder};

/// The highest page number that is taken, so that the one after it is a number too.
const MAX_PAGE: u32 = i32::MAX.unsigned_abs();
/// The bits of the first byte.
const BY_UPDATE: u8 = 2;
const DESCENDING: u8 = 1;

/// The cursor as text.
pub(super) fn encode(cursor: &AccountCursor) -> String {
    let AccountOrder {
        by_update,
        descending,
    } = cursor.order;
    // The database keeps microseconds, and an `i64` of them lasts 292,000 years.
    let at = i64::try_from(cursor.at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX);
    let mut bytes = vec![BY_UPDATE * u8::from(by_update) + DESCENDING * u8::from(descending)];
    bytes.extend_from_slice(&at.to_be_bytes());
    bytes.extend_from_slice(cursor.after.as_bytes());
    bytes.extend_from_slice(&cursor.page.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor of a text that [`encode`] made, or of one like it; `None` for any other.
pub(super) fn decode(text: &str) -> Option<AccountCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let ([order], rest) = bytes.split_first_chunk()?;
    let (at, rest) = rest.split_first_chunk()?;
    let (after, rest) = rest.split_first_chunk()?;
    let page = u32::from_be_bytes(rest.try_into().ok()?);
    let at = i128::from(i64::from_be_bytes(*at)) * 1_000;
    let at = OffsetDateTime::from_unix_timestamp_nanos(at).ok()?;
    let fits = (1..=MAX_PAGE).contains(&page)
        && *order <= BY_UPDATE + DESCENDING
        && (1970..=9999).contains(&at.year());
    fits.then(|| AccountCursor {
        order: AccountOrder {
            by_update: order & BY_UPDATE != 0,
            descending: order & DESCENDING != 0,
        },
        at,
        after: Uuid::from_bytes(*after),
        page,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursor(order: (bool, bool), micros: i64, id: u128, page: u32) -> AccountCursor {
        AccountCursor {
            order: AccountOrder {
                by_update: order.0,
                descending: order.1,
            },
            at: OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap(),
            after: Uuid::from_u128(id),
            page,
        }
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back(order: (bool, bool), micros in 0..4_000_000_000_000_000_i64, id: u128, page in 1..=MAX_PAGE) {
            let cursor = cursor(order, micros, id, page);
            prop_assert_eq!(decode(&encode(&cursor)), Some(cursor));
        }

        #[test]
        fn any_text_is_taken_without_a_panic(text in "\\PC{0,60}|[A-Za-z0-9_-]{38,40}") {
            if let Some(cursor) = decode(&text) {
                prop_assert_eq!(encode(&cursor), text);
            }
        }
    }

    #[test]
    fn what_cannot_be_a_place_is_refused() {
        let good = encode(&cursor((true, false), 1, 2, 3));
        assert!(decode(&good).is_some());
        for bytes in [
            [&[4][..], &[0; 24], &[0, 0, 0, 1]].concat(),
            [&[0][..], &[0; 24], &[0, 0, 0, 0]].concat(),
            [&[0][..], &[0; 24], &[255, 255, 255, 255]].concat(),
            [&[0][..], &[255; 8], &[0; 16], &[0, 0, 0, 1]].concat(),
            [&[0][..], &[127; 8], &[0; 16], &[0, 0, 0, 1]].concat(),
            vec![0; 28],
            vec![0; 30],
            Vec::new(),
        ] {
            assert_eq!(decode(&URL_SAFE_NO_PAD.encode(&bytes)), None, "{bytes:?}");
        }
    }
}
