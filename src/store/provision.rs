//! Making a database ready: roles, the server's login, migrations. Everything here can be run again, and by several
//! processes at once.

mod error;
mod password;
mod schema;

use std::time::Duration;

use sqlx::migrate::Migrate as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tokio::time::{sleep, timeout};

pub use error::ProvisionError;
use error::attempting;
pub use schema::{SchemaState, migrate_as_server, schema_state};

/// The login that the server uses where nothing else is said.
pub const LOGIN: &str = "keyway";
/// The database of the embedded Postgres.
pub const DATABASE: &str = "keyway";
/// The roles, without a login of their own.
const ROLES: [&str; 4] = [
    "keyway_owner",
    "keyway_tenant",
    "keyway_auth",
    "keyway_jobs",
];
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How often roles and grants are tried: those of another database of the cluster may be made at the same moment.
const ATTEMPTS: u32 = 10;

/// Connects, within ten seconds.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, ProvisionError> {
    match timeout(CONNECT, PgConnection::connect_with(options)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(ProvisionError::unreachable(options, error.to_string())),
        Err(_) => {
            let reason = format!("no answer within {} s", CONNECT.as_secs());
            Err(ProvisionError::unreachable(options, reason))
        }
    }
}

/// The right to make an embedded cluster's database and its root key, which one process has at a time. Ends when
/// dropped.
#[derive(Debug)]
pub struct Exclusive(PgConnection);

impl Exclusive {
    /// Waits for whoever has it. `admin` leads to another database of the cluster, as superuser.
    pub async fn take(admin: &PgConnectOptions) -> Result<Self, ProvisionError> {
        let mut connection = connect(admin).await?;
        connection.lock().await?;
        Ok(Self(connection))
    }

    /// Whether the cluster has this database.
    pub async fn has_database(&mut self, name: &str) -> Result<bool, ProvisionError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(name)
            .fetch_one(&mut self.0)
            .await
            .map_err(attempting("looking for the database"))
    }

    /// Makes an empty database, where it is not there yet.
    pub async fn create_database(&mut self, name: &'static str) -> Result<(), ProvisionError> {
        if self.has_database(name).await? {
            return Ok(());
        }
        let statement = format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0");
        self.0
            .execute(AssertSqlSafe(statement))
            .await
            .map(|_| ())
            .map_err(attempting("creating the database"))
    }
}

/// Makes the roles and the schema, as an administrator (superuser, or CREATEROLE and owner of the database), and
/// grants `login` the roles that the server switches to. A login that does not exist is made, NOSUPERUSER
/// NOBYPASSRLS NOINHERIT, with `password` where one is given.
pub async fn prepare(
    admin: &PgConnectOptions,
    login: &str,
    password: Option<&str>,
) -> Result<(), ProvisionError> {
    let is_name = login.len() <= 63
        && login.starts_with(|first: char| first.is_ascii_lowercase())
        && login
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_name || ROLES.contains(&login) {
        return Err(ProvisionError::LoginName);
    }
    let verifier = password.map(password::verifier).transpose()?;
    let mut connection = connect(admin).await?;
    connection.lock().await?;
    let mut attempt = 1;
    while let Err(error) = make_roles(&mut connection, login, verifier.as_deref()).await {
        if attempt == ATTEMPTS || !is_race(&error) {
            return Err(error);
        }
        sleep(Duration::from_millis(20) * attempt).await;
        attempt += 1;
    }
    schema::migrate(&mut connection).await?;
    connection.close().await.map_err(attempting("closing"))
}

async fn make_roles(
    connection: &mut PgConnection,
    login: &str,
    verifier: Option<&str>,
) -> Result<(), ProvisionError> {
    for role in ROLES {
        create_role(connection, role, "NOLOGIN").await?;
    }
    let attributes = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT";
    create_role(connection, login, attributes).await?;
    if let Some(verifier) = verifier {
        set_password(connection, login, verifier).await?;
    }
    let grants = format!(
        "GRANT {roles} TO {login};
         GRANT keyway_owner TO CURRENT_USER;
         GRANT USAGE, CREATE ON SCHEMA public TO keyway_owner;
         REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         GRANT USAGE ON SCHEMA public TO keyway_tenant, keyway_auth, keyway_jobs",
        roles = ROLES.join(", "),
    );
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(grants)))
        .await
        .map(|_| ())
        .map_err(attempting("granting roles"))
}

/// "tuple concurrently updated" and its like: roles belong to the cluster, where no lock of ours reaches.
fn is_race(error: &ProvisionError) -> bool {
    let ProvisionError::Database { source, .. } = error else {
        return false;
    };
    let code = source
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("XX000" | "23505" | "42710" | "40P01"))
}

/// Whether the login may switch to the role; not where there is no such role.
async fn has_role(connection: &mut PgConnection, role: &str) -> Result<bool, ProvisionError> {
    sqlx::query_scalar(
        "SELECT COALESCE((SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = $1), false)",
    )
    .bind(role)
    .fetch_one(connection)
    .await
    .map_err(attempting("looking for roles"))
}

/// `CREATE ROLE` has no IF NOT EXISTS, and roles belong to the cluster: another start may make the same one now.
async fn create_role(
    connection: &mut PgConnection,
    name: &str,
    attributes: &str,
) -> Result<(), ProvisionError> {
    let statement = format!(
        "DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
                CREATE ROLE {name} {attributes};
            END IF;
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
        .await
        .map_err(attempting("creating roles"))?;
    Ok(())
}

/// `ALTER ROLE` takes no parameters; a verifier has nothing to quote.
async fn set_password(
    connection: &mut PgConnection,
    login: &str,
    verifier: &str,
) -> Result<(), ProvisionError> {
    let statement = format!("ALTER ROLE {login} PASSWORD '{verifier}'");
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
        .await
        .map_err(attempting("setting the password"))?;
    Ok(())
}
