use super::*;
use crate::crypto::{KeyRing, RootKey};
use proptest::prelude::*;

fn keys_of(tenant: Uuid, active: u32, numbers: &[u32]) -> TenantKeys {
    let ring = KeyRing::new(&RootKey::generate(), &[]);
    let keys = numbers
        .iter()
        .map(|number| ring.new_data_key(tenant, *number).0)
        .collect();
    TenantKeys::new(tenant, active, keys).expect("usable keys")
}

fn place(tenant: Uuid) -> Place {
    Place {
        tenant,
        table: "connections",
        row: "row".into(),
        column: "sealed_credential",
    }
}

fn secret(text: &str) -> Secret {
    Secret::from(String::from(text))
}

#[test]
fn a_cell_has_the_documented_form() {
    let tenant = Uuid::new_v4();
    let keys = keys_of(tenant, 0x0102_0304, &[0x0102_0304]);
    let sealed = keys.seal(&place(tenant), &secret("abc")).expect("sealed");
    assert_eq!(sealed.len(), 1 + 1 + 4 + 24 + 3 + 16);
    assert_eq!(sealed[..6], [0x01, 1, 1, 2, 3, 4]);
}

#[test]
fn an_earlier_data_key_still_opens_what_it_sealed() {
    let (ring, tenant) = (KeyRing::new(&RootKey::generate(), &[]), Uuid::new_v4());
    let (one, wrapped) = ring.new_data_key(tenant, 1);
    let before = TenantKeys::new(tenant, 1, vec![one]).expect("one key");
    let old = before.seal(&place(tenant), &secret("abc")).expect("sealed");
    let one = ring
        .unwrap_data_key(tenant, 1, &wrapped)
        .expect("unaltered");
    let two = ring.new_data_key(tenant, 2).0;
    let after = TenantKeys::new(tenant, 2, vec![two, one]).expect("two keys");

    let opened = after.open(&place(tenant), &old).expect("key 1 is kept");

    assert!(opened.same_as("abc"));
    let new = after.seal(&place(tenant), &secret("abc")).expect("sealed");
    assert_eq!(new[5], 2);
    let error = before.open(&place(tenant), &new).err();
    assert_eq!(error, Some(OpenError::UnknownDataKey(2)));
    assert_eq!(before.index("label", "x"), after.index("label", "x"));
}

#[test]
fn a_cell_that_is_sealed_anew_keeps_content_generation_and_place() {
    let (ring, tenant) = (KeyRing::new(&RootKey::generate(), &[]), Uuid::new_v4());
    let (one, wrapped) = ring.new_data_key(tenant, 1);
    let before = TenantKeys::new(tenant, 1, vec![one]).expect("one key");
    let (here, generation) = (place(tenant), Uuid::new_v4());
    let old = before
        .seal_credential(&here, generation, &secret("abc"))
        .expect("sealed");
    let one = ring
        .unwrap_data_key(tenant, 1, &wrapped)
        .expect("unaltered");
    let (two, wrapped) = ring.new_data_key(tenant, 2);
    let after = TenantKeys::new(tenant, 2, vec![one, two]).expect("two keys");

    let new = after.reseal(&here, &old).expect("opens").expect("changed");

    let two = ring
        .unwrap_data_key(tenant, 2, &wrapped)
        .expect("unaltered");
    let alone = TenantKeys::new(tenant, 2, vec![two]).expect("one key");
    let opened = alone.open_credential(&here, generation, &new);
    assert!(opened.expect("under the new key").same_as("abc"));
    assert_eq!(TenantKeys::named_in(&old), Some(1));
    assert_eq!(TenantKeys::named_in(&new), Some(2));
    assert_eq!(after.reseal(&here, &new), Ok(None));
    let elsewhere = Place {
        row: "other".into(),
        ..here
    };
    assert_eq!(after.reseal(&elsewhere, &old), Err(OpenError::Refused));
}

#[test]
fn a_key_id_that_was_swapped_for_another_of_the_tenant_is_refused() {
    let tenant = Uuid::new_v4();
    let keys = keys_of(tenant, 1, &[1, 2]);
    let mut sealed = keys.seal(&place(tenant), &secret("abc")).expect("sealed");
    sealed[5] = 2;
    let error = keys.open(&place(tenant), &sealed).err();
    assert_eq!(error, Some(OpenError::Refused));
}

#[test]
fn another_tenants_place_is_neither_sealed_nor_opened() {
    let (mine, other) = (Uuid::new_v4(), Uuid::new_v4());
    let keys = keys_of(mine, 1, &[1]);
    let sealed = keys.seal(&place(mine), &secret("abc")).expect("sealed");
    assert_eq!(
        keys.seal(&place(other), &secret("abc")).err(),
        Some(SealError::WrongTenant {
            place: other,
            keys: mine
        })
    );
    assert_eq!(
        keys.open(&place(other), &sealed).err(),
        Some(OpenError::WrongTenant {
            place: other,
            keys: mine
        })
    );
    let others_keys = keys_of(other, 1, &[1]);
    let error = others_keys.open(&place(other), &sealed).err();
    assert_eq!(error, Some(OpenError::Refused));
}

#[test]
fn a_credential_opens_with_its_own_generation_only() {
    let tenant = Uuid::new_v4();
    let (keys, place) = (keys_of(tenant, 1, &[1]), place(tenant));
    let generation = Uuid::new_v4();
    let sealed = keys
        .seal_credential(&place, generation, &secret("{}"))
        .expect("sealed");
    let opened = keys.open_credential(&place, generation, &sealed);
    assert!(opened.expect("own generation").same_as("{}"));
    let stale = keys.open_credential(&place, Uuid::new_v4(), &sealed);
    assert_eq!(stale.err(), Some(OpenError::WrongGeneration));
    let cell = keys.seal(&place, &secret("short")).expect("sealed");
    let no_generation = keys.open_credential(&place, generation, &cell);
    assert_eq!(no_generation.err(), Some(OpenError::WrongGeneration));
}

#[test]
fn a_row_name_beyond_the_limit_is_refused() {
    let tenant = Uuid::new_v4();
    let keys = keys_of(tenant, 1, &[1]);
    let place = Place {
        row: "r".repeat(70_000),
        ..place(tenant)
    };
    let error = keys.seal(&place, &secret("abc")).err();
    assert_eq!(error, Some(SealError::PlaceTooLong));
}

#[test]
fn the_index_depends_on_tenant_label_and_value() {
    let keys = keys_of(Uuid::new_v4(), 1, &[1]);
    let index = keys.index("oauth_client_id", "abc");
    assert_eq!(index, keys.index("oauth_client_id", "abc"));
    assert_ne!(index, keys.index("oauth_client_id", "abd"));
    assert_ne!(index, keys.index("oauth_client_i", "dabc"));
    let other = keys_of(Uuid::new_v4(), 1, &[1]);
    assert_ne!(index, other.index("oauth_client_id", "abc"));
}

#[test]
fn keys_that_do_not_belong_together_are_refused() {
    let ring = KeyRing::new(&RootKey::generate(), &[]);
    let (tenant, other) = (Uuid::new_v4(), Uuid::new_v4());
    let key = |tenant, number| ring.new_data_key(tenant, number).0;
    let new = |active, keys| TenantKeys::new(tenant, active, keys).err();
    assert_eq!(new(1, vec![]), Some(TenantKeysError::NoActiveKey(1)));
    assert_eq!(
        new(2, vec![key(tenant, 1)]),
        Some(TenantKeysError::NoActiveKey(2))
    );
    assert_eq!(
        new(1, vec![key(tenant, 1), key(tenant, 1)]),
        Some(TenantKeysError::DuplicateKey(1))
    );
    assert_eq!(
        new(1, vec![key(tenant, 1), key(other, 2)]),
        Some(TenantKeysError::OtherTenant { tenant, id: 2 })
    );
}

#[test]
fn debug_shows_no_key() {
    let tenant = Uuid::nil();
    let shown = format!("{:?}", keys_of(tenant, 1, &[1]));
    assert_eq!(
        shown,
        format!("TenantKeys {{ tenant: {tenant}, active: 1, .. }}")
    );
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_at_its_place_and_nowhere_else(
        content in proptest::collection::vec(any::<u8>(), 0..600),
        row in ".{0,40}",
        other_row in ".{0,40}",
        generation in any::<u128>(),
    ) {
        let tenant = Uuid::from_u128(7);
        let keys = keys_of(tenant, 1, &[1]);
        let here = Place { row: row.clone(), ..place(tenant) };
        let there = Place { row: other_row.clone(), ..place(tenant) };
        let secret = Secret::from_bytes(Zeroizing::new(content.clone()));
        let generation = Uuid::from_u128(generation);

        let cell = keys.seal(&here, &secret).expect("sealed");
        let credential = keys.seal_credential(&here, generation, &secret).expect("sealed");

        let opened = keys.open(&here, &cell).expect("opens");
        prop_assert_eq!(opened.expose(), &content);
        let opened = keys.open_credential(&here, generation, &credential).expect("opens");
        prop_assert_eq!(opened.expose(), &content);
        prop_assert_eq!(keys.open(&there, &cell).is_ok(), row == other_row);
    }

    #[test]
    fn arbitrary_bytes_never_open_and_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        formed in any::<bool>(),
    ) {
        let tenant = Uuid::from_u128(7);
        let ring = KeyRing::new(&RootKey::generate(), &[]);
        let (key, _) = ring.new_data_key(tenant, 1);
        let keys = TenantKeys::new(tenant, 1, vec![key]).expect("one key");
        let (mut cell, mut wrapped) = (bytes.clone(), bytes);
        if formed {
            cell.splice(0..0, [1, 1, 0, 0, 0, 1]);
            wrapped.splice(0..0, [0x81, 1].into_iter().chain(*ring.active_id().as_bytes()));
        }
        prop_assert!(keys.open(&place(tenant), &cell).is_err());
        prop_assert!(keys.open_credential(&place(tenant), Uuid::nil(), &cell).is_err());
        prop_assert!(ring.unwrap_data_key(tenant, 1, &wrapped).is_err());
        prop_assert!(ring.open_canary(ring.active_id(), &wrapped).is_err());
        prop_assert!(ring.open_server_secret("pepper", 1, &wrapped).is_err());
    }
}
