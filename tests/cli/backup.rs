//! The backup drill: a dump restored on a new cluster. The right root key opens every secret of it, a wrong one none.
//! The commands are those that the README gives.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use keyway::crypto::{KeyRing, RootKey, Secret, TenantKeys};
use keyway::domain::ids::{AuthConfigUuid, ConnectionId, TenantId};
use keyway::store::embedded;
use keyway::store::provision::DATABASE;
use keyway::store::secrets::CellKind;
use keyway::store::{connections, secrets};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::external::url;
use crate::place::Place;
use crate::program::{Server, keyway};

/// How many credentials, and how many cells, the database holds.
const SECRETS: usize = 10_000;
/// How many requests are on their way at once.
const READERS: usize = 16;

/// Runs `pg_dump` or `pg_restore` with the arguments that the README gives.
fn run(program: &str, arguments: &[&str]) {
    let directory = embedded::find_binaries(None)
        .unwrap()
        .directory()
        .to_owned();
    let linked = directory.join("postgres").canonicalize().unwrap();
    let mut places = [directory.join(program), linked.with_file_name(program)].into_iter();
    let program = places
        .find(|place| place.is_file())
        .unwrap_or_else(|| PathBuf::from(program));
    let output = Command::new(&program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", program.display());
    assert_eq!(said, "", "{} has something to say", program.display());
}

/// On the embedded Postgres of a data directory.
fn dump(place: &Place, file: &str) {
    let socket = place.data_dir().join("postgres/socket");
    let on = ["--host", socket.to_str().unwrap(), "--username", "postgres"];
    run(
        "pg_dump",
        &[&on[..], &["--format", "custom", "--file", file, "keyway"]].concat(),
    );
}

/// On the embedded Postgres of a data directory, while the server runs.
fn restore(place: &Place, file: &str) {
    let socket = place.data_dir().join("postgres/socket");
    let on = [
        "--host",
        socket.to_str().unwrap(),
        "--username",
        "postgres",
        "--dbname",
        "keyway",
    ];
    run(
        "pg_restore",
        &[
            &on[..],
            &["--clean", "--if-exists", "--single-transaction", file],
        ]
        .concat(),
    );
}

async fn connect(place: &Place) -> PgConnection {
    let options = embedded::connect_options(&place.data_dir(), DATABASE, embedded::SUPERUSER);
    PgConnection::connect_with(&options).await.unwrap()
}

/// What the database was filled with.
struct Filling {
    tenant: TenantId,
    auth_config: AuthConfigUuid,
    /// Instances and what their credential says.
    credentials: Vec<(ConnectionId, String)>,
    /// Names of cells and what they say.
    cells: Vec<(String, String)>,
}

/// The unwrapped keys of the tenant.
async fn tenant_keys(place: &Place, tenant: TenantId, root_key: &RootKey) -> TenantKeys {
    let mut connection = connect(place).await;
    let wrapped: Vec<u8> =
        sqlx::query_scalar("SELECT sealed_key FROM tenant_data_keys WHERE tenant_id = $1")
            .bind(tenant.0)
            .fetch_one(&mut connection)
            .await
            .unwrap();
    let ring = KeyRing::new(root_key, &[]);
    let key = ring.unwrap_data_key(tenant.0, 1, &wrapped).unwrap();
    TenantKeys::new(tenant.0, 1, vec![key]).unwrap()
}

/// Adds credentials and cells beside the one that was made over HTTP, sealed as the server seals them.
async fn fill(place: &Place, instance: &str) -> Filling {
    let mut connection = connect(place).await;
    let (tenant, auth_config, integration): (Uuid, Uuid, Uuid) = sqlx::query_as(
        "SELECT tenant_id, auth_config_id, integration_id FROM connections WHERE connection_id = $1::uuid",
    )
    .bind(instance)
    .fetch_one(&mut connection)
    .await
    .unwrap();
    let (tenant, auth_config) = (TenantId(tenant), AuthConfigUuid(auth_config));
    let root_key = RootKey::from_file(place.root_key()).unwrap();
    let keys = tenant_keys(place, tenant, &root_key).await;
    let (mut credentials, mut cells) = (Vec::new(), Vec::new());
    let mut rows: (Vec<Uuid>, Vec<String>, Vec<Vec<u8>>) = Default::default();
    let (mut generations, mut sealed) = (Vec::new(), Vec::new());
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for number in 0..SECRETS {
        let secret = format!("secret {number} {}", Uuid::new_v4());
        let (id, generation) = (ConnectionId::new(), Uuid::new_v4());
        let content = Secret::from(json!({ "api_key": secret }).to_string());
        let place = connections::place(tenant, id);
        sealed.push(keys.seal_credential(&place, generation, &content).unwrap());
        generations.push(generation);
        let user = format!("user {number}");
        rows.0.push(id.0);
        rows.2.push(Sha256::digest(user.as_bytes()).to_vec());
        rows.1.push(user);
        credentials.push((id, secret));

        let (name, value) = (
            format!("name {number}"),
            format!("\"cell {number} {}\"", Uuid::new_v4()),
        );
        let place = secrets::place(tenant, auth_config, CellKind::Credential, &name);
        values.push(keys.seal(&place, &Secret::from(value.clone())).unwrap());
        names.push(name.clone());
        cells.push((name, value));
    }
    sqlx::query(
        "WITH new AS (SELECT * FROM unnest($4::uuid[], $5::text[], $6::bytea[], $7::uuid[], $8::bytea[])
                AS t (id, user_id, user_hash, generation, sealed)),
            made AS (INSERT INTO users (tenant_id, user_hash, user_id) SELECT $1, user_hash, user_id FROM new)
        INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id,
            user_hash, is_primary, status, generation, sealed_credential)
        SELECT $1, id, 'ca_' || lpad((row_number() OVER ())::text, 12, '0'), $2, $3, user_id, user_hash, true,
            'ACTIVE', generation, sealed FROM new",
    )
    .bind(tenant.0)
    .bind(auth_config.0)
    .bind(integration)
    .bind(rows.0)
    .bind(rows.1)
    .bind(rows.2)
    .bind(generations)
    .bind(sealed)
    .execute(&mut connection)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO auth_config_secrets (tenant_id, auth_config_id, kind, name, sealed_value)
        SELECT $1, $2, 'credential', name, value FROM unnest($3::text[], $4::bytea[]) AS t (name, value)",
    )
    .bind(tenant.0)
    .bind(auth_config.0)
    .bind(names)
    .bind(values)
    .execute(&mut connection)
    .await
    .unwrap();
    Filling {
        tenant,
        auth_config,
        credentials,
        cells,
    }
}

/// Has the server hand out every `step`th credential: each is what it was. How many they were.
async fn hand_out(server: &Server, key: &str, filling: &Filling, step: usize) -> usize {
    let client = server.client(key);
    let some = filling.credentials.iter().step_by(step).cloned();
    let work: Arc<Vec<_>> = Arc::new(some.collect());
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let (client, work) = (client.clone(), Arc::clone(&work));
        readers.spawn(async move {
            let mut equal = 0;
            for (id, secret) in work.iter().skip(reader).step_by(READERS) {
                let found = client.get(&format!("/mcp-server/instance/{id}/auth")).await;
                assert_eq!(found.status, 200, "{id}: {found:?}");
                assert_eq!(found.json["authData"], json!({ "api_key": secret }));
                equal += 1;
            }
            equal
        });
    }
    readers.join_all().await.into_iter().sum()
}

/// Opens every cell of the restored database: each is what it was. How many they were.
async fn open_all_cells(place: &Place, root_key: &RootKey, filling: &Filling) -> usize {
    let keys = tenant_keys(place, filling.tenant, root_key).await;
    let stored: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "SELECT name, sealed_value FROM auth_config_secrets WHERE tenant_id = $1 AND auth_config_id = $2
        AND kind = 'credential' ORDER BY substr(name, 6)::integer",
    )
    .bind(filling.tenant.0)
    .bind(filling.auth_config.0)
    .fetch_all(&mut connect(place).await)
    .await
    .unwrap();
    assert_eq!(stored.len(), filling.cells.len());
    let pairs = stored.iter().zip(&filling.cells);
    let equal = pairs.filter(|((name, sealed), (known, value))| {
        let place = secrets::place(
            filling.tenant,
            filling.auth_config,
            CellKind::Credential,
            name,
        );
        name == known && keys.open(&place, sealed).unwrap().same_as(value)
    });
    equal.count()
}

/// A server on an embedded Postgres with 10,000 credentials and cells, dumped while it runs; and its API key.
async fn dumped(place: &Place, file: &str) -> (Filling, String) {
    let server = keyway("").on(place).serve(place).await;
    let key = server.shown_key();
    let body = json!({ "serverName": "Stripe", "userId": "the first" });
    let made = server
        .client(&key)
        .post("/mcp-server/instance/create", body)
        .await;
    let instance = made.json["instanceId"].as_str().unwrap().to_owned();
    let auth = json!({ "instanceId": instance, "authData": { "api_key": "over HTTP" } });
    let set = server
        .client(&key)
        .post("/mcp-server/instance/set-auth", auth)
        .await;
    assert_eq!(set.status, 200, "{set:?}");
    let mut filling = fill(place, &instance).await;
    filling
        .credentials
        .push((instance.parse().unwrap(), "over HTTP".to_owned()));
    dump(place, file);
    server.stop(place).await;
    (filling, key)
}

#[tokio::test]
async fn a_restored_dump_opens_with_its_root_key_and_with_no_other() {
    let (old, new) = (Place::new(), Place::new());
    let file = old.file("keyway.dump");
    let file = file.to_str().unwrap();
    let (filling, key) = dumped(&old, file).await;
    let root_key = RootKey::from_file(old.root_key()).unwrap();

    // The root key in a new data directory; a start that makes the roles; the dump; a start.
    std::fs::create_dir(new.data_dir()).unwrap();
    std::fs::copy(old.root_key(), new.root_key()).unwrap();
    let first = keyway("").on(&new).serve(&new).await;
    restore(&new, file);
    first.stop(&new).await;
    let server = keyway("").on(&new).serve(&new).await;
    assert_eq!(
        server.stdout(),
        "",
        "no new key is shown: the old ones hold"
    );
    let handed_out = hand_out(&server, &key, &filling, 1).await;
    let opened = open_all_cells(&new, &root_key, &filling).await;
    assert_eq!((handed_out, opened), (SECRETS + 1, SECRETS));
    server.stop(&new).await;

    // With any other root key nothing starts, and nothing is written.
    let before = new.all().await;
    let wrong = new.file("wrong.key");
    RootKey::generate().create_file(&wrong).unwrap();
    let run = keyway("serve --listen 127.0.0.1:0").on(&new);
    let refused = run.env("KEYWAY_ROOT_KEY_FILE", &wrong).answer().await;
    let said = refused.refusal(78);
    for key in [&RootKey::from_file(&wrong).unwrap(), &root_key] {
        assert!(said.contains(&key.root_id().to_string()), "{said}");
    }
    assert!(
        new.all().await == before,
        "a server with a wrong root key has written"
    );
    eprintln!(
        "{handed_out} credentials and {opened} cells equal after the restore; a wrong root key was refused"
    );
}

#[tokio::test]
async fn a_dump_is_restored_on_a_postgres_of_your_own() {
    let (old, new) = (Place::new(), Place::new());
    let file = old.file("keyway.dump");
    let file = file.to_str().unwrap();
    let (filling, key) = dumped(&old, file).await;

    // A new cluster that knows nothing of Keyway: `migrate` as its administrator makes the roles, then the dump.
    let postgres = new.postgres().await;
    let at = |database, user| embedded::connect_options(&new.data_dir(), database, user);
    let admin = at("postgres", embedded::SUPERUSER);
    let mut connection = PgConnection::connect_with(&admin).await.unwrap();
    let create = AssertSqlSafe(format!("CREATE DATABASE {DATABASE}"));
    sqlx::query(create).execute(&mut connection).await.unwrap();
    let admin = url(&at(DATABASE, embedded::SUPERUSER));
    let migrate = keyway("migrate").arg("--database-url").arg(&admin);
    migrate.answer().await.ok();
    let how = [
        "--dbname",
        &admin,
        "--clean",
        "--if-exists",
        "--single-transaction",
        file,
    ];
    run("pg_restore", &how);
    let login = url(&at(DATABASE, "keyway"));
    let on_it = |key_file: PathBuf| {
        let run = keyway("serve").env("DATABASE_URL", &login);
        run.env("KEYWAY_ROOT_KEY_FILE", key_file)
    };
    let server = on_it(old.root_key()).serve(&old).await;
    assert_eq!(
        hand_out(&server, &key, &filling, 10).await,
        SECRETS / 10 + 1
    );
    // Again, as after an update: it has nothing to do.
    let again = keyway("migrate").arg("--database-url").arg(&admin);
    again.answer().await.ok();

    // A wrong root key, on a database where it could do harm.
    let before = new.stored().dump().await;
    let wrong = new.file("wrong.key");
    RootKey::generate().create_file(&wrong).unwrap();
    let run = on_it(wrong).env("KEYWAY_LISTEN", "127.0.0.1:0");
    run.answer().await.refusal(78);
    assert!(
        new.stored().dump().await == before,
        "a server with a wrong root key has written"
    );
    server.stop(&old).await;
    postgres.stop().await.unwrap();
}
