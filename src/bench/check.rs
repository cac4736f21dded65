//! What a right answer is. Everything else is a failure: another status, another row's credential, an older one.

use super::ids::{self, Kind};
use super::path::Path;
use super::template::Target;
use super::world::{self, CREDENTIAL};

/// How an answer was wrong: short, and without any of its content but the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// Not 200.
    Status(u16),
    /// 200, and not what was asked for.
    Body,
}

/// Checks the answer to a request for `target`. `generation` is what must lie in the row; `None` takes any.
pub fn check(
    path: Path,
    target: Target,
    generation: Option<u32>,
    status: u16,
    body: &[u8],
) -> Result<(), Wrong> {
    if status != 200 {
        return Err(Wrong::Status(status));
    }
    let right = match path {
        Path::SetAuth | Path::PatchComposio => body.starts_with(br#"{"success":true"#),
        Path::HandOut | Path::HandOutBatched => is_credential(body, target.number, generation),
        Path::PatchLangdock => is_setting(body, target.number),
    };
    if right { Ok(()) } else { Err(Wrong::Body) }
}

/// Whether `body` hands out the credential of that row.
fn is_credential(body: &[u8], number: u64, generation: Option<u32>) -> bool {
    const BEFORE: &[u8] = br#"{"success":true,"authData":{"api_key":""#;
    const AFTER: &[u8] = br#""},"error":null}"#;
    let value = body
        .strip_prefix(BEFORE)
        .and_then(|rest| rest.strip_suffix(AFTER));
    let Some(value) = value else { return false };
    let mark = world::mark(number, generation.unwrap_or_default());
    let Some((found, padding)) = value.split_at_checked(mark.len()) else {
        return false;
    };
    // Without a generation the row must be named all the same.
    let compared = if generation.is_some() {
        mark.len()
    } else {
        "kwb-".len() + 12 + 1
    };
    let length = CREDENTIAL - r#"{"api_key":""}"#.len() - mark.len();
    found[..compared] == mark.as_bytes()[..compared]
        && padding.len() == length
        && padding.iter().copied().eq(world::padding(length))
}

/// Whether `body` is the auth setting of that integration, as it was set.
fn is_setting(body: &[u8], number: u64) -> bool {
    let id = ids::uuid(Kind::Integration, number);
    let wanted = format!(r#"{{"integration":{{"id":"{id}","authType":"API_KEY""#);
    let field = br#""slug":"api_key","label":"API key","type":"PASSWORD""#;
    body.starts_with(wanted.as_bytes()) && body.windows(field.len()).any(|found| found == field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::world::World;

    fn target() -> Target {
        Target::connection(World::new(2, 2, Vec::new()).row(1), 0)
    }

    fn handed_out(number: u64, generation: u32) -> Vec<u8> {
        let credential = world::credential(number, generation);
        format!(r#"{{"success":true,"authData":{credential},"error":null}}"#).into_bytes()
    }

    #[test]
    fn only_the_rows_own_newest_credential_is_right() {
        let (target, path) = (target(), Path::HandOut);
        let of = |generation, body: &[u8]| check(path, target, generation, 200, body);
        let right = handed_out(target.number, 3);
        assert_eq!(of(Some(3), &right), Ok(()));
        assert_eq!(of(None, &right), Ok(()));
        assert_eq!(of(Some(2), &right), Err(Wrong::Body));
        assert_eq!(of(Some(3), &handed_out(1_000_001, 3)), Err(Wrong::Body));
        assert_eq!(of(None, &handed_out(1_000_001, 3)), Err(Wrong::Body));
        assert_eq!(of(Some(3), &right[..right.len() - 1]), Err(Wrong::Body));
        let mut torn = right.clone();
        torn[500] = b'x';
        assert_eq!(of(Some(3), &torn), Err(Wrong::Body));
        assert_eq!(of(Some(3), b"{}"), Err(Wrong::Body));
    }

    #[test]
    fn another_status_is_wrong_whatever_the_body() {
        let body = handed_out(target().number, 0);
        let outcome = check(Path::HandOut, target(), Some(0), 404, &body);
        assert_eq!(outcome, Err(Wrong::Status(404)));
    }

    #[test]
    fn a_write_that_stored_nothing_is_wrong() {
        let of = |body: &[u8]| check(Path::SetAuth, target(), None, 200, body);
        assert_eq!(of(br#"{"success":true,"message":"saved"}"#), Ok(()));
        assert_eq!(of(br#"{"success":false,"message":"x"}"#), Err(Wrong::Body));
        assert_eq!(of(b""), Err(Wrong::Body));
    }

    #[test]
    fn an_auth_setting_must_be_that_of_the_integration() {
        let path = Path::PatchLangdock;
        let target = Target::config(path, 2);
        let body = |number, slug| {
            let id = ids::uuid(Kind::Integration, number);
            format!(
                r#"{{"integration":{{"id":"{id}","authType":"API_KEY","authTestCode":null,"authFields":[{{"slug":"{slug}","label":"API key","type":"PASSWORD"}}]}}}}"#
            )
        };
        let of = |body: String| check(path, target, None, 200, body.as_bytes());
        assert_eq!(of(body(target.number, "api_key")), Ok(()));
        assert_eq!(of(body(target.number, "other")), Err(Wrong::Body));
        assert_eq!(of(body(14, "api_key")), Err(Wrong::Body));
    }
}
