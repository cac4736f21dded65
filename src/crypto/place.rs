//! Where a sealed cell lives, and how its bytes are bound to that.

use super::{associated_data::AssociatedData, cipher::ALGORITHM};
use uuid::Uuid;

/// The label of cells; no other kind of ciphertext begins its associated data with it.
const LABEL: &[u8] = b"keyway/v1";

/// One cell of one table. Sealed bytes open only at the place for which they were sealed, so a
/// writer to the database cannot move a secret to a row that he may read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Who owns the row.
    pub tenant: Uuid,
    /// The table's name.
    pub table: &'static str,
    /// The row's id; where cells are kept one per key, with that key (`<id>/<key>`).
    pub row: String,
    /// The column's name.
    pub column: &'static str,
}

impl Place {
    /// What a ciphertext of this form, under this data key, at this place is bound to. `None` when
    /// a name exceeds 65,535 bytes.
    pub(super) fn associated_data(&self, version: u8, data_key: u32) -> Option<AssociatedData> {
        AssociatedData::new(&[
            LABEL,
            &[version],
            &[ALGORITHM],
            self.tenant.as_bytes(),
            self.table.as_bytes(),
            self.row.as_bytes(),
            self.column.as_bytes(),
            &data_key.to_be_bytes(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_documented_one() {
        let place = Place {
            tenant: Uuid::from_u128(0x0102),
            table: "t",
            row: "r1".into(),
            column: "c",
        };
        let mut expected = b"\x00\x09keyway/v1\x00\x01\x01\x00\x01\x01\x00\x10".to_vec();
        expected.extend_from_slice(&[0; 14]);
        expected.extend_from_slice(b"\x01\x02\x00\x01t\x00\x02r1\x00\x01c\x00\x04\x00\x00\x00\x07");

        let encoded = place.associated_data(1, 7).expect("short names");

        assert_eq!(encoded.as_bytes(), expected);
    }

    #[test]
    fn a_row_name_that_cannot_be_encoded_has_no_associated_data() {
        let place = Place {
            tenant: Uuid::nil(),
            table: "t",
            row: "r".repeat(65_536),
            column: "c",
        };
        assert!(place.associated_data(1, 1).is_none());
    }
}
