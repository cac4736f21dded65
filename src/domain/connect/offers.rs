//! Where a user can complete connections, for answers that make nothing.

use std::collections::HashMap;

use super::takes_fields;
use super::ticket::{LIFETIME, Ticket};
use crate::crypto::TenantKeys;
use crate::domain::caller::{Caller, Scope};
use crate::domain::error::Error;
use crate::domain::ids::IntegrationId;
use crate::domain::integration::Integration;
use crate::domain::service::Service;
use crate::store::{TenantTx, links};

/// The pages of this user's primary connections with these integrations, by integration: of those that are not ready nor
/// switched off or revoked by their tenant, whose config is enabled and whose user can be asked for fields. Two statements,
/// however many there are; nothing is written.
///
/// A page lets its user change a connection, so a caller that may not gets none.
pub(in crate::domain) async fn offers(
    service: &Service,
    tx: &mut TenantTx,
    keys: &TenantKeys,
    caller: &Caller,
    user_id: &str,
    integrations: &[Integration],
) -> Result<HashMap<IntegrationId, String>, Error> {
    if integrations.is_empty() || !caller.has(Scope::ConnectionsWrite) {
        return Ok(HashMap::new());
    }
    let ids: Vec<_> = integrations.iter().map(|one| one.id).collect();
    let mut waiting = links::waiting(tx, user_id, &ids).await?;
    waiting.retain(|waiting| takes_fields(&waiting.scheme));
    if waiting.is_empty() {
        return Ok(HashMap::new());
    }
    let ends = links::clock(tx).await? + LIFETIME;
    let public_url = &service.settings().public_url;
    let page = |one: links::Waiting| {
        let ticket = Ticket::issue(keys, &caller.key, one.connection, one.updated_at, ends);
        (
            one.integration,
            format!("{public_url}/connect/{}", ticket.text()),
        )
    };
    Ok(waiting.into_iter().map(page).collect())
}
