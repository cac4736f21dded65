//! Rules of an integration's auth setting that span members or need the operator's settings (contract/langdock,
//! "Ours, where it is silent", 3, 6 and 7). They hold for every dialect.

use std::net::IpAddr;

use url::{Host, Url};

use super::auth_config::{AuthKind, IntegrationAuth, OAuthClientChange};
use super::error::{Issue, Rule};
use super::limits;
use super::patch::Patch;

impl IntegrationAuth {
    /// Every rule between members that the setting breaks, in the order of its members, with the members' domain
    /// names. `egress_allow` is the operator's list of hosts (`host`, `host:port`, `address/bits:port`) that may be
    /// reached by http.
    pub fn broken_rules(&self, egress_allow: &[String]) -> Vec<Issue> {
        let mut issues = Vec::new();
        if self.kind == AuthKind::None && !self.fields.is_empty() {
            issues.push(Issue::at(
                "fields",
                Rule::NotWith("no authentication (NONE)"),
            ));
        }
        issues.extend(limits::duplicate_slugs(&self.fields));
        if let Patch::Set(client) = &self.oauth_client {
            if !self.kind.is_oauth() {
                issues.push(Issue::at(
                    "oauth_client",
                    Rule::NotWith("an authentication type other than OAuth"),
                ));
            }
            issues.extend(client.refused_urls(egress_allow));
        }
        issues
    }
}

impl OAuthClientChange {
    /// The http URLs whose hosts the operator did not allow.
    fn refused_urls(&self, egress_allow: &[String]) -> impl Iterator<Item = Issue> {
        [("auth_url", &self.auth_url), ("token_url", &self.token_url)]
            .into_iter()
            .filter_map(move |(member, url)| {
                let url = limits::http_url(url.as_set()?)?;
                let allowed = egress_allow.iter().any(|entry| allows(entry, &url));
                (!allowed)
                    .then(|| Issue::new(vec!["oauth_client".into(), member.into()], Rule::NotAUrl))
            })
    }
}

/// Whether one entry of the egress allow-list opens the host and port of `url`.
fn allows(entry: &str, url: &Url) -> bool {
    let entry = entry.trim();
    if names_host(entry, url) {
        return true;
    }
    entry.rsplit_once(':').is_some_and(|(host, port)| {
        port.parse::<u16>()
            .is_ok_and(|port| url.port_or_known_default() == Some(port))
            && names_host(host, url)
    })
}

/// Whether `name`, a host name, an address or a network (`address/bits`), takes in the host of `url`. An IPv6
/// address may stand in brackets.
fn names_host(name: &str, url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Domain(host)) => return host.eq_ignore_ascii_case(name),
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        None => return false,
    };
    let (network, bits) = name
        .split_once('/')
        .map_or((name, None), |(network, bits)| (network, Some(bits)));
    let network = network
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    match (network, bits.map(str::parse::<u32>)) {
        (Ok(network), None) => network == address,
        (Ok(network), Some(Ok(bits))) => contains(network, bits, address),
        _ => false,
    }
}

/// Whether the first `bits` bits of both addresses are the same.
fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if bits <= 32 => {
            (network.to_bits() ^ address.to_bits())
                .checked_shr(32 - bits)
                .unwrap_or(0)
                == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if bits <= 128 => {
            (network.to_bits() ^ address.to_bits())
                .checked_shr(128 - bits)
                .unwrap_or(0)
                == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::auth_config::{DeclaredField, FieldKind};

    fn setting(kind: AuthKind) -> IntegrationAuth {
        IntegrationAuth {
            kind,
            fields: Vec::new(),
            test_code: Patch::Keep,
            oauth_client: Patch::Keep,
        }
    }

    fn field(slug: &str) -> DeclaredField {
        DeclaredField {
            slug: slug.to_owned(),
            label: "Label".to_owned(),
            kind: FieldKind::Text,
            description: String::new(),
            placeholder: None,
            required: false,
            default: None,
        }
    }

    fn with_url(url: &str) -> IntegrationAuth {
        let client = OAuthClientChange {
            token_url: Patch::Set(url.to_owned()),
            ..OAuthClientChange::default()
        };
        IntegrationAuth {
            oauth_client: Patch::Set(client),
            ..setting(AuthKind::OAuth)
        }
    }

    #[test]
    fn a_client_needs_oauth_and_fields_need_authentication() {
        for kind in [
            AuthKind::None,
            AuthKind::ApiKey,
            AuthKind::ServiceAccount,
            AuthKind::OAuth,
            AuthKind::OAuthDcr,
        ] {
            let mut auth = setting(kind);
            assert_eq!(auth.broken_rules(&[]), [], "{kind:?}");
            auth.oauth_client = Patch::Clear;
            assert_eq!(auth.broken_rules(&[]), [], "{kind:?}");
            auth.oauth_client = Patch::Set(OAuthClientChange::default());
            auth.fields = vec![field("key")];
            let paths: Vec<_> = auth
                .broken_rules(&[])
                .into_iter()
                .map(|issue| issue.path)
                .collect();
            let expected: &[Vec<_>] = match kind {
                AuthKind::None => &[vec!["fields".into()], vec!["oauth_client".into()]],
                AuthKind::ApiKey | AuthKind::ServiceAccount => &[vec!["oauth_client".into()]],
                AuthKind::OAuth | AuthKind::OAuthDcr => &[],
            };
            assert_eq!(paths, expected, "{kind:?}");
        }
    }

    #[test]
    fn the_later_of_two_like_slugs_is_named() {
        let fields = vec![field("key"), field("other"), field("KEY"), field("Key")];
        let auth = IntegrationAuth {
            fields,
            ..setting(AuthKind::ApiKey)
        };
        let places: Vec<_> = auth
            .broken_rules(&[])
            .into_iter()
            .map(|issue| (issue.path[1].clone(), issue.rule))
            .collect();
        assert_eq!(
            places,
            [(2.into(), Rule::Duplicate), (3.into(), Rule::Duplicate)]
        );
    }

    #[test]
    fn http_is_for_hosts_on_the_allow_list() {
        let list = [
            "vault.corp:8200",
            "idp.corp",
            "10.1.2.0/24:8080",
            "[fd00::]/8:80",
            "127.0.0.1:9000",
        ];
        let list = list.map(str::to_owned);
        for url in [
            "https://anywhere.example/token",
            "http://vault.corp:8200/token",
            "http://IDP.corp/token",
            "http://idp.corp:8443/token",
            "http://10.1.2.255:8080/token",
            "http://[fd12:3456::1]/token",
            "http://127.0.0.1:9000",
        ] {
            assert_eq!(with_url(url).broken_rules(&list), [], "{url}");
        }
        for url in [
            "http://vault.corp/token",
            "http://vault.corp:8201/token",
            "http://a.idp.corp/token",
            "http://10.1.3.0:8080/token",
            "http://10.1.2.1/token",
            "http://[fe00::1]/token",
            "http://127.0.0.1/",
        ] {
            let refused = [Issue::new(
                vec!["oauth_client".into(), "token_url".into()],
                Rule::NotAUrl,
            )];
            assert_eq!(with_url(url).broken_rules(&list), refused, "{url}");
        }
        assert_eq!(
            with_url("http://vault.corp:8200/").broken_rules(&[]).len(),
            1
        );
    }

    #[test]
    fn networks_take_in_their_addresses() {
        let url = |host: &str| Url::parse(&format!("http://{host}/")).unwrap();
        assert!(allows("0.0.0.0/0", &url("192.0.2.1")));
        assert!(allows("192.0.2.1/32", &url("192.0.2.1")));
        assert!(!allows("192.0.2.1/32", &url("192.0.2.2")));
        assert!(!allows("192.0.2.1/33", &url("192.0.2.1")));
        assert!(!allows("192.0.2.0/x", &url("192.0.2.0")));
        assert!(!allows("::/0", &url("192.0.2.1")));
        assert!(allows("fd00::1", &url("[fd00::1]")));
        assert!(!allows("", &url("192.0.2.1")));
    }
}
