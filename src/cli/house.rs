//! Opening the house: Postgres, schema, root key, isolation, in the order in which a wrong root key changes nothing.

use std::path::Path;
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use zeroize::Zeroizing;

use super::{Failure, words};
use crate::config::{ConfigError, RootKeySource, StoreSettings};
use crate::crypto::{KeyRing, RootId, RootKey};
use crate::domain::{AuditReads, RateLimits, Service, Settings};
use crate::store::embedded::{Embedded, EmbeddedOptions, SUPERUSER, free_bytes};
use crate::store::keys::{self, Fingerprints, UnlockError, Vault};
use crate::store::provision::{self, DATABASE, Exclusive, LOGIN, SchemaState};
use crate::store::{DISK_FLOOR, Db, health, schema_check};

/// Who opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// The server, which owns an embedded Postgres.
    Serving,
    /// A command beside it, which shares one.
    Command,
}

/// An open house.
#[derive(Debug)]
pub(super) struct House {
    pub(super) service: Service,
    pub(super) db: Db,
    pub(super) embedded: Option<Embedded>,
}

/// A Postgres that answers, and how to reach it with the server's login.
pub(super) struct Ground {
    pub(super) options: PgConnectOptions,
    pub(super) embedded: Option<Embedded>,
}

/// How to reach the Postgres that `DATABASE_URL` names, which is never repeated: it can hold a password.
pub(super) fn connect_options(
    store: &StoreSettings,
    url: &str,
) -> Result<PgConnectOptions, Failure> {
    let known = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let options: Option<PgConnectOptions> = url.parse().ok().filter(|_| known);
    let options = options.ok_or(Failure::Config(ConfigError::DatabaseUrl))?;
    Ok(match &store.database_password_file {
        Some(file) => options.password(&password(file, "KEYWAY_DATABASE_PASSWORD_FILE")?),
        None => options,
    })
}

/// The only line of a password's file; `setting` is what named it.
pub(super) fn password(file: &Path, setting: &str) -> Result<Zeroizing<String>, Failure> {
    let said = |what: String| {
        let file = file.display();
        Failure::Said(format!("reading {setting} {file}: {what}"))
    };
    let read = std::fs::read_to_string(file).map(Zeroizing::new);
    let text = read.map_err(|error| said(error.to_string()))?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() || line.contains(['\r', '\n', '\0']) {
        return Err(said("it must hold one line, the password".to_owned()));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// Whether the data directory holds a database already.
pub(super) fn has_cluster(store: &StoreSettings) -> bool {
    store.data_dir().join("postgres/data/PG_VERSION").exists()
}

/// Finds Postgres, or starts the embedded one.
pub(super) async fn ground(store: &StoreSettings, who: For) -> Result<Ground, Failure> {
    if let Some(url) = &store.database_url {
        let options = connect_options(store, url)?;
        return Ok(Ground {
            options,
            embedded: None,
        });
    }
    refuse_a_full_disk(store)?;
    let options = EmbeddedOptions {
        data_dir: store.data_dir(),
        bin_dir: store.pg_bin_dir.clone(),
        guard: None,
    };
    let embedded = match who {
        For::Serving => Embedded::start(&options).await?,
        For::Command => Embedded::attach_or_start(&options).await?,
    };
    Ok(Ground {
        options: embedded.connect_options(DATABASE, LOGIN),
        embedded: Some(embedded),
    })
}

/// A new database needs room, which initdb would miss halfway.
fn refuse_a_full_disk(store: &StoreSettings) -> Result<(), Failure> {
    let directory = store.data_dir();
    let existing = directory.ancestors().find(|path| path.is_dir());
    match existing.map(free_bytes) {
        Some(Ok(free)) if free < DISK_FLOOR && !has_cluster(store) => Err(Failure::Said(format!(
            "{} MiB are free for a new database in {}, {} MiB are needed: make room, or choose another --data-dir",
            free >> 20,
            directory.display(),
            DISK_FLOOR >> 20
        ))),
        _ => Ok(()),
    }
}

/// Opens the house. Where it cannot, an embedded Postgres that was started for it is stopped again.
pub(super) async fn open(
    store: &StoreSettings,
    settings: Settings,
    who: For,
) -> Result<House, Failure> {
    // A root key that cannot be read starts no database.
    store.root_keys()?;
    let Ground { options, embedded } = ground(store, who).await?;
    match enter(store, &options, embedded.as_ref(), settings).await {
        Ok((service, db)) => Ok(House {
            service,
            db,
            embedded,
        }),
        Err(failure) => {
            if let Some(embedded) = embedded {
                embedded.stop().await?;
            }
            Err(failure)
        }
    }
}

impl House {
    /// Waits for running transactions, then stops a Postgres that was started here.
    pub(super) async fn close(self) -> Result<(), Failure> {
        self.service.close().await;
        match self.embedded {
            Some(embedded) => Ok(embedded.stop().await?),
            None => Ok(()),
        }
    }
}

async fn enter(
    store: &StoreSettings,
    options: &PgConnectOptions,
    embedded: Option<&Embedded>,
    settings: Settings,
) -> Result<(Service, Db), Failure> {
    let ring = match embedded {
        Some(embedded) => prepare_embedded(store, embedded).await?,
        None => prepare_external(store, options).await?,
    };
    let db = Db::new(options.clone());
    let findings = schema_check::check(&db).await?;
    if findings.is_fatal() {
        return Err(Failure::Refused(words::not_isolated(&findings)));
    }
    if findings.powerful_login {
        tracing::warn!("{}", words::POWERFUL_LOGIN);
    }
    let vault = Vault::unlock(db.clone(), ring).await?;
    Ok((Service::new(vault, settings), db))
}

/// Makes database, roles and schema where they are missing, and the root key of a new database. One process at a
/// time: a server and a command that begin together on a new directory make one root key.
async fn prepare_embedded(store: &StoreSettings, embedded: &Embedded) -> Result<KeyRing, Failure> {
    let mut alone = Exclusive::take(&embedded.connect_options("postgres", SUPERUSER)).await?;
    // As superuser: that a login or a role is missing must not look as if nothing had been sealed.
    let admin = embedded.connect_options(DATABASE, SUPERUSER);
    let state = if alone.has_database(DATABASE).await? {
        provision::schema_state(&admin).await?
    } else {
        SchemaState::Absent
    };
    let ring = ring(store.root_keys()?, in_use(&admin, state).await?)?;
    if state != SchemaState::Current {
        alone.create_database(DATABASE).await?;
        provision::prepare(&admin, LOGIN, None).await?;
    }
    Ok(ring)
}

/// Brings the schema up to date where the login may.
async fn prepare_external(
    store: &StoreSettings,
    options: &PgConnectOptions,
) -> Result<KeyRing, Failure> {
    let state = provision::schema_state(options).await?;
    if state != SchemaState::Absent {
        let db = Db::new(options.clone());
        let missing = health::missing_roles(&db).await;
        db.close().await;
        let missing = words::needed_to_serve(missing?);
        if !missing.is_empty() {
            return Err(Failure::Refused(words::missing_roles(&missing)));
        }
    }
    let ring = ring(store.root_keys()?, in_use(options, state).await?)?;
    if state != SchemaState::Current {
        provision::migrate_as_server(options).await?;
    }
    Ok(ring)
}

/// The root keys under which rows were sealed.
async fn in_use(options: &PgConnectOptions, state: SchemaState) -> Result<Vec<RootId>, Failure> {
    if state == SchemaState::Absent {
        return Ok(Vec::new());
    }
    let db = Db::new(options.clone());
    let in_use = keys::root_keys_in_use(&db).await;
    db.close().await;
    Ok(in_use?)
}

/// The configured keys, proven against the fingerprints that the database needs; or a new key, made only where no
/// sealed row exists.
fn ring(source: RootKeySource, in_use: Vec<RootId>) -> Result<KeyRing, Failure> {
    match source {
        RootKeySource::Configured(ring) if in_use.iter().all(|id| ring.holds(*id)) => Ok(ring),
        RootKeySource::Configured(ring) => Err(Failure::Unlock(UnlockError::WrongRootKey {
            configured: Fingerprints(ring.ids()),
            in_use: Fingerprints(in_use),
        })),
        RootKeySource::ToBeMade(file) if in_use.is_empty() => {
            let key = RootKey::generate();
            key.create_file(&file)
                .map_err(|source| ConfigError::RootKey {
                    setting: "--data-dir",
                    source,
                })?;
            tracing::info!(
                file = %file.display(),
                "made the root key: keep a copy in a safe place, without it nothing that is stored can be read"
            );
            Ok(KeyRing::new(&key, &[]))
        }
        RootKeySource::ToBeMade(file) => Err(Failure::Refused(format!(
            "{}; nothing was written",
            words::missing_root_key(&file, &Fingerprints(in_use))
        ))),
    }
}

/// Settings for commands that hand out no URL and retire nothing.
pub(super) fn command_settings() -> Settings {
    Settings {
        public_url: String::new(),
        egress_allow: Vec::new(),
        retention: std::time::Duration::MAX,
        audit_reads: AuditReads::Sync,
        rate_limits: RateLimits::default(),
        managed_apps: Arc::default(),
    }
}
