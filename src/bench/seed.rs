//! Seeding: tenants with their data keys and API keys, integrations, auth configs, and connections with really sealed
//! credentials, in bulk.

use std::time::Instant;

use sha2::{Digest as _, Sha256};
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::copy::Rows;
use super::error::{BenchError, attempting};
use super::ids::{self, Kind, Role};
use super::stage::Stage;
use super::tables::Small;
use super::world::{self, World};
use crate::crypto::{KeyRing, RootKey, Secret, TenantKeys};
use crate::domain::connection::Status;
use crate::domain::ids::{ConnectionId, TenantId};
use crate::store::keys::Vault;
use crate::store::provision::DATABASE;
use crate::store::{Db, connections};

/// How many bytes of rows are sent at once.
const BATCH: usize = 4 * 1024 * 1024;
/// The number of every tenant's data key.
const DATA_KEY: u32 = 1;

/// What was seeded.
#[derive(Debug)]
pub struct Seeded {
    /// As the load generator knows it.
    pub world: World,
    /// A connection's sealed credential, for pgbench to store.
    pub sealed_credential: Vec<u8>,
    /// An auth config's sealed cell, for the same.
    pub sealed_cell: Vec<u8>,
    /// How long it took, indexes included.
    pub seconds: f64,
}

/// Seeds `tenants` with `per_tenant` connections each.
pub async fn seed(
    stage: &Stage,
    root: &RootKey,
    tenants: u32,
    per_tenant: u32,
) -> Result<Seeded, BenchError> {
    let begun = Instant::now();
    let ring = KeyRing::new(root, &[]);
    let db = Db::new(stage.login());
    let vault = Vault::unlock(db.clone(), KeyRing::new(root, &[])).await?;
    let mut admin = stage.admin(DATABASE).await?;
    // Foreign keys hold by construction; checking them would cost more than the rows.
    run(&mut admin, "SET session_replication_role = replica").await?;
    let mut small = Small::new(ring.active_id());
    let mut keys = Vec::with_capacity(tenants as usize);
    let mut sealers = Vec::with_capacity(tenants as usize);
    for tenant in 1..=tenants {
        let id = ids::uuid(Kind::Tenant, u64::from(tenant));
        let (data_key, wrapped) = ring.new_data_key(id, DATA_KEY);
        let sealer = TenantKeys::new(id, DATA_KEY, vec![data_key])?;
        keys.push(small.tenant(tenant, wrapped, vault.newest_pepper()?));
        for role in Role::ALL {
            small.config(tenant, role, &sealer)?;
        }
        sealers.push(sealer);
    }
    let sealed_cell = small.a_cell();
    small.insert(&mut admin).await?;
    let sealed_credential = seed_connections(&mut admin, &sealers, per_tenant).await?;
    run(&mut admin, "RESET session_replication_role").await?;
    run(&mut admin, "VACUUM (ANALYZE)").await?;
    let seconds = begun.elapsed().as_secs_f64();
    for _ in 0..SEGMENTS {
        run(
            &mut admin,
            "SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()",
        )
        .await?;
    }
    run(&mut admin, "CHECKPOINT").await?;
    db.close().await;
    Ok(Seeded {
        world: World::new(tenants, per_tenant, keys),
        sealed_credential,
        sealed_cell,
        seconds,
    })
}

/// How many log segments (16 MiB) are made beforehand. A server that has run for a while uses old ones again; a new one
/// stops all writes for the time in which it fills each with zeros.
const SEGMENTS: u32 = 256;

/// All connections and their users; answers with one sealed credential.
async fn seed_connections(
    admin: &mut PgConnection,
    sealers: &[TenantKeys],
    per_tenant: u32,
) -> Result<Vec<u8>, BenchError> {
    let mut users = Rows::of("users (tenant_id, user_hash, user_id)", 3);
    let mut rows = Rows::of(
        "connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id, user_hash, \
         is_primary, status, generation, sealed_credential)",
        11,
    );
    let mut sample = Vec::new();
    for (tenant, sealer) in (1..).zip(sealers) {
        let config = ids::config(tenant, Role::Connections);
        let (auth_config, integration) = (
            ids::uuid(Kind::AuthConfig, config),
            ids::uuid(Kind::Integration, config),
        );
        for slot in 1..=per_tenant {
            let number = ids::connection(tenant, slot);
            let id = ids::uuid(Kind::Connection, number);
            let (user, generation) = (format!("user-{number}"), Uuid::new_v4());
            let hash = Sha256::digest(user.as_bytes());
            let place = connections::place(TenantId(sealer.tenant()), ConnectionId(id));
            let secret = Secret::from(world::credential(number, 0));
            let sealed = sealer.seal_credential(&place, generation, &secret)?;
            users
                .row()
                .field(sealer.tenant().as_bytes())
                .field(&hash)
                .field(user.as_bytes());
            rows.row()
                .field(sealer.tenant().as_bytes())
                .field(id.as_bytes())
                .field(ids::public_connection(number).as_bytes())
                .field(auth_config.as_bytes())
                .field(integration.as_bytes())
                .field(user.as_bytes())
                .field(&hash)
                .field(&[1])
                .field(Status::Active.name().as_bytes())
                .field(generation.as_bytes())
                .field(&sealed);
            sample = sealed;
            if rows.len() > BATCH {
                users.send(admin).await?;
                rows.send(admin).await?;
            }
        }
    }
    users.send(admin).await?;
    rows.send(admin).await?;
    Ok(sample)
}

async fn run(admin: &mut PgConnection, statement: &'static str) -> Result<(), BenchError> {
    admin
        .execute(statement)
        .await
        .map(|_| ())
        .map_err(attempting(format!("seeding ({statement})")))
}
