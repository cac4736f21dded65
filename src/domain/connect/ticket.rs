//! Links to the page that are stored nowhere: a read of metadata writes nothing, and yet shows where a user can connect.
//!
//! A ticket is `lt_` and base64url of tenant (16 bytes), connection (16), end in seconds since 1970 (8), the connection's
//! last change in microseconds (8), id of the API key that it was made for, and an HMAC-SHA-256 over all of that under
//! the tenant's index key (32). The database's clock made it and judges it. It is used once: what it leads to changes
//! the connection.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::crypto::TenantKeys;
use crate::domain::ids::{ConnectionId, KeyId, TenantId};

const PREFIX: &str = "lt_";
/// What the HMAC is derived with.
const LABEL: &str = "keyway/connect-ticket/v1";
/// How long a ticket can be used, in seconds.
pub(super) const LIFETIME: i64 = 600;
const HEAD: usize = 16 + 16 + 8 + 8;
const MAC: usize = 32;
/// The longest id of a key that is read, in bytes.
const MAX_KEY: usize = 64;

/// A ticket; genuine or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) tenant: TenantId,
    pub(super) connection: ConnectionId,
    /// The first second in which it is not good any more, since 1970.
    pub(super) ends: i64,
    /// The connection's last change, in microseconds since 1970.
    changed: i64,
    /// The API key that it was made for.
    pub(super) key: KeyId,
    mac: [u8; MAC],
}

impl Ticket {
    /// A ticket for a connection that was last changed then.
    pub(super) fn issue(
        keys: &TenantKeys,
        key: &KeyId,
        connection: ConnectionId,
        changed: OffsetDateTime,
        ends: i64,
    ) -> Self {
        let mut ticket = Self {
            tenant: TenantId(keys.tenant()),
            connection,
            ends,
            changed: micros(changed),
            key: key.clone(),
            mac: [0; MAC],
        };
        ticket.mac = ticket.proof(keys);
        ticket
    }

    /// The ticket that a text is, if it has the form of one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let (key, mac) = rest.split_last_chunk::<MAC>()?;
        let key = std::str::from_utf8(key).ok().filter(|key| {
            (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric())
        })?;
        let (ids, times) = head.split_at(32);
        let id = |at: usize| Uuid::from_slice(&ids[at..at + 16]).ok();
        let number = |at: usize| times[at..at + 8].try_into().map(i64::from_be_bytes).ok();
        Some(Self {
            tenant: TenantId(id(0)?),
            connection: ConnectionId(id(16)?),
            ends: number(0)?,
            changed: number(8)?,
            key: KeyId(key.to_owned()),
            mac: *mac,
        })
    }

    /// The text that stands in the URL.
    pub(super) fn text(&self) -> String {
        let mut bytes = Vec::with_capacity(HEAD + MAX_KEY + MAC);
        bytes.extend_from_slice(self.tenant.0.as_bytes());
        bytes.extend_from_slice(self.connection.0.as_bytes());
        bytes.extend_from_slice(&self.ends.to_be_bytes());
        bytes.extend_from_slice(&self.changed.to_be_bytes());
        bytes.extend_from_slice(self.key.0.as_bytes());
        bytes.extend_from_slice(&self.mac);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether this tenant's keys made it, as it is.
    pub(super) fn is_genuine(&self, keys: &TenantKeys) -> bool {
        self.proof(keys).ct_eq(&self.mac).into()
    }

    /// Whether the connection is as it was when the ticket was made.
    pub(super) fn is_current(&self, changed: OffsetDateTime) -> bool {
        self.changed == micros(changed)
    }

    fn proof(&self, keys: &TenantKeys) -> [u8; MAC] {
        let Self {
            tenant,
            connection,
            ends,
            changed,
            key,
            ..
        } = self;
        // None of the parts holds a slash.
        let all = format!("{tenant}/{connection}/{ends}/{changed}/{key}");
        keys.index(LABEL, &all)
    }
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{KeyRing, RootKey};

    fn keys(tenant: Uuid) -> TenantKeys {
        let ring = KeyRing::new(&RootKey::generate(), &[]);
        let (key, _) = ring.new_data_key(tenant, 1);
        TenantKeys::new(tenant, 1, vec![key]).expect("one key, the active one")
    }

    fn ticket(keys: &TenantKeys) -> Ticket {
        let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).expect("a moment");
        let key = KeyId("abcDEF123456".to_owned());
        Ticket::issue(keys, &key, ConnectionId::new(), at, 1_700_000_600)
    }

    #[test]
    fn a_ticket_reads_back_as_it_was_made() {
        let keys = keys(Uuid::now_v7());
        let made = ticket(&keys);
        let read = Ticket::parse(&made.text()).expect("a ticket");
        assert_eq!(read, made);
        assert!(read.is_genuine(&keys));
        let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).expect("a moment");
        assert!(read.is_current(at));
        assert!(!read.is_current(at + time::Duration::MICROSECOND));
    }

    #[test]
    fn no_byte_of_it_can_be_changed() {
        let keys = keys(Uuid::now_v7());
        let text = ticket(&keys).text();
        let bytes = URL_SAFE_NO_PAD.decode(&text[3..]).expect("base64url");
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            let other = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(other));
            let genuine = Ticket::parse(&other).is_some_and(|ticket| ticket.is_genuine(&keys));
            assert!(!genuine, "byte {at}");
        }
    }

    #[test]
    fn another_tenants_keys_did_not_make_it() {
        let (ours, theirs) = (keys(Uuid::now_v7()), keys(Uuid::now_v7()));
        assert!(!ticket(&ours).is_genuine(&theirs));
        let mut moved = ticket(&ours);
        moved.tenant = TenantId(theirs.tenant());
        assert!(!moved.is_genuine(&theirs) && !moved.is_genuine(&ours));
    }

    #[test]
    fn other_texts_are_no_tickets() {
        for text in ["", "lt_", "lk_abc", "lt_!!!!", "lt_AAAA"] {
            assert_eq!(Ticket::parse(text), None, "{text}");
        }
        let long = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(vec![b'a'; 200]));
        assert_eq!(Ticket::parse(&long), None);
    }
}
