//! The opaque `cursor` of the list of toolkits: 4 bytes of page number and a slug, in base64url.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::toolkit_list::ToolkitCursor;

/// The highest page number that is taken, so that the one after it is a number too.
const MAX_PAGE: u32 = i32::MAX.unsigned_abs();

/// The cursor as text.
pub(super) fn encode(cursor: &ToolkitCursor) -> String {
    let bytes = [&cursor.page.to_be_bytes(), cursor.after.as_bytes()].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor of a text that [`encode`] made, or of one like it; `None` for any other.
pub(super) fn decode(text: &str) -> Option<ToolkitCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (page, after) = bytes.split_first_chunk()?;
    let (page, after) = (u32::from_be_bytes(*page), str::from_utf8(after).ok()?);
    let is_slug = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let fits = (1..=MAX_PAGE).contains(&page) && !after.is_empty() && after.chars().all(is_slug);
    fits.then(|| ToolkitCursor {
        after: after.to_owned(),
        page,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursor(after: &str, page: u32) -> ToolkitCursor {
        ToolkitCursor {
            after: after.to_owned(),
            page,
        }
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back(after in "[a-z0-9_-]{1,60}", page in 1..=MAX_PAGE) {
            let cursor = cursor(&after, page);
            prop_assert_eq!(decode(&encode(&cursor)), Some(cursor));
        }

        #[test]
        fn any_text_is_taken_without_a_panic(text in "\\PC{0,40}|[A-Za-z0-9_-]{0,40}") {
            if let Some(cursor) = decode(&text) {
                prop_assert_eq!(encode(&cursor), text);
            }
        }
    }

    #[test]
    fn what_cannot_be_a_place_is_refused() {
        for (after, page) in [
            ("github", 0),
            ("github", u32::MAX),
            ("", 1),
            ("a b", 1),
            ("\0", 1),
            ("é", 1),
        ] {
            assert_eq!(
                decode(&encode(&cursor(after, page))),
                None,
                "{after:?} {page}"
            );
        }
        for text in ["", "AAA", "AAAAAQ", "gith ub", "AAAAAf8"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
