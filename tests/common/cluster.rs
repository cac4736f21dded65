//! The tests' Postgres: one private cluster per test run, one database per test.
//!
//! No set-up step: the first test process makes the cluster (in `/dev/shm` where 1 GiB is free)
//! and its migrated template; every process shares it by a file lock for as long as it lives; a
//! detached guard (`keyway guard DIR --profile test`) stops Postgres and removes the directory
//! 3 s after the last has ended. So it is the same under `cargo test` (threads in processes one
//! after another) and nextest (a process per test).

use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use keyway::store::embedded::{self, Lease, SUPERUSER};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// The unprivileged login that the migrations make.
const LOGIN: &str = "keyway";

const GUARD: &str = env!("CARGO_BIN_EXE_keyway");
const TEMPLATE: &str = "keyway_template";
const LINGER_MS: &str = "3000";

/// Databases are made and dropped here, whatever happens to a test's own runtime.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime for the tests' Postgres")
});

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();

struct Cluster {
    directory: PathBuf,
    admin: PgPool,
    _lease: Lease,
}

/// A database of this test alone; dropped with this value, also when the test panics.
pub struct TestDatabase {
    name: String,
    superuser: PgConnectOptions,
    login: PgConnectOptions,
}

impl TestDatabase {
    /// Connects as the superuser: for looking behind the product's back.
    pub fn superuser(&self) -> PgConnectOptions {
        self.superuser.clone()
    }

    /// Connects as the unprivileged login that the product uses.
    pub fn login(&self) -> PgConnectOptions {
        self.login.clone()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (done, waits) = std::sync::mpsc::channel();
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        RUNTIME.spawn(async move {
            if let Some(cluster) = CLUSTER.get() {
                let dropped = sqlx::query(AssertSqlSafe(sql)).execute(&cluster.admin);
                done.send(dropped.await.map(|_| ())).ok();
            }
        });
        match waits.recv_timeout(Duration::from_secs(20)) {
            Ok(Ok(())) => {}
            // The cluster is removed after the run, the database with it; never a second panic.
            Ok(Err(error)) => eprintln!("test database {} stays: {error}", self.name),
            Err(error) => eprintln!("test database {} stays: {error}", self.name),
        }
    }
}

/// A fresh copy of the template, which `prepare` migrates once per run: it gets the superuser's
/// connect options, and shall have closed its connections when it is done.
pub async fn database_with<P, F>(prepare: P) -> TestDatabase
where
    P: FnOnce(PgConnectOptions) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    static COUNT: AtomicU64 = AtomicU64::new(0);

    let cluster = CLUSTER
        .get_or_init(|| async {
            let set_up = RUNTIME.spawn(set_up(prepare));
            set_up.await.expect("the tests' Postgres starts")
        })
        .await;
    let since_epoch = SystemTime::UNIX_EPOCH.elapsed().expect("a clock past 1970");
    let name = format!(
        "test_{}_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed),
        since_epoch.as_nanos()
    );
    let sql = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy");
    let made = RUNTIME.spawn(sqlx::query(AssertSqlSafe(sql)).execute(&cluster.admin));
    made.await
        .expect("the tests' runtime lives")
        .expect("a database is copied from the template");
    let connect = |user| embedded::connect_options(&cluster.directory, &name, user);
    TestDatabase {
        superuser: connect(SUPERUSER),
        login: connect(LOGIN),
        name,
    }
}

async fn set_up<P, F>(prepare: P) -> Cluster
where
    P: FnOnce(PgConnectOptions) -> F,
    F: Future<Output = ()>,
{
    let directory = place();
    let lease = Lease::take(&directory)
        .await
        .expect("a share in the cluster");
    let options = embedded::connect_options(&directory, SUPERUSER, SUPERUSER);
    let admin = PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(30))
        .connect_lazy_with(options);
    let running = || embedded::in_use(&directory).expect("the cluster's lock can be read");
    if !running() || !has_template(&admin).await {
        // One process at a time from here, until the lock file is closed.
        let _one = lock(&directory.join("setup"));
        if !running() {
            sweep(&directory);
            start_guard(&directory);
        }
        if !has_template(&admin).await {
            make_template(&directory, &admin, prepare).await;
        }
    }
    Cluster {
        directory,
        admin,
        _lease: lease,
    }
}

/// Waits for a Postgres that another process has just started.
async fn has_template(admin: &PgPool) -> bool {
    let begun = Instant::now();
    loop {
        let found =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                .bind(TEMPLATE)
                .fetch_one(admin)
                .await;
        match found {
            Ok(found) => return found,
            Err(error) if begun.elapsed() > Duration::from_secs(30) => {
                panic!("the tests' Postgres does not answer: {error}")
            }
            Err(_not_yet) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn make_template<P, F>(directory: &Path, admin: &PgPool, prepare: P)
where
    P: FnOnce(PgConnectOptions) -> F,
    F: Future<Output = ()>,
{
    let run = async |sql: &'static str| {
        sqlx::query(sql)
            .execute(admin)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    };
    run("DROP DATABASE IF EXISTS unfinished_template WITH (FORCE)").await;
    run("CREATE DATABASE unfinished_template").await;
    prepare(embedded::connect_options(
        directory,
        "unfinished_template",
        SUPERUSER,
    ))
    .await;
    run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
         WHERE datname = 'unfinished_template'",
    )
    .await;
    run("ALTER DATABASE unfinished_template RENAME TO keyway_template").await;
}

/// Detached: of a process group of its own, without our streams.
#[expect(clippy::zombie_processes, reason = "it outlives this process")]
fn start_guard(directory: &Path) {
    let mut guard = Command::new(GUARD)
        .arg("guard")
        .arg(directory)
        .args(["--profile", "test", "--linger", LINGER_MS])
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the keyway program starts");
    let mut line = String::new();
    let output = guard.stdout.take().expect("its output is piped");
    BufReader::new(output)
        .read_line(&mut line)
        .expect("the guard says a line");
    assert_eq!(line, "ready\n", "the tests' Postgres did not start");
}

/// The run's directory: another workspace, user, set of migrations or build has another.
fn place() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_MANIFEST_DIR").hash(&mut hasher);
    let program = std::fs::metadata(GUARD).expect("the keyway program is built");
    (program.len(), program.mtime(), program.mtime_nsec()).hash(&mut hasher);
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<PathBuf> = std::fs::read_dir(migrations)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.sort();
    for file in files {
        (&file, std::fs::read(&file).ok()).hash(&mut hasher);
    }
    let roomy = Path::new("/dev/shm");
    let parent = match embedded::free_bytes(roomy) {
        Ok(free) if free >= 1 << 30 => roomy.to_owned(),
        _ => std::env::temp_dir(),
    };
    parent.join(format!("{}{:016x}", prefix(), hasher.finish()))
}

fn prefix() -> String {
    format!("keyway-test-{}-", rustix::process::geteuid().as_raw())
}

/// Removes what a guard that was killed has left behind: a minute old, ours, used by nobody.
fn sweep(current: &Path) {
    let parent = current.parent().expect("the directory has a parent");
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let old = entry.metadata().is_ok_and(|found| {
            let age = found.modified().map(|at| at.elapsed().unwrap_or_default());
            found.uid() == rustix::process::geteuid().as_raw()
                && age.is_ok_and(|age| age > Duration::from_mins(1))
        });
        let unlocked = |file| match File::open(path.join("postgres").join(file)) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        let ours = name
            .to_str()
            .is_some_and(|name| name.starts_with(&prefix()));
        if ours && old && path != current && unlocked("users") && unlocked("lock") {
            std::fs::remove_dir_all(path).ok();
        }
    }
}

fn lock(path: &Path) -> File {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .expect("the set-up lock opens");
    file.lock().expect("the set-up lock is taken");
    file
}
