//! The small tables of the seed: everything but the connections and their users.

use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use sqlx::{Postgres, types::Json as Jsonb};
use uuid::Uuid;

use super::error::{BenchError, attempting};
use super::ids::{self, Kind, Role};
use super::world;
use crate::crypto::{ApiKey, Pepper, RootId, Secret, TenantKeys};
use crate::domain::Scope;
use crate::domain::auth_config::ToolAccess;
use crate::domain::ids::{AuthConfigUuid, TenantId};
use crate::domain::scheme::Scheme;
use crate::json::Json;
use crate::store::secrets::{self, CellKind};

const TENANTS: &str = "-- bench: tenants
    INSERT INTO tenants (tenant_id, name) SELECT * FROM unnest($1::uuid[], $2::text[])";
const DATA_KEYS: &str = "-- bench: data keys
    INSERT INTO tenant_data_keys (tenant_id, dek_id, root_id, sealed_key, active)
    SELECT tenant_id, 1, $3, sealed_key, true FROM unnest($1::uuid[], $2::bytea[]) AS made(tenant_id, sealed_key)";
const API_KEYS: &str = "-- bench: API keys
    INSERT INTO api_keys (tenant_id, key_id, mac, name, pepper_version, scopes)
    SELECT tenant_id, key_id, mac, 'bench', $4, $5
    FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS made(tenant_id, key_id, mac)";
const INTEGRATIONS: &str = "-- bench: integrations
    INSERT INTO integrations (tenant_id, integration_id, match_key, slug, name)
    SELECT tenant_id, integration_id, name, name, name
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS made(tenant_id, integration_id, name)";
const AUTH_CONFIGS: &str = "-- bench: auth configs
    INSERT INTO auth_configs (tenant_id, integration_id, name, auth_config_id, public_id, is_default, is_implicit,
        scheme, tool_access, fields, created_by)
    SELECT tenant_id, integration_id, name, auth_config_id, public_id, true, false, $6, $7, '[]', 'bench'
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[])
        AS made(tenant_id, integration_id, name, auth_config_id, public_id)";
const CELLS: &str = "-- bench: sealed cells
    INSERT INTO auth_config_secrets (tenant_id, auth_config_id, sealed_value, kind, name)
    SELECT tenant_id, auth_config_id, sealed_value, 'credential', 'api_key'
    FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS made(tenant_id, auth_config_id, sealed_value)";

/// The rows, column by column.
#[derive(Debug)]
pub struct Small {
    root: RootId,
    pepper_version: i32,
    tenants: Vec<Uuid>,
    names: Vec<String>,
    data_keys: Vec<Vec<u8>>,
    key_ids: Vec<String>,
    macs: Vec<Vec<u8>>,
    owners: Vec<Uuid>,
    integrations: Vec<Uuid>,
    slugs: Vec<String>,
    configs: Vec<Uuid>,
    public_ids: Vec<String>,
    cell_owners: Vec<Uuid>,
    cell_configs: Vec<Uuid>,
    cells: Vec<Vec<u8>>,
}

impl Small {
    /// No rows yet; data keys are wrapped under `root`.
    pub fn new(root: RootId) -> Self {
        Self {
            root,
            pepper_version: 0,
            tenants: Vec::new(),
            names: Vec::new(),
            data_keys: Vec::new(),
            key_ids: Vec::new(),
            macs: Vec::new(),
            owners: Vec::new(),
            integrations: Vec::new(),
            slugs: Vec::new(),
            configs: Vec::new(),
            public_ids: Vec::new(),
            cell_owners: Vec::new(),
            cell_configs: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// A tenant with its wrapped data key and one API key, which is answered.
    pub fn tenant(&mut self, tenant: u32, wrapped: Vec<u8>, pepper: &Pepper) -> String {
        let key = ApiKey::generate();
        self.pepper_version = pepper.version();
        self.tenants
            .push(ids::uuid(Kind::Tenant, u64::from(tenant)));
        self.names.push(format!("bench-{tenant}"));
        self.data_keys.push(wrapped);
        self.key_ids.push(key.id().to_owned());
        self.macs.push(pepper.mac(&key.presented()).to_vec());
        key.reveal_once().to_string()
    }

    /// An integration with its auth config, and the config's one sealed key where it is one of Composio's.
    pub fn config(
        &mut self,
        tenant: u32,
        role: Role,
        sealer: &TenantKeys,
    ) -> Result<(), BenchError> {
        let number = ids::config(tenant, role);
        let config = ids::uuid(Kind::AuthConfig, number);
        self.owners.push(sealer.tenant());
        self.integrations.push(ids::uuid(Kind::Integration, number));
        self.slugs.push(format!("bench{}", role as u8));
        self.configs.push(config);
        self.public_ids.push(ids::public_config(number));
        if matches!(role, Role::Composio | Role::ComposioBaseline) {
            let (tenant, config_id) = (TenantId(sealer.tenant()), AuthConfigUuid(config));
            let place = secrets::place(tenant, config_id, CellKind::Credential, "api_key");
            let value = Json::from(world::config_value(number));
            self.cell_owners.push(sealer.tenant());
            self.cell_configs.push(config);
            self.cells.push(sealer.seal(&place, &Secret::json(&value))?);
        }
        Ok(())
    }

    /// One of the sealed cells.
    pub fn a_cell(&self) -> Vec<u8> {
        self.cells.first().cloned().unwrap_or_default()
    }

    /// Stores all rows.
    pub async fn insert(&self, admin: &mut PgConnection) -> Result<(), BenchError> {
        let scopes: Vec<&str> = Scope::default_set().into_iter().map(Scope::name).collect();
        let queries: [Query<'_, Postgres, PgArguments>; 6] = [
            sqlx::query(TENANTS).bind(&self.tenants).bind(&self.names),
            sqlx::query(DATA_KEYS)
                .bind(&self.tenants)
                .bind(&self.data_keys)
                .bind(self.root.as_bytes().as_slice()),
            sqlx::query(API_KEYS)
                .bind(&self.tenants)
                .bind(&self.key_ids)
                .bind(&self.macs)
                .bind(self.pepper_version)
                .bind(scopes),
            sqlx::query(INTEGRATIONS)
                .bind(&self.owners)
                .bind(&self.integrations)
                .bind(&self.slugs),
            sqlx::query(AUTH_CONFIGS)
                .bind(&self.owners)
                .bind(&self.integrations)
                .bind(&self.slugs)
                .bind(&self.configs)
                .bind(&self.public_ids)
                .bind(Scheme::ApiKey.name())
                .bind(Jsonb(ToolAccess::default())),
            sqlx::query(CELLS)
                .bind(&self.cell_owners)
                .bind(&self.cell_configs)
                .bind(&self.cells),
        ];
        for query in queries {
            query
                .execute(&mut *admin)
                .await
                .map_err(attempting("seeding tenants, keys and auth configs"))?;
        }
        Ok(())
    }
}
