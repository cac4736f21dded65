//! Whether a form comes from the very page that this browser was shown.
//!
//! Showing the page gives the browser a cookie with a nonce, which goes back to this site only from this site, and the
//! form a proof: the hash of the nonce and the link. Who cannot read the page has no proof, and who cannot set the cookie
//! has no nonce that would fit another one. The link itself is as unguessable as both.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{COOKIE, ORIGIN};
use http::{HeaderMap, HeaderValue};
use rand::Rng as _;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::domain::Service;

/// Of the hash, so that it is the same as no other.
const LABEL: &[u8] = b"keyway/connect-form/v1";
/// How long a browser keeps the cookie, in seconds: longer than any link.
const COOKIE_AGE: u32 = 900;
const NONCE_BYTES: usize = 32;
/// A nonce in base64url.
const NONCE_LENGTH: usize = 43;

/// What a browser was given with a page.
pub(super) struct Nonce(String);

impl Nonce {
    /// A new one.
    fn new() -> Self {
        let mut bytes = [0; NONCE_BYTES];
        UnwrapErr(SysRng).fill_bytes(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The one that the browser has for this page.
    pub(super) fn of(headers: &HeaderMap, page: &Page<'_>) -> Option<Self> {
        let name = page.cookie_name();
        let cookies = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';'));
        let nonce = pairs.find_map(|pair| pair.trim().strip_prefix(&name)?.strip_prefix('='))?;
        let is_one = nonce.len() == NONCE_LENGTH && URL_SAFE_NO_PAD.decode(nonce).is_ok();
        is_one.then(|| Self(nonce.to_owned()))
    }

    /// The one that the browser has, or a new one. A second window of the same page keeps the first one's form good.
    pub(super) fn kept_or_new(headers: &HeaderMap, page: &Page<'_>) -> Self {
        Self::of(headers, page).unwrap_or_else(Self::new)
    }

    /// What the page's form holds.
    pub(super) fn proof(&self, page: &Page<'_>) -> String {
        let mut hash = Sha256::new_with_prefix(LABEL);
        for part in [self.0.as_str(), page.token] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }

    /// Whether the form holds it.
    pub(super) fn vouches_for(&self, page: &Page<'_>, proof: &str) -> bool {
        self.proof(page).as_bytes().ct_eq(proof.as_bytes()).into()
    }
}

/// One page, and how browsers reach this server.
pub(super) struct Page<'a> {
    pub(super) token: &'a str,
    public: Option<Url>,
}

impl<'a> Page<'a> {
    pub(super) fn new(service: &Service, token: &'a str) -> Self {
        Self {
            token,
            public: Url::parse(&service.settings().public_url).ok(),
        }
    }

    /// The host that people see in their browser.
    pub(super) fn host(&self) -> &str {
        self.public
            .as_ref()
            .and_then(Url::host_str)
            .unwrap_or_default()
    }

    fn is_https(&self) -> bool {
        self.public
            .as_ref()
            .is_some_and(|url| url.scheme() == "https")
    }

    /// Of its own for each link, so that two open pages do not take each other's. By https with the prefix that no other
    /// host of the domain can set (RFC 6265bis section 4.1.3.2); it asks for the path `/`.
    fn cookie_name(&self) -> String {
        let digest = Sha256::digest(self.token.as_bytes());
        let link = URL_SAFE_NO_PAD.encode(&digest[..9]);
        let prefix = if self.is_https() { "__Host-" } else { "" };
        format!("{prefix}keyway-connect-{link}")
    }

    /// Gives the browser the nonce.
    pub(super) fn set_cookie(&self, nonce: &Nonce) -> Option<HeaderValue> {
        self.cookie(&nonce.0, COOKIE_AGE)
    }

    /// Takes the nonce away: the page is at its end.
    pub(super) fn clear_cookie(&self) -> Option<HeaderValue> {
        self.cookie("", 0)
    }

    fn cookie(&self, value: &str, age: u32) -> Option<HeaderValue> {
        let name = self.cookie_name();
        let scope = if self.is_https() {
            "Path=/; Secure".to_owned()
        } else {
            let base = self
                .public
                .as_ref()
                .map_or("", Url::path)
                .trim_end_matches('/');
            format!("Path={base}/connect/{}", self.token)
        };
        let cookie = format!("{name}={value}; Max-Age={age}; {scope}; HttpOnly; SameSite=Lax");
        HeaderValue::from_str(&cookie).ok()
    }

    /// Whether the browser says that another site sent the form. `Origin: null` says nothing: pages that send no referrer,
    /// as ours do, post so (Fetch, "append a request Origin header").
    pub(super) fn is_foreign(&self, headers: &HeaderMap) -> bool {
        let says = |name: &str, fine: &dyn Fn(&[u8]) -> bool| {
            let mut values = headers.get_all(name).iter();
            values.any(|value| !fine(value.as_bytes()))
        };
        let own = self
            .public
            .as_ref()
            .map(|url| url.origin().ascii_serialization());
        let own = own.unwrap_or_default();
        says(ORIGIN.as_str(), &|origin| {
            origin == b"null" || origin == own.as_bytes()
        }) || says("sec-fetch-site", &|site| {
            matches!(site, b"same-origin" | b"none")
        })
    }
}

/// Whether browsers reach this server by https.
pub(in crate::http) fn is_https(service: &Service) -> bool {
    Page::new(service, "").is_https()
}
