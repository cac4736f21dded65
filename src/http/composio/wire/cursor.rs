//! The opaque `cursor` of a list: 16 bytes of row id and 4 of page number, in base64url.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::domain::auth_config::Cursor;

/// The highest page number that is taken, so that the one after it is a number too.
const MAX_PAGE: u32 = i32::MAX.unsigned_abs();

/// The cursor as text.
pub(super) fn encode(cursor: &Cursor) -> String {
    let mut bytes = [0; 20];
    bytes[..16].copy_from_slice(cursor.after.as_bytes());
    bytes[16..].copy_from_slice(&cursor.page.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor of a text that [`encode`] made; `None` for any other.
pub(super) fn decode(text: &str) -> Option<Cursor> {
    let bytes: [u8; 20] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (after, page) = bytes.split_at(16);
    let page = u32::from_be_bytes(page.try_into().ok()?);
    (1..=MAX_PAGE).contains(&page).then_some(Cursor {
        after: Uuid::from_slice(after).ok()?,
        page,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back(id: u128, page in 1..=MAX_PAGE) {
            let cursor = Cursor { after: Uuid::from_u128(id), page };
            prop_assert_eq!(decode(&encode(&cursor)), Some(cursor));
        }

        #[test]
        fn any_other_text_is_no_cursor(text in "[A-Za-z0-9_=+/-]{0,26}|[A-Za-z0-9_-]{28,40}|\\PC{1,40}") {
            prop_assume!(text.len() != 27);
            prop_assert_eq!(decode(&text), None);
        }
    }

    #[test]
    fn a_page_that_cannot_be_is_refused() {
        for page in [0, u32::MAX] {
            assert_eq!(
                decode(&encode(&Cursor {
                    after: Uuid::nil(),
                    page
                })),
                None
            );
        }
    }
}
