//! What a transaction may do, and how long it may take for it.

/// What a transaction does to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Read,
    /// Something: refused while the disk is nearly full.
    Write,
    /// Very much: as `Write`, with 60 s instead of 5 s for a statement.
    BigWrite,
}

/// The time limits of a transaction, as statements to append to its `BEGIN`.
pub(super) fn limits(access: Access) -> &'static str {
    match access {
        Access::Read | Access::Write => {
            "; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '5s'; \
             SET LOCAL idle_in_transaction_session_timeout = '10s'"
        }
        Access::BigWrite => {
            "; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '60s'; \
             SET LOCAL idle_in_transaction_session_timeout = '10s'"
        }
    }
}
