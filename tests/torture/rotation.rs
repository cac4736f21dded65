//! Key rotation online: every tenant's data key and the root key of a Postgres of the user's own, as the README says,
//! under a load of all kinds ([`crate::retrying`]) that must not lose a single request; every command is killed (kill −9)
//! in the middle and run again.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use keyway::crypto::RootKey;
use keyway::store::sealed_columns::{SEALED_COLUMNS, SealedUnder};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::time::{sleep, timeout};

use crate::report::Report;
use crate::retrying::Retries;
use crate::rolling::Pair;
use crate::server::Home;
use crate::world::{Size, World};
use crate::{scale, verify};

/// The settings of the programs at one moment.
type Settings<'s> = [(&'static str, &'s str)];

/// As if the newest data keys had been made a quarter of an hour ago. Done where every server was started after they
/// were made, so that none remembers an older one, which is what the wait is for.
const AGE: &str =
    "UPDATE tenant_data_keys SET created_at = created_at - interval '15 minutes', looked_at = NULL";

/// Replaced data keys that something may still be sealed under.
const UNFINISHED: &str = "tenant_data_keys WHERE NOT active AND emptied_at IS NULL";

/// What a command says while another one like it runs, or was killed and Postgres has not noticed.
const RUNS: &str = "is running";

/// One rotation after the other on one home.
struct Rotation<'h> {
    home: &'h Home,
    superuser: PgConnection,
    kills: u64,
}

impl Rotation<'_> {
    async fn count(&mut self, of: &str) -> i64 {
        let query = AssertSqlSafe(format!("SELECT count(*) FROM {of}"));
        let found = sqlx::query_scalar(query).fetch_one(&mut self.superuser);
        found.await.unwrap()
    }

    /// Begins this command and kills it when `begun` holds rows that it did not hold before, while a lock on `held` keeps
    /// it from its end. On a machine that has too much to do it can be too slow to begin: then it is tried again.
    async fn kill(&mut self, command: &[&str], settings: &Settings<'_>, held: &str, begun: &str) {
        let before = self.count(begun).await;
        for _ in 0..10 {
            let said = self.begin_and_kill(command, settings, held, begun).await;
            if self.count(begun).await != before {
                assert_eq!(said, None, "{command:?} had ended before it was killed");
                self.kills += 1;
                return;
            }
            let expected = said.as_ref().is_none_or(|said| said.contains(RUNS));
            assert!(expected, "{command:?} had ended before it began: {said:?}");
        }
        panic!("{command:?} never began in time");
    }

    /// What it said where it ended by itself.
    async fn begin_and_kill(
        &mut self,
        command: &[&str],
        settings: &Settings<'_>,
        held: &str,
        begun: &str,
    ) -> Option<String> {
        let before = self.count(begun).await;
        let mut outside = PgConnection::connect_with(&self.home.superuser())
            .await
            .unwrap();
        let mut holding = outside.begin().await.unwrap();
        let lock = format!("LOCK TABLE {held} IN SHARE ROW EXCLUSIVE MODE");
        sqlx::query(AssertSqlSafe(lock))
            .execute(&mut *holding)
            .await
            .unwrap();
        let said = self.home.file("killed");
        let mut program = self.home.program(command, settings);
        program.stdout(Stdio::null());
        program.stderr(std::fs::File::create(&said).unwrap());
        let (mut child, since) = (program.spawn().unwrap(), Instant::now());
        // The lock holds up writers, too: well below what a request may wait.
        while self.count(begun).await == before && since.elapsed() < Duration::from_millis(900) {
            sleep(Duration::from_millis(2)).await;
        }
        sleep(Duration::from_millis(rand::random_range(0..30))).await;
        let ended = child.try_wait().unwrap().is_some();
        if !ended {
            child.kill().await.unwrap();
        }
        holding.rollback().await.unwrap();
        ended.then(|| std::fs::read_to_string(said).unwrap())
    }

    /// Runs it to its end. A rotation that was killed counts as running until Postgres has noticed.
    async fn run(&self, command: &[&str], settings: &Settings<'_>) -> Value {
        let begun = Instant::now();
        loop {
            let mut program = self.home.program(command, settings);
            let output = program.arg("--json").output();
            let output = timeout(Duration::from_mins(1), output).await;
            let output = output.expect("it ends").unwrap();
            if output.status.success() {
                return serde_json::from_slice(&output.stdout).unwrap();
            }
            let said = String::from_utf8_lossy(&output.stderr);
            let waits = said.contains(RUNS) && begun.elapsed() < Duration::from_secs(20);
            assert!(waits, "keyway {command:?}: {said}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// A start with this key alone is refused while something is sealed under another.
    async fn refuses_to_start(&self, key: &str) {
        let settings = [
            ("KEYWAY_ROOT_KEY_FILE", key),
            ("KEYWAY_LISTEN", "127.0.0.1:0"),
        ];
        let mut program = self.home.program(&["serve"], &settings);
        let output = timeout(Duration::from_mins(1), program.output()).await;
        let output = output.expect("it ends").unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(78), "{said}");
    }

    /// Makes a root key with the program itself, in a file that only its owner can read.
    async fn new_root_key(&self, round: u64) -> PathBuf {
        let made = self.home.command(&["root-key", "new"]).await;
        let file = self.home.file(&format!("root.key.{round}"));
        let mut options = std::fs::OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(0o600).open(&file);
        let text = made["root_key"].as_str().unwrap();
        std::io::Write::write_all(&mut opened.unwrap(), text.as_bytes()).unwrap();
        file
    }

    /// Nothing names, and nothing is sealed under, a key but the newest ones.
    async fn nothing_is_under_old_keys(&mut self, root: &str) {
        let other = format!("<> '\\x{root}'");
        for table in ["root_keys", "server_secrets", "tenant_data_keys"] {
            let left = self.count(&format!("{table} WHERE root_id {other}")).await;
            assert_eq!(left, 0, "{table} under an old root key");
        }
        let mut cells = 0;
        for sealed in SEALED_COLUMNS {
            if sealed.under != SealedUnder::DataKey {
                continue;
            }
            let (table, column) = (sealed.table, sealed.column);
            let under_old = format!(
                "{table} AS t JOIN tenant_data_keys AS k ON k.tenant_id = t.tenant_id AND k.active \
                 WHERE substring(t.{column} FROM 3 FOR 4) <> int4send(k.dek_id)"
            );
            let left = self.count(&under_old).await;
            assert_eq!(left, 0, "{table}.{column} under an old data key");
            cells += self
                .count(&format!("{table} WHERE {column} IS NOT NULL"))
                .await;
        }
        assert!(cells > 0, "nothing is sealed");
    }

    /// Every tenant's data key, each command killed in the middle and run again; finished later by the servers.
    async fn begin_data_keys(&mut self, tenants: usize, settings: &Settings<'_>) {
        for tenant in 0..tenants {
            let name = format!("tenant-{tenant}");
            let command = ["tenant", "rotate-key", &name];
            self.kill(&command, settings, "connections", "tenant_data_keys")
                .await;
            let again = self.run(&command, settings).await;
            let told = (&again["resumed"], &again["damaged"], &again["finished"]);
            assert_eq!(told, (&json!(true), &json!(0), &json!(false)), "{again}");
        }
    }

    /// The servers finish these rotations by themselves: each looks when it starts.
    async fn data_keys_are_finished(&mut self) {
        let begun = Instant::now();
        while self.count(UNFINISHED).await > 0 {
            let waits = begun.elapsed() < Duration::from_secs(90);
            assert!(waits, "no server finishes the rotations");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn root_key(&mut self, settings: &Settings<'_>, root: &str) {
        let command = ["root-key", "rotate"];
        // The new key's row is there, the secrets of the server are not moved yet.
        self.kill(&command, settings, "server_secrets", "root_keys")
            .await;
        let again = self.run(&command, settings).await;
        let told = (&again["root_id"], &again["damaged"], &again["finished"]);
        assert_eq!(told, (&json!(root), &json!(0), &json!(true)), "{again}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated_under_load_without_a_failed_request() {
    let mut report = Report::begin(
        "key rotation online (data keys, root key), killed in the middle",
        "rounds",
    );
    let home = Home::external().await;
    let mut pair = Pair::start(&home).await;
    let world = World::seed(&home, pair.any(), Size::USUAL).await;
    let superuser = PgConnection::connect_with(&home.superuser()).await.unwrap();
    let mut rotation = Rotation {
        home: &home,
        superuser,
        kills: 0,
    };
    let mut old = home.file("root.key");
    let (rounds, tenants) = (scale::of(5, 1), Size::USUAL.tenants);
    for round in 1..=rounds {
        let load = Retries::start(&world, pair.targets());
        sleep(Duration::from_millis(200)).await;
        let new = rotation.new_root_key(round).await;
        let root = RootKey::from_file(&new).unwrap().root_id().to_string();
        let (new_file, old_file) = (new.to_str().unwrap(), old.to_str().unwrap());
        let now = [("KEYWAY_ROOT_KEY_FILE", old_file)];
        let both = [
            ("KEYWAY_ROOT_KEY_FILE", new_file),
            ("KEYWAY_OLD_ROOT_KEY_FILES", old_file),
        ];
        let last = [("KEYWAY_ROOT_KEY_FILE", new_file)];
        rotation.begin_data_keys(tenants, &now).await;
        for which in 0..2 {
            pair.restart(which, &home, &both).await;
        }
        let superuser = &mut rotation.superuser;
        sqlx::query(AGE).execute(superuser).await.unwrap();
        rotation.refuses_to_start(new_file).await;
        rotation.root_key(&both, &root).await;
        for which in 0..2 {
            pair.restart(which, &home, &last).await;
        }
        rotation.data_keys_are_finished().await;
        report.note(format!("round {round}: {}", load.stop().await));
        rotation.nothing_is_under_old_keys(&root).await;
        verify::values(&world, pair.any()).await;
        old = new;
    }
    verify::everything(&world, &home, pair.any()).await;
    report.note(format!(
        "{} commands killed, each then run to its end; no failed request",
        rotation.kills
    ));
    pair.stop().await;
    drop(rotation);
    report.finish(&world.ledger, rounds);
}
