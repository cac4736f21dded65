use super::*;

fn ring() -> KeyRing {
    KeyRing::new(&RootKey::generate(), &[])
}

#[test]
fn the_active_key_seals_and_all_keys_open() {
    let (old, new) = (RootKey::generate(), RootKey::generate());
    let before = KeyRing::new(&old, &[]);
    let tenant = Uuid::new_v4();
    let (key, wrapped) = before.new_data_key(tenant, 1);
    let rotated = KeyRing::new(&new, &[old]);

    let opened = rotated.unwrap_data_key(tenant, 1, &wrapped);

    assert_eq!(opened.expect("old key kept").key.expose(), key.key.expose());
    assert_eq!(rotated.active_id(), new.root_id());
    assert_eq!(rotated.ids(), [new.root_id(), before.active_id()]);
    assert!(rotated.holds(before.active_id()) && !before.holds(new.root_id()));
    let (_, wrapped) = rotated.new_data_key(tenant, 2);
    assert_eq!(KeyRing::named_in(&wrapped), Some(new.root_id()));
    let error = before.unwrap_data_key(tenant, 2, &wrapped).err();
    assert_eq!(error, Some(OpenError::UnknownRootKey(new.root_id())));
}

#[test]
fn a_wrapped_data_key_has_the_documented_form() {
    let ring = ring();
    let (_, wrapped) = ring.new_data_key(Uuid::new_v4(), 1);
    assert_eq!(wrapped.len(), 1 + 1 + 8 + 24 + 32 + 16);
    assert_eq!(wrapped[..2], [0x81, 1]);
    assert_eq!(wrapped[2..10], ring.active_id().0);
}

#[test]
fn a_data_key_is_bound_to_its_tenant_and_number() {
    let (ring, tenant) = (ring(), Uuid::new_v4());
    let (_, wrapped) = ring.new_data_key(tenant, 1);
    for (tenant, id) in [(Uuid::new_v4(), 1), (tenant, 2)] {
        let error = ring.unwrap_data_key(tenant, id, &wrapped).err();
        assert_eq!(error, Some(OpenError::Refused));
    }
}

#[test]
fn a_key_that_only_shares_the_fingerprint_is_refused() {
    let ring = ring();
    let (tenant, other) = (Uuid::new_v4(), RootKey::generate());
    let (_, mut wrapped) = ring.new_data_key(tenant, 1);
    wrapped[2..10].copy_from_slice(&other.root_id().0);
    let both = KeyRing::new(&other, &[]);
    let error = both.unwrap_data_key(tenant, 1, &wrapped).err();
    assert_eq!(error, Some(OpenError::Refused));
}

#[test]
fn a_canary_opens_under_its_own_root_key_only() {
    let (mine, other) = (RootKey::generate(), RootKey::generate());
    let ring = KeyRing::new(&mine, &[]);
    let canary = ring.seal_canary();
    assert_eq!(ring.open_canary(mine.root_id(), &canary), Ok(()));
    let wrong_ring = KeyRing::new(&other, &[]).open_canary(mine.root_id(), &canary);
    assert_eq!(wrong_ring, Err(OpenError::UnknownRootKey(mine.root_id())));
    assert_eq!(
        ring.open_canary(other.root_id(), &canary),
        Err(OpenError::OtherRootKey {
            expected: other.root_id(),
            found: mine.root_id()
        })
    );
}

#[test]
fn a_server_secret_is_bound_to_its_name_and_version() {
    let ring = ring();
    let sealed = ring.seal_server_secret("pepper", 1, &Secret::from(String::from("value")));
    let opened = ring.open_server_secret("pepper", 1, &sealed);
    assert!(opened.expect("unaltered").same_as("value"));
    for (name, version) in [("pepper", 2), ("peppe", 1), ("", 1)] {
        let error = ring.open_server_secret(name, version, &sealed).err();
        assert_eq!(error, Some(OpenError::Refused));
    }
}

/// Relabelling the first byte makes the form known, the associated data then differs.
#[test]
fn bytes_of_one_kind_do_not_pass_for_another() {
    let (ring, tenant) = (ring(), Uuid::nil());
    let (_, wrapped) = ring.new_data_key(tenant, 0);
    let secret = Secret::from("x".repeat(32));
    let secret = ring.seal_server_secret("", 0, &secret);
    let canary = ring.seal_canary();
    for (mut bytes, own) in [(wrapped, 0x81), (canary, 0x82), (secret, 0x83)] {
        for version in [0x81, 0x82, 0x83] {
            bytes[0] = version;
            let opened = [
                ring.unwrap_data_key(tenant, 0, &bytes).is_ok(),
                ring.open_canary(ring.active_id(), &bytes).is_ok(),
                ring.open_server_secret("", 0, &bytes).is_ok(),
            ];
            let successes = opened.iter().filter(|ok| **ok).count();
            assert_eq!(
                successes,
                usize::from(version == own),
                "{own:x} {version:x}"
            );
        }
    }
}

#[test]
fn debug_shows_fingerprints_and_numbers_only() {
    let ring = ring();
    let id = ring.active_id();
    assert_eq!(format!("{ring:?}"), format!("KeyRing([RootId({id})])"));
    let (key, _) = ring.new_data_key(Uuid::new_v4(), 3);
    assert_eq!(format!("{key:?}"), "DataKey(3)");
}
