//! The codes of an OAuth client where none is stored (contract/langdock, "Ours, where it is silent", 9). They say in
//! JavaScript what the OAuth engine does natively (RFC 6749 sections 4.1.1, 4.1.3 and 6; PKCE: RFC 7636), so that a
//! tenant has something to start from; while no other code is stored, no JavaScript runs.

use crate::domain::patch::Patch;

/// Builds the authorization URL.
pub(super) const AUTHORIZATION: &str = r#"const { redirectUrl, state, scope, codeChallenge } = data.input;
const url = new URL(env.AUTH_URL);
url.searchParams.set("response_type", "code");
url.searchParams.set("client_id", env.CLIENT_ID);
url.searchParams.set("redirect_uri", redirectUrl);
url.searchParams.set("state", state);
if (scope) url.searchParams.set("scope", scope);
if (codeChallenge) {
  url.searchParams.set("code_challenge", codeChallenge);
  url.searchParams.set("code_challenge_method", "S256");
}
return url.toString();
"#;

/// Exchanges the authorization code for tokens.
pub(super) const ACCESS_TOKEN: &str = r#"const { redirectUrl, code, codeVerifier } = data.input;
const form = new URLSearchParams({
  grant_type: "authorization_code",
  code,
  redirect_uri: redirectUrl,
  client_id: env.CLIENT_ID,
});
if (env.CLIENT_SECRET) form.set("client_secret", env.CLIENT_SECRET);
if (codeVerifier) form.set("code_verifier", codeVerifier);
const response = await ld.request({
  method: "POST",
  url: env.TOKEN_URL,
  headers: {
    "Content-Type": "application/x-www-form-urlencoded",
    Accept: "application/json",
  },
  body: form.toString(),
});
const tokens = response.json;
if (response.status >= 300 || !tokens || !tokens.access_token) {
  throw new Error("No token: the endpoint answered " + response.status);
}
return tokens;
"#;

/// Exchanges the refresh token for a new access token. Where the provider sends no new refresh token, the old one
/// stays (RFC 6749 section 6).
pub(super) const REFRESH_TOKEN: &str = r#"const refreshToken = data.auth.refresh_token;
const form = new URLSearchParams({
  grant_type: "refresh_token",
  refresh_token: refreshToken,
  client_id: env.CLIENT_ID,
});
if (env.CLIENT_SECRET) form.set("client_secret", env.CLIENT_SECRET);
const response = await ld.request({
  method: "POST",
  url: env.TOKEN_URL,
  headers: {
    "Content-Type": "application/x-www-form-urlencoded",
    Accept: "application/json",
  },
  body: form.toString(),
});
const tokens = response.json;
if (response.status >= 300 || !tokens || !tokens.access_token) {
  throw new Error("No token: the endpoint answered " + response.status);
}
return { refresh_token: refreshToken, ...tokens };
"#;

/// What is to be stored of a code that was sent: nothing where it is empty or the default that a read returned.
pub(super) fn without_default(code: Patch<String>, default: &str) -> Patch<String> {
    match code {
        Patch::Set(text) if text.trim().is_empty() || text == default => Patch::Clear,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_could_be_sent_back() {
        for code in [AUTHORIZATION, ACCESS_TOKEN, REFRESH_TOKEN] {
            assert!(code.encode_utf16().count() <= 1_000);
        }
    }

    #[test]
    fn a_default_that_is_sent_back_is_not_stored() {
        let stored = |text: &str| without_default(Patch::Set(text.to_owned()), ACCESS_TOKEN);
        assert_eq!(stored(ACCESS_TOKEN), Patch::Clear);
        assert_eq!(stored(" \n"), Patch::Clear);
        assert_eq!(stored("return 1;"), Patch::Set("return 1;".to_owned()));
        assert_eq!(without_default(Patch::Keep, ACCESS_TOKEN), Patch::Keep);
        assert_eq!(without_default(Patch::Clear, ACCESS_TOKEN), Patch::Clear);
    }
}
