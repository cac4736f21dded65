//! Rows in the binary form of COPY (PostgreSQL manual, "COPY", binary format).

use sqlx::postgres::PgConnection;

use super::error::{BenchError, attempting};

/// Signature, flags and the length of the header's extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Rows of one table, until they are sent.
#[derive(Debug)]
pub struct Rows {
    table: &'static str,
    fields: i16,
    bytes: Vec<u8>,
}

impl Rows {
    /// No rows yet of `table`, which names its columns, `fields` of them.
    pub fn of(table: &'static str, fields: i16) -> Self {
        Self {
            table,
            fields,
            bytes: HEADER.to_vec(),
        }
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Begins a row; its fields follow in the order of the columns.
    pub fn row(&mut self) -> &mut Self {
        self.bytes.extend_from_slice(&self.fields.to_be_bytes());
        self
    }

    /// The bytes of one field as its type sends them.
    pub fn field(&mut self, bytes: &[u8]) -> &mut Self {
        let length = i32::try_from(bytes.len()).unwrap_or_default();
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Stores what waits.
    pub async fn send(&mut self, connection: &mut PgConnection) -> Result<u64, BenchError> {
        let failed = format!("seeding {}", self.table);
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        let statement = format!("COPY {} FROM STDIN (FORMAT binary)", self.table);
        let mut copy = connection
            .copy_in_raw(&statement)
            .await
            .map_err(attempting(&failed))?;
        copy.send(self.bytes.as_slice())
            .await
            .map_err(attempting(&failed))?;
        let stored = copy.finish().await.map_err(attempting(&failed))?;
        self.bytes.truncate(HEADER.len());
        Ok(stored)
    }
}
