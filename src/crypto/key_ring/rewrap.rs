//! Moving what is sealed under another root key of the ring under the active one. What was sealed is
//! not changed and leaves this module sealed only.

use super::{DATA_KEY, KeyRing, Kind, SERVER_SECRET};
use crate::crypto::OpenError;
use uuid::Uuid;

impl KeyRing {
    /// Data key number `data_key` of `tenant`, wrapped anew under the active root key. Whatever is
    /// sealed under the data key stays as it is.
    ///
    /// # Errors
    /// As [`unwrap_data_key`](Self::unwrap_data_key).
    pub fn rewrap_data_key(
        &self,
        tenant: Uuid,
        data_key: u32,
        wrapped: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        let facts: [&[u8]; 2] = [tenant.as_bytes(), &data_key.to_be_bytes()];
        self.rewrap(&DATA_KEY, &facts, wrapped)
    }

    /// A secret of the server itself, sealed anew under the active root key.
    ///
    /// # Errors
    /// As [`open_server_secret`](Self::open_server_secret).
    pub fn rewrap_server_secret(
        &self,
        name: &str,
        version: i32,
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        let facts: [&[u8]; 2] = [name.as_bytes(), &version.to_be_bytes()];
        self.rewrap(&SERVER_SECRET, &facts, sealed)
    }

    fn rewrap(&self, kind: &Kind, facts: &[&[u8]], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let content = self.open(kind, facts, sealed)?;
        self.seal(self.active, kind, facts, &content)
    }
}

#[cfg(test)]
mod tests {
    use crate::crypto::{KeyRing, OpenError, RootKey, Secret};
    use uuid::Uuid;

    #[test]
    fn what_was_wrapped_under_the_old_root_opens_under_the_new_one_alone() {
        let (old, new, tenant) = (RootKey::generate(), RootKey::generate(), Uuid::new_v4());
        let before = KeyRing::new(&old, &[]);
        let (key, wrapped) = before.new_data_key(tenant, 7);
        let secret = Secret::from(String::from("value"));
        let sealed = before.seal_server_secret("pepper", 2, &secret);
        let after = KeyRing::new(&new, &[]);
        let both = KeyRing::new(&new, &[old]);

        let rewrapped = both.rewrap_data_key(tenant, 7, &wrapped).expect("opens");
        let resealed = both
            .rewrap_server_secret("pepper", 2, &sealed)
            .expect("opens");

        let found = after.unwrap_data_key(tenant, 7, &rewrapped).expect("opens");
        assert_eq!(found.key.expose(), key.key.expose());
        assert!(after.open_server_secret("pepper", 2, &resealed).is_ok());
        for bytes in [&rewrapped, &resealed] {
            assert_eq!(KeyRing::named_in(bytes), Some(after.active_id()));
        }
        assert!(both.rewrap_data_key(tenant, 8, &wrapped).is_err());
        let unknown = OpenError::UnknownRootKey(before.active_id());
        assert_eq!(after.rewrap_data_key(tenant, 7, &wrapped), Err(unknown));
    }

    #[test]
    fn a_ring_wraps_under_any_root_that_it_holds_and_no_other() {
        let (old, new, tenant) = (RootKey::generate(), RootKey::generate(), Uuid::new_v4());
        let before = KeyRing::new(&old, &[]);
        let both = KeyRing::new(&new, &[old]);

        let (_, wrapped) = both
            .new_data_key_under(before.active_id(), tenant, 1)
            .expect("held");

        assert!(before.unwrap_data_key(tenant, 1, &wrapped).is_ok());
        let refused = before.new_data_key_under(both.active_id(), tenant, 1);
        assert!(matches!(refused, Err(OpenError::UnknownRootKey(id)) if id == both.active_id()));
    }
}
