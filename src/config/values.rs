//! What a value may look like. A refusal says what is taken and never repeats the value.

use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use crate::domain::AuditReads;

/// The longest retention: beyond it, dates would leave the database's calendar.
const LONGEST_RETENTION: Duration = Duration::from_hours(3_650 * 24);

pub(super) fn public_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text)
        .map_err(|_| "not an absolute URL such as https://keyway.example.com".to_owned())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if plain {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("must be http or https with a host, without user, query and fragment".to_owned())
    }
}

pub(super) fn retention(text: &str) -> Result<Duration, String> {
    let wrong = || "not a time such as 7d, 12h, 90m or 0, up to 3650d".to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    humantime::parse_duration(text)
        .ok()
        .filter(|time| *time <= LONGEST_RETENTION)
        .ok_or_else(wrong)
}

pub(super) fn audit_reads(text: &str) -> Result<AuditReads, String> {
    match text {
        "sync" => Ok(AuditReads::Sync),
        "batched" => Ok(AuditReads::Batched),
        _ => Err("must be sync or batched".to_owned()),
    }
}

/// `host`, `address` or `address/bits`, with or without `:port`; an IPv6 address with a port in brackets.
pub(super) fn allowed_host(text: &str) -> Result<String, String> {
    let text = text.trim();
    let with_port = text.rsplit_once(':').is_some_and(|(host, port)| {
        port.parse::<u16>().is_ok_and(|port| port > 0) && is_host(host)
    });
    if is_host(text) || with_port {
        Ok(text.to_owned())
    } else {
        Err(
            "not a host, address or network (address/bits), with or without :port, such as \
             10.1.2.0/24:443 or vault.corp:8200"
                .to_owned(),
        )
    }
}

fn is_host(text: &str) -> bool {
    let (name, bits) = text
        .split_once('/')
        .map_or((text, None), |(name, bits)| (name, Some(bits)));
    let bare = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match (bare.unwrap_or(name).parse::<IpAddr>(), bits) {
        (Ok(_), None) => true,
        (Ok(address), Some(bits)) => {
            let most = if address.is_ipv4() { 32 } else { 128 };
            bits.parse::<u8>().is_ok_and(|bits| bits <= most)
        }
        (Err(_), Some(_)) => false,
        (Err(_), None) => {
            bare.is_none()
                && !name.is_empty()
                && name.len() <= 253
                && name.split('.').all(is_label)
                // An ill-formed address is no name.
                && !name.ends_with(|last: char| last.is_ascii_digit())
                    | name.contains(|c: char| c.is_ascii_alphabetic())
        }
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_lose_their_last_slash_and_nothing_else() {
        assert_eq!(
            public_url("https://kw.example.com/").as_deref(),
            Ok("https://kw.example.com")
        );
        assert_eq!(
            public_url("http://localhost:8080/base/").as_deref(),
            Ok("http://localhost:8080/base")
        );
        for bad in [
            "kw.example.com",
            "ftp://x",
            "https://u@x",
            "https://x/?q",
            "https://x/#f",
        ] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_words_or_zero() {
        assert_eq!(retention("7d"), Ok(Duration::from_hours(7 * 24)));
        assert_eq!(retention("0"), Ok(Duration::ZERO));
        for bad in ["soon", "", "-1d", "7", "4000d", "1000000years"] {
            assert!(retention(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn allowed_hosts_are_names_addresses_and_networks() {
        for good in [
            "vault.corp:8200",
            "vault",
            "3com.example",
            "10.1.2.0/24:443",
            "10.1.2.3",
            "fd00::/8",
            "[fd00::1]:8443",
            "fd00::1",
        ] {
            assert_eq!(allowed_host(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "https://vault.corp",
            "10.1.2.0/33",
            "10.1.2.300",
            "vault.corp:0",
            "vault.corp:99999",
            "a b",
            "vault..corp",
            "vault/8",
            "*",
        ] {
            assert!(allowed_host(bad).is_err(), "{bad}");
        }
    }
}
