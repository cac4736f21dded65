//! What may be shown of a sealed cell without a hand-out (Composio's masking of custom auth
//! configs, contract `composio.md`, "Masking").

use crate::json::Json;
use url::Url;
use zeroize::Zeroizing;

/// Names whose values are public by nature: identifiers and scopes that travel in browser URLs.
const PUBLIC: [&str; 4] = ["client_id", "consumer_key", "scopes", "user_scopes"];
/// Names of an OAuth client's endpoints: they are public whatever their query says, but for user information.
const ENDPOINTS: [&str; 7] = [
    "auth_url",
    "token_url",
    "authorization_url",
    "base_url",
    "redirect_url",
    "redirect_uri",
    "oauth_redirect_uri",
];
/// Parts of names that say "secret" of any value, a URL too: who knows a webhook's URL may post.
const SECRET_URL: [&str; 4] = ["webhook", "secret", "password", "api_key"];
/// Strings shorter than this show nothing of themselves.
const SHOWN_FROM: usize = 12;
/// How many characters a longer string shows.
const SHOWN: usize = 4;
const MASK: &str = "...";

/// The masked form of the cell `name` whose content is the JSON text `content`. Content that is
/// not JSON shows as `...`.
pub(super) fn masked(name: &str, content: &[u8]) -> Json {
    match Json::parse(content) {
        Ok(value) if PUBLIC.contains(&name) && is_text(&value) => value,
        Ok(Json::String(text))
            if is_plain_url(&text) && !names_a_secret(name)
                || ENDPOINTS.contains(&name) && is_url_without_user(&text) =>
        {
            Json::String(text)
        }
        Ok(Json::String(text)) => string(masked_text(&text)),
        _ => string(MASK.into()),
    }
}

/// Whether the value is a string or a list of strings, the two forms that the public names have.
fn is_text(value: &Json) -> bool {
    match value {
        Json::String(_) => true,
        Json::Array(items) => items.iter().all(|item| matches!(item, Json::String(_))),
        _ => false,
    }
}

/// Whether `text` is an absolute http(s) URL without the parts in which credentials travel.
fn is_plain_url(text: &str) -> bool {
    is_url_without_user(text)
        && Url::parse(text).is_ok_and(|url| url.query().is_none() && url.fragment().is_none())
}

fn is_url_without_user(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
    })
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_URL.iter().any(|part| name.contains(part))
}

fn masked_text(text: &str) -> String {
    if text.chars().nth(SHOWN_FROM - 1).is_none() {
        return MASK.into();
    }
    let mut shown: String = text.chars().take(SHOWN).collect();
    shown.push_str(MASK);
    shown
}

fn string(text: String) -> Json {
    Json::String(Zeroizing::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, content: &str) -> String {
        String::from_utf8(masked(name, content.as_bytes()).to_bytes().to_vec()).expect("UTF-8")
    }

    #[test]
    fn strings_show_four_characters_from_twelve_on() {
        assert_eq!(shown("client_secret", r#""abcdefghijkl""#), r#""abcd...""#);
        assert_eq!(shown("client_secret", r#""abcdefghijk""#), r#""...""#);
        assert_eq!(shown("client_secret", r#""äöüßäöüßäöüß""#), r#""äöüß...""#);
        assert_eq!(shown("client_secret", r#""""#), r#""...""#);
    }

    #[test]
    fn public_names_pass_as_strings_and_lists_of_strings_only() {
        for name in PUBLIC {
            assert_eq!(
                shown(name, r#""abcdefghijklmnop""#),
                r#""abcdefghijklmnop""#
            );
            assert_eq!(shown(name, r#"["a","b"]"#), r#"["a","b"]"#);
            assert_eq!(shown(name, r#"{"secret":"x"}"#), r#""...""#);
            assert_eq!(shown(name, r#"["a",{"secret":"x"}]"#), r#""...""#);
        }
    }

    #[test]
    fn plain_urls_pass_and_urls_that_carry_credentials_do_not() {
        let plain = r#""https://api.example.com/v1""#;
        assert_eq!(shown("base_url", plain), plain);
        assert_eq!(shown("token_url", plain), plain);
        for carrying in [
            r#""https://user:pass@example.com/""#,
            r#""https://user@example.com/""#,
            r#""https://example.com/?token=abc""#,
            r#""https://example.com/#abc""#,
        ] {
            assert_eq!(shown("help_page", carrying), r#""http...""#);
        }
        let with_query = r#""https://idp.example/authorize?tenant=1""#;
        assert_eq!(shown("authorization_url", with_query), with_query);
        let with_user = r#""https://user:pass@idp.example/token""#;
        assert_eq!(shown("token_url", with_user), r#""http...""#);
        assert_eq!(shown("webhook_url", plain), r#""http...""#);
        assert_eq!(shown("client_secret", plain), r#""http...""#);
        assert_eq!(shown("base_url", r#""ftp://example.com""#), r#""ftp:...""#);
    }

    #[test]
    fn other_values_and_broken_content_show_nothing() {
        for content in [
            "123456789012345",
            "true",
            "null",
            "[\"abcdefghijklmnop\"]",
            "{}",
            "CANARY",
            "",
        ] {
            assert_eq!(shown("anything", content), r#""...""#);
        }
    }
}
