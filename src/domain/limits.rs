//! The limits of the domain's input types, each written once (contract/langdock, the tables of the seed), and the
//! way from `validator`'s findings to [`Issue`]s. Lengths are counted in UTF-16 units, as JavaScript counts them, where
//! nothing else is said.

pub mod strata;

use std::borrow::Cow;
use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization as _;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};
use zeroize::Zeroizing;

use super::auth_config::{DeclaredField, IntegrationAuth};
use super::error::{Issue, Rule, Segment};
use super::patch::Patch;

/// Slugs that would become properties of every JavaScript object.
const RESERVED_SLUGS: [&str; 3] = ["__proto__", "constructor", "prototype"];
/// The largest number of fields of a config.
pub const MAX_FIELDS: usize = 100;
/// The largest length of a user's id and of a platform's name, in characters. Every id can so be asked for by its path,
/// however it is encoded there, and a page of users stays bounded.
pub const MAX_USER_ID: usize = 2_048;

type Finding = Result<(), ValidationError>;

macro_rules! text_limit {
    ($($(#[$doc:meta])* $name:ident: $min:literal ..= $max:literal;)*) => {$(
        $(#[$doc])*
        pub(super) fn $name(text: &str) -> Finding { length(text, $min, $max) }
    )*};
}

macro_rules! patch_limit {
    ($($(#[$doc:meta])* $name:ident: $max:literal;)*) => {$(
        $(#[$doc])*
        pub(super) fn $name(text: &Patch<String>) -> Finding {
            text.as_set().map_or(Ok(()), |text| length(text, 0, $max))
        }
    )*};
}

text_limit! {
    integration_name: 1..=40;
    integration_description: 0..=90;
    field_label: 1..=100;
    field_description: 0..=500;
    field_placeholder: 0..=200;
}

patch_limit! {
    code: 1_000;
    oauth_scopes: 2_000;
    oauth_label: 100;
}

/// 1 to [`MAX_USER_ID`] characters.
pub(super) fn user_id(text: &str) -> Finding {
    sized(text, text.chars().count(), 1, MAX_USER_ID)
}

/// The rule that a text breaks as a user's id, or as a platform's name.
pub fn broken_by_user_id(text: &str) -> Option<Rule> {
    user_id(text).err().map(|finding| rule(&finding))
}

/// At most 500 units. [`Patch`] keeps the secret out of the finding.
pub(super) fn oauth_member(text: &Patch<Zeroizing<String>>) -> Finding {
    text.as_set().map_or(Ok(()), |text| length(text, 0, 500))
}

/// `[A-Za-z0-9][A-Za-z0-9_-]*`, 1 to 100 units, none of the reserved words.
pub(super) fn field_slug(slug: &str) -> Finding {
    length(slug, 1, 100)?;
    if RESERVED_SLUGS.contains(&slug.to_lowercase().as_str()) {
        return Err(ValidationError::new("reserved_slug"));
    }
    let begins = slug.starts_with(|first: char| first.is_ascii_alphanumeric());
    let goes_on = slug
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if begins && goes_on {
        Ok(())
    } else {
        Err(ValidationError::new("slug"))
    }
}

/// At most [`MAX_FIELDS`]. A rule of the whole input and not of its member `fields`: `validator` keeps one kind of
/// finding for a member, and this one would hide those of the elements.
pub(super) fn number_of_fields(auth: &IntegrationAuth) -> Finding {
    if auth.fields.len() <= MAX_FIELDS {
        return Ok(());
    }
    let mut finding = ValidationError::new("too_many");
    finding.add_param(Cow::Borrowed("max"), &MAX_FIELDS);
    finding.add_param(Cow::Borrowed("member"), &"fields");
    Err(finding)
}

/// An absolute https URL without user info or fragment, at most 2,000 units. Whether http is allowed for a host is
/// the operator's setting and so checked by the service, see [`http_url`].
pub(super) fn oauth_url(url: &Patch<String>) -> Finding {
    let Some(text) = url.as_set() else {
        return Ok(());
    };
    length(text, 0, 2_000)?;
    match url::Url::parse(text) {
        Ok(url) if is_plain(&url, text) => Ok(()),
        _ => Err(ValidationError::new("url")),
    }
}

/// A URL that has http or https, a host, no user info and no fragment, and that was written so: the parser (WHATWG
/// URL) repairs missing slashes, backslashes, white space and an empty `@`, which other readers of the stored text
/// would take for something else.
fn is_plain(url: &url::Url, text: &str) -> bool {
    let written = text
        .split_once("://")
        .map(|(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.fragment().is_none()
        && written.is_some_and(|authority| !authority.is_empty() && !authority.contains('@'))
        && !text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control())
}

/// Whether this is an http URL, which only the operator's egress allow-list permits.
pub(super) fn http_url(text: &str) -> Option<url::Url> {
    url::Url::parse(text)
        .ok()
        .filter(|url| url.scheme() == "http")
}

fn length(text: &str, min: usize, max: usize) -> Finding {
    sized(text, text.encode_utf16().count(), min, max)
}

/// `size` is the text's own, in the unit of `min` and `max`.
fn sized(text: &str, size: usize, min: usize, max: usize) -> Finding {
    if text.contains('\0') {
        return Err(ValidationError::new("nul"));
    }
    let (code, name, bound) = match size {
        _ if size < min => ("too_short", "min", min),
        _ if size > max => ("too_long", "max", max),
        _ => return Ok(()),
    };
    let mut finding = ValidationError::new(code);
    finding.add_param(Cow::Borrowed(name), &bound);
    Err(finding)
}

/// Every limit that `input` breaks, ordered by path. Members have the names of the domain's types.
pub fn broken_limits(input: &impl Validate) -> Vec<Issue> {
    let mut issues = Vec::new();
    if let Err(errors) = input.validate() {
        collect(&errors, &mut Vec::new(), &mut issues);
    }
    issues.sort_by(|one, other| one.path.cmp(&other.path));
    issues
}

/// Slugs that stand twice, compared without case after NFC; the later one is named.
pub fn duplicate_slugs(fields: &[DeclaredField]) -> Vec<Issue> {
    let mut seen = HashSet::new();
    fields
        .iter()
        .enumerate()
        .filter(|(_, field)| !field.slug.is_empty() && !seen.insert(folded(&field.slug)))
        .map(|(index, _)| {
            Issue::new(
                vec!["fields".into(), index.into(), "slug".into()],
                Rule::Duplicate,
            )
        })
        .collect()
}

fn folded(slug: &str) -> String {
    slug.nfc().collect::<String>().to_lowercase()
}

fn collect(errors: &ValidationErrors, path: &mut Vec<Segment>, issues: &mut Vec<Issue>) {
    for (member, kind) in errors.errors() {
        path.push(Segment::from(member.clone().into_owned()));
        match kind {
            ValidationErrorsKind::Struct(inner) => collect(inner, path, issues),
            ValidationErrorsKind::List(elements) => {
                for (index, inner) in elements {
                    path.push(Segment::Index(*index));
                    collect(inner, path, issues);
                    path.pop();
                }
            }
            ValidationErrorsKind::Field(findings) => {
                issues.extend(
                    findings
                        .iter()
                        .map(|finding| Issue::new(place(finding, path), rule(finding))),
                );
            }
        }
        path.pop();
    }
}

/// Where a finding belongs: a rule of a whole input names the member that it is about.
fn place(finding: &ValidationError, path: &[Segment]) -> Vec<Segment> {
    match (
        finding
            .params
            .get("member")
            .and_then(serde_json::Value::as_str),
        path,
    ) {
        (Some(member), [above @ .., _]) => [above, &[Segment::from(member.to_owned())]].concat(),
        _ => path.to_vec(),
    }
}

fn rule(finding: &ValidationError) -> Rule {
    let bound = |name| {
        finding
            .params
            .get(name)
            .and_then(serde_json::Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(0)
    };
    match finding.code.as_ref() {
        "too_short" => Rule::TooShort { min: bound("min") },
        "too_long" => Rule::TooLong { max: bound("max") },
        "too_many" => Rule::TooMany { max: bound("max") },
        "reserved_slug" => Rule::ReservedSlug,
        "slug" => Rule::NotASlug,
        "nul" => Rule::NulCharacter,
        _ => Rule::NotAUrl,
    }
}

#[cfg(test)]
mod tests;
