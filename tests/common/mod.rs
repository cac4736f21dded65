//! The test kit: the real server on a database of its own, tenants with keys, a client for each dialect, and a watch
//! over everything that leaves the server.
#![expect(dead_code, reason = "no test program uses the whole kit")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod client;
pub mod cluster;
pub mod logs;
pub mod proxy;
pub mod secrecy;
pub mod statements;
pub mod stored;
pub mod tenant;

use std::sync::Arc;
use std::time::Duration;

use keyway::crypto::{KeyRing, RootKey};
use keyway::domain::managed_apps::ManagedApps;
use keyway::domain::{RateLimits, Service, Settings};
use keyway::http::{layers, serve};
use keyway::store::keys::Vault;
use keyway::store::{Db, provision};
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use client::{Client, Line};
use cluster::TestDatabase;
use stored::Stored;
use tenant::Tenant;

/// A secret that nothing but an authorised hand-out may ever show; see [`secrecy`].
pub fn canary() -> String {
    secrecy::plant()
}

/// The server in this process, on a loopback port, with a database and a root key of its own.
///
/// Its end looks for every planted [`canary`] in the answers and the log; [`TestApp::finish`] looks into the
/// database too.
pub struct TestApp {
    log_begin: usize,
    line: Arc<Line>,
    stored: Stored,
    service: Service,
    root_key: Zeroizing<String>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<std::io::Result<()>>>,
    // Last, so that it is dropped after everything that is connected to it.
    database: TestDatabase,
}

impl TestApp {
    /// Starts a server with the promised bounds.
    pub async fn start() -> Self {
        Self::start_with(serve::Limits::default(), layers::REQUEST_TIMEOUT).await
    }

    /// Starts a server with other bounds, for tests that wait for them.
    pub async fn start_with(limits: serve::Limits, request_timeout: Duration) -> Self {
        let database = database().await;
        let login = database.login();
        Self::start_on(database, login, limits, request_timeout).await
    }

    /// Starts a server that keeps retired connections for another time than a week.
    pub async fn start_retaining(retention: Duration) -> Self {
        let database = database().await;
        let login = database.login();
        let retain = |url: &str| Settings {
            retention,
            ..settings(url)
        };
        let limits = serve::Limits::default();
        Self::start_set(database, login, limits, layers::REQUEST_TIMEOUT, retain).await
    }

    /// Starts a server that writes the audit rows of hand-outs a little later.
    pub async fn start_batched() -> Self {
        let database = database().await;
        let login = database.login();
        let batched = |url: &str| Settings {
            audit_reads: keyway::domain::AuditReads::Batched,
            ..settings(url)
        };
        let limits = serve::Limits::default();
        Self::start_set(database, login, limits, layers::REQUEST_TIMEOUT, batched).await
    }

    /// Starts a server that says that it is reached by this URL.
    pub async fn start_public(public_url: &'static str) -> Self {
        let database = database().await;
        let login = database.login();
        let limits = serve::Limits::default();
        let public = |_: &str| settings(public_url);
        Self::start_set(database, login, limits, layers::REQUEST_TIMEOUT, public).await
    }

    /// Starts a server that counts requests against these limits.
    pub async fn start_limited(rate_limits: RateLimits) -> Self {
        let database = database().await;
        let login = database.login();
        let limited = |url: &str| Settings {
            rate_limits,
            ..settings(url)
        };
        let limits = serve::Limits::default();
        Self::start_set(database, login, limits, layers::REQUEST_TIMEOUT, limited).await
    }

    /// Starts a server whose operator shares these OAuth apps.
    pub async fn start_managing(managed_apps: ManagedApps) -> Self {
        let database = database().await;
        let login = database.login();
        let managing = |url: &str| Settings {
            managed_apps: Arc::new(managed_apps),
            ..settings(url)
        };
        let limits = serve::Limits::default();
        Self::start_set(database, login, limits, layers::REQUEST_TIMEOUT, managing).await
    }

    /// Starts a server that reaches the database by `login`, which may lead through a [`proxy`].
    pub async fn start_on(
        database: TestDatabase,
        login: PgConnectOptions,
        limits: serve::Limits,
        request_timeout: Duration,
    ) -> Self {
        Self::start_set(database, login, limits, request_timeout, settings).await
    }

    async fn start_set(
        database: TestDatabase,
        login: PgConnectOptions,
        limits: serve::Limits,
        request_timeout: Duration,
        settings: impl FnOnce(&str) -> Settings,
    ) -> Self {
        let log_begin = logs::capture();
        let root_key = RootKey::generate();
        let ring = KeyRing::new(&root_key, &[]);
        let vault = Vault::unlock(Db::new(login), ring).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = Service::new(vault, settings(&format!("http://{address}")));
        let router = keyway::http::router(service.clone(), request_timeout);
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            stopped.await.ok();
        };
        let server = tokio::spawn(serve::serve(listener, router, shutdown, limits));
        Self {
            log_begin,
            line: Arc::new(Line::new(address)),
            stored: Stored::new(database.superuser()),
            service,
            root_key: root_key.to_base64(),
            stop: Some(stop),
            server: Some(server),
            database,
        }
    }

    /// A new tenant with a key that has the default scopes.
    pub async fn tenant(&self, name: &str) -> Tenant {
        Tenant::make(name, self.service.clone(), Arc::clone(&self.line)).await
    }

    /// The service behind the server, for what the command line does.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// A client without a key.
    pub fn anonymous(&self) -> Client {
        Client::new(Arc::clone(&self.line), None)
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.line.url()
    }

    /// Where the server listens, for tests that speak to the socket themselves.
    pub fn address(&self) -> std::net::SocketAddr {
        self.line.address()
    }

    /// Rows of a query, run as superuser, as JSON objects; `bytea` is hexadecimal text.
    pub async fn sql(&self, query: &str) -> Vec<serde_json::Value> {
        self.stored.rows(query).await
    }

    /// The number of rows, as in `connections where status = 'ACTIVE'`.
    pub async fn count(&self, from: &str) -> i64 {
        self.stored.count(from).await
    }

    /// The tables with a row that holds these bytes (a sealed cell, say) in any column.
    pub async fn tables_holding(&self, bytes: &[u8]) -> Vec<String> {
        self.stored.holding(bytes).await
    }

    /// The root key in base64, which nothing may show.
    pub fn root_key(&self) -> &str {
        &self.root_key
    }

    /// The secret parts of the API keys that were used, which nothing may show.
    pub fn api_key_secrets(&self) -> Vec<String> {
        self.line.keys()
    }

    /// How to connect to the database as superuser, for programs that look at it from outside.
    pub fn superuser(&self) -> PgConnectOptions {
        self.database.superuser()
    }

    /// How to connect to the database as the unprivileged login, which the server does.
    pub fn login(&self) -> PgConnectOptions {
        self.database.login()
    }

    /// Runs a statement as superuser.
    pub async fn execute(&self, statement: &str) {
        self.stored.execute(statement).await;
    }

    /// A digest over all rows of all tables but the audit log, for "it changed nothing".
    pub async fn fingerprint(&self) -> String {
        self.stored.fingerprint().await
    }

    /// How often requests have waited for each other in a circle, which another attempt hides from whoever asks. Ends
    /// the server's database sessions: for the end of a test.
    pub async fn deadlocks(&self) -> i64 {
        self.stored.deadlocks().await
    }

    /// Everything that this process has logged since this server began, one JSON object a line, at all levels.
    pub fn logs(&self) -> String {
        logs::since(self.log_begin)
    }

    /// Ends the server, and looks for planted secrets in its answers, in the log and in every row.
    pub async fn finish(mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
        if let Some(server) = self.server.take() {
            server.await.unwrap().unwrap();
        }
        secrecy::assert_absent("a row of the database", &self.stored.dump().await);
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
        }
        if std::thread::panicking() {
            return;
        }
        let log = self.logs();
        for (place, text) in self
            .line
            .answers()
            .iter()
            .map(|text| ("an answer", text))
            .chain([("the log", &log)])
        {
            secrecy::assert_absent(place, text);
            let shown = self
                .line
                .keys()
                .into_iter()
                .find(|key| text.contains(key.as_str()));
            assert_eq!(shown, None, "{place} holds an API key");
            let root_key = self.root_key.trim_end_matches('=');
            assert!(!text.contains(root_key), "{place} holds the root key");
        }
    }
}

/// A migrated database of this test alone.
pub async fn database() -> TestDatabase {
    cluster::database_with(migrate).await
}

/// On a thread of its own: the future of a migration cannot move between threads.
async fn migrate(superuser: PgConnectOptions) {
    let migration = move || {
        let prepare = provision::prepare(&superuser, provision::LOGIN, None);
        tokio::runtime::Handle::current().block_on(prepare)
    };
    tokio::task::spawn_blocking(migration)
        .await
        .unwrap()
        .unwrap();
}

/// The keys of a new database, under a root key of its own.
pub async fn unlock(db: Db) -> Vault {
    Vault::unlock(db, KeyRing::new(&RootKey::generate(), &[]))
        .await
        .unwrap()
}

/// The settings of a test's server.
pub fn settings(public_url: &str) -> Settings {
    Settings {
        public_url: public_url.to_owned(),
        egress_allow: Vec::new(),
        retention: Duration::from_hours(7 * 24),
        audit_reads: keyway::domain::AuditReads::Sync,
        rate_limits: RateLimits::default(),
        managed_apps: Arc::default(),
    }
}
