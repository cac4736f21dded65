//! Why a database could not be made ready, worded for the operator.

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;

/// Why a database could not be made ready. No text holds a password.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// No connection came about: nobody listens there, or the login is refused.
    #[error(
        "cannot connect to Postgres at {place} as {login}: {reason}; check that it runs there and takes this login \
         (DATABASE_URL)"
    )]
    Unreachable {
        /// `host:port`, or the directory of the socket.
        place: String,
        /// The login's name.
        login: String,
        /// The system's or the database's answer.
        reason: String,
    },
    /// A statement failed.
    #[error("preparing the database ({attempt}): {source}")]
    Database {
        /// What was attempted.
        attempt: &'static str,
        /// The database's answer.
        source: sqlx::Error,
    },
    /// A migration failed.
    #[error("migrating the database: {0}")]
    Migrate(#[from] MigrateError),
    /// The login may not migrate and there is something to migrate.
    #[error(
        "the database needs {pending} migration(s), and this login may not make them: run `keyway migrate \
         --database-url …` with a login that can (a superuser, or a member of keyway_owner)"
    )]
    MayNotMigrate {
        /// How many.
        pending: usize,
    },
    /// The database is newer than this program.
    #[error(
        "the database was migrated by a newer keyway (migration {0}): run that version or a later one"
    )]
    Newer(i64),
    /// A password that clients may prepare in different ways.
    #[error("the login's password must be printable ASCII, and not empty")]
    Password,
    /// A name that is not one.
    #[error(
        "--login must be 1 to 63 of a–z, 0–9 and _, begin with a letter, and not be one of Keyway's roles"
    )]
    LoginName,
}

impl ProvisionError {
    pub(super) fn unreachable(options: &PgConnectOptions, reason: String) -> Self {
        let place = options.get_socket().map_or_else(
            || format!("{}:{}", options.get_host(), options.get_port()),
            |socket| socket.display().to_string(),
        );
        let login = options.get_username().to_owned();
        Self::Unreachable {
            place,
            login,
            reason,
        }
    }
}

/// For `map_err`: names what was attempted.
pub(super) fn attempting(attempt: &'static str) -> impl FnOnce(sqlx::Error) -> ProvisionError {
    move |source| ProvisionError::Database { attempt, source }
}
