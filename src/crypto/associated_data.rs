//! The encoding of what a ciphertext is bound to.

/// A list of parts, each preceded by its length (u16, big endian), so that no two different lists
/// encode alike. The first part is a label that no other kind of ciphertext uses.
pub(super) struct AssociatedData(Vec<u8>);

impl AssociatedData {
    /// Encodes `parts`; `None` when one is longer than 65,535 bytes.
    pub(super) fn new(parts: &[&[u8]]) -> Option<Self> {
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 2).sum());
        for part in parts {
            bytes.extend_from_slice(&u16::try_from(part.len()).ok()?.to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Some(Self(bytes))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::AssociatedData;

    #[test]
    fn every_part_carries_its_length() {
        let encoded = AssociatedData::new(&[b"ab", b"", &[7]]).expect("short parts");
        assert_eq!(encoded.as_bytes(), [0, 2, b'a', b'b', 0, 0, 0, 1, 7]);
    }

    #[test]
    fn a_part_that_does_not_fit_its_length_field_is_refused() {
        let part = vec![0; 65_536];
        assert!(AssociatedData::new(&[&part[1..]]).is_some());
        assert!(AssociatedData::new(&[&part]).is_none());
    }
}
