//! The schema: how far it is, and bringing it up to date.

use sqlx::migrate::{AppliedMigration, Migrate as _, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _};

use super::error::{ProvisionError, attempting};
use super::{connect, has_role};

/// The migrations, compiled in.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Where sqlx keeps what was applied.
const APPLIED: &str = "public._sqlx_migrations";

/// How far the schema of a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// No Keyway schema: a new database.
    Absent,
    /// Made by an earlier version: migrations are due.
    Behind,
    /// Up to date.
    Current,
}

/// How far the schema is, seen with the server's own login in the role `keyway_jobs`; writes nothing. A login that may
/// not switch to that role finds an existing schema behind.
pub async fn schema_state(options: &PgConnectOptions) -> Result<SchemaState, ProvisionError> {
    let mut connection = connect(options).await?;
    let state = state(&mut connection).await?;
    connection.close().await.map_err(attempting("closing"))?;
    Ok(state)
}

async fn state(connection: &mut PgConnection) -> Result<SchemaState, ProvisionError> {
    let there: bool = sqlx::query_scalar(
        // From the catalogue: the login itself may have no right to the schema.
        "SELECT count(*) = 2 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE nspname = 'public' AND relname IN ('_sqlx_migrations', 'root_keys')",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(attempting("looking for the schema"))?;
    if !there {
        return Ok(SchemaState::Absent);
    }
    if connection.execute("SET ROLE keyway_jobs").await.is_err() {
        return Ok(SchemaState::Behind);
    }
    match connection.list_applied_migrations(APPLIED).await {
        Ok(applied) => {
            refuse_newer(&applied)?;
            Ok(match pending(&applied) {
                0 => SchemaState::Current,
                _ => SchemaState::Behind,
            })
        }
        // Migrated by a version that did not yet let the server look.
        Err(MigrateError::Execute(error)) if is_denied(&error) => Ok(SchemaState::Behind),
        Err(error) => Err(error.into()),
    }
}

fn is_denied(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some("42501")
}

/// Brings the schema up to date with the server's own login, through `SET ROLE keyway_owner`.
///
/// # Errors
/// `MayNotMigrate` when the login is no member of that role.
pub async fn migrate_as_server(options: &PgConnectOptions) -> Result<(), ProvisionError> {
    let mut connection = connect(options).await?;
    if has_role(&mut connection, "keyway_owner").await? {
        migrate(&mut connection).await?;
    } else {
        let pending = how_many_are_pending(&mut connection).await;
        return Err(ProvisionError::MayNotMigrate { pending });
    }
    connection.close().await.map_err(attempting("closing"))
}

/// All of them where the login may not look.
async fn how_many_are_pending(connection: &mut PgConnection) -> usize {
    let switched = connection.execute("SET ROLE keyway_jobs").await.is_ok();
    let applied = match connection.list_applied_migrations(APPLIED).await {
        Ok(applied) if switched => applied,
        _ => Vec::new(),
    };
    pending(&applied)
}

/// Applies what is due as `keyway_owner`, one process at a time.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), ProvisionError> {
    connection.lock().await?;
    connection
        .execute("SET ROLE keyway_owner")
        .await
        .map_err(attempting("switching to keyway_owner"))?;
    let there: bool =
        sqlx::query_scalar("SELECT to_regclass('public._sqlx_migrations') IS NOT NULL")
            .fetch_one(&mut *connection)
            .await
            .map_err(attempting("looking for migrations"))?;
    if there {
        refuse_newer(&connection.list_applied_migrations(APPLIED).await?)?;
    }
    MIGRATIONS.run(&mut *connection).await?;
    // A server whose login may not migrate must still see that nothing is due.
    connection
        .execute("GRANT SELECT ON public._sqlx_migrations TO keyway_jobs; RESET ROLE")
        .await
        .map_err(attempting("letting the server see what was applied"))?;
    Ok(connection.unlock().await?)
}

fn refuse_newer(applied: &[AppliedMigration]) -> Result<(), ProvisionError> {
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max();
    let found = applied.iter().map(|one| one.version).max();
    match found {
        Some(found) if Some(found) > newest => Err(ProvisionError::Newer(found)),
        _ => Ok(()),
    }
}

/// How many of ours are not among those applied.
fn pending(applied: &[AppliedMigration]) -> usize {
    let is_due = |version: i64, checksum: &[u8]| {
        !applied
            .iter()
            .any(|one| one.version == version && *one.checksum == *checksum)
    };
    MIGRATIONS
        .iter()
        .filter(|migration| is_due(migration.version, &migration.checksum))
        .count()
}
