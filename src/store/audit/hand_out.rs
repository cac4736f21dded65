//! Hand-outs: a sealed credential against its audit row.

use uuid::Uuid;

use super::later::Entry;
use crate::crypto::Audited;
use crate::domain::error::Kind;
use crate::domain::ids::{AuditId, AuthConfigUuid, ConnectionId};
use crate::domain::{Caller, Error};
use crate::store::Db;
use crate::store::hot::{HandOut, HandOutAnswer};
use crate::telemetry::metrics::counts::AUDIT_ROWS;

/// When the audit row of a hand-out is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditReads {
    /// Before the credential leaves the house.
    #[default]
    Sync,
    /// Within 1 s after it, while the database is well. Where the rows of one second cannot be written, they wait, and
    /// further hand-outs wait for theirs as in [`AuditReads::Sync`]: a crash of the server loses the rows of one second
    /// at most.
    Batched,
}

/// A sealed credential that may be handed out.
#[derive(Debug)]
pub struct Sealed {
    /// Its generation.
    pub generation: Uuid,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The config that it inherits from.
    pub config: AuthConfigUuid,
    /// What it inherits: the names and the sealed values that the config shares.
    pub shared: Vec<(String, Vec<u8>)>,
    /// The proof that its audit row was committed (or, batched, is kept to be written).
    pub audited: Audited,
}

/// Reads a connection's sealed credential to hand it out; `None` where it has none, and nothing is recorded.
pub async fn hand_out(
    db: &Db,
    caller: &Caller,
    id: ConnectionId,
    mode: AuditReads,
) -> Result<Option<Sealed>, Error> {
    let audit = AuditId::new().0;
    let later = mode == AuditReads::Batched && db.later().accepts();
    let call = HandOut::new(caller, id, (!later).then_some(audit));
    match db.hand_out(call).await? {
        HandOutAnswer::Done(found) => {
            AUDIT_ROWS.add(1);
            if later {
                db.later().keep(db, Entry::new(caller, id, audit));
            }
            Ok(Some(Sealed {
                generation: found.generation,
                bytes: found.bytes,
                config: AuthConfigUuid(found.config),
                shared: found.shared,
                audited: Audited::by(audit),
            }))
        }
        HandOutAnswer::None => Ok(None),
        HandOutAnswer::Unknown => Err(Error::NotFound(Kind::Connection)),
    }
}
