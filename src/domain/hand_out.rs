//! Handing credentials out, each with what its config shares with it and against its audit row.

use super::account_view::{AccountView, Content, one_account_view, one_bare_view};
use super::caller::{Caller, Scope};
use super::connection::HandedOut;
use super::connections::usable;
use super::error::Error;
use super::ids::{ConnectedAccountId, ConnectionId};
use super::service::Service;
use crate::crypto::{Audited, Secret, TenantKeys};
use crate::store::connections as rows;
use crate::store::secrets::{self, CellKind};
use crate::store::{Access, audit};

impl Service {
    /// Hands a credential out in the clear, against its audit row. A connection without one hands out nothing and
    /// writes nothing.
    pub async fn hand_out(&self, caller: &Caller, id: ConnectionId) -> Result<HandedOut, Error> {
        let found = self.audited_credential(caller, id).await?;
        Ok(HandedOut {
            credential: found.map(|(secret, audited)| secret.hand_out(&audited)),
        })
    }

    /// One connection as it is shown: its credential in the clear, against its audit row, to a key that reads
    /// credentials, and masked to any other. What a limited key may not use is not found.
    pub async fn connected_account(
        &self,
        caller: &Caller,
        id: &ConnectedAccountId,
    ) -> Result<AccountView, Error> {
        if !caller.has(Scope::CredentialsRead) {
            return self.account(caller, id, true).await;
        }
        // Between the two steps the credential may go; the connection is then what it is without.
        for _ in 0..2 {
            let mut view = self.account(caller, id, false).await?;
            if !view.connection.has_credential {
                return Ok(view);
            }
            let found = self.audited_credential(caller, view.connection.id).await?;
            if let Some((secret, audited)) = found {
                view.content = Content::Plain { secret, audited };
                return Ok(view);
            }
        }
        self.account(caller, id, true).await
    }

    async fn account(
        &self,
        caller: &Caller,
        id: &ConnectedAccountId,
        masked: bool,
    ) -> Result<AccountView, Error> {
        let (caller, id) = (caller.clone(), id.clone());
        self.vault()
            .tenant(caller.tenant, Access::Read, move |tx, keys| {
                let (caller, id) = (caller.clone(), id.clone());
                Box::pin(async move {
                    let connection = usable(&caller, rows::find_account(tx, &id).await?)?;
                    if masked {
                        one_account_view(tx, &keys, connection).await
                    } else {
                        one_bare_view(tx, connection).await
                    }
                })
            })
            .await
    }

    /// A credential with what it inherits from its config, and the proof that its hand-out is audited.
    async fn audited_credential(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Result<Option<(Secret, Audited)>, Error> {
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let mode = self.settings().audit_reads;
        let Some(sealed) = audit::hand_out(self.db(), caller, id, mode).await? else {
            return Ok(None);
        };
        let place = rows::place(caller.tenant, id);
        let open = |keys: &TenantKeys| {
            let own = keys.open_credential(&place, sealed.generation, &sealed.bytes)?;
            if sealed.shared.is_empty() {
                return Ok(own);
            }
            let mut shared = Vec::with_capacity(sealed.shared.len());
            for (name, bytes) in &sealed.shared {
                let place = secrets::place(caller.tenant, sealed.config, CellKind::Shared, name);
                shared.push((name.as_str(), keys.open(&place, bytes)?));
            }
            let shared = shared.iter().map(|(name, secret)| (*name, secret));
            Ok(own.over(&Secret::object(shared)))
        };
        let secret = self.vault().opened(&keys, open).await?;
        Ok(Some((secret, sealed.audited)))
    }
}
