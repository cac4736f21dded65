//! A way to the tests' Postgres that a test can cut, and let hang.

use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;
use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// A unix socket in a directory of its own that leads to another one.
pub struct Proxy {
    directory: PathBuf,
    socket: PathBuf,
    target: PathBuf,
    running: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy before the server that `login` leads to, and the way through it.
    pub fn before(login: &PgConnectOptions) -> (Self, PgConnectOptions) {
        let name = format!(".s.PGSQL.{}", login.get_port());
        let directory =
            std::env::temp_dir().join(format!("keyway-proxy-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&directory).unwrap();
        let target = login.get_socket().unwrap().join(&name);
        let mut proxy = Self {
            socket: directory.join(&name),
            directory,
            target,
            running: None,
        };
        proxy.open();
        let login = login.clone().socket(&proxy.directory);
        (proxy, login)
    }

    /// Takes connections and passes everything on.
    pub fn open(&mut self) {
        self.listen(Some(self.target.clone()));
    }

    /// Takes connections and says nothing, like a machine that has stopped.
    pub fn hang(&mut self) {
        self.listen(None);
    }

    /// Ends every connection and takes none.
    pub fn cut(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
        std::fs::remove_file(&self.socket).ok();
    }

    fn listen(&mut self, target: Option<PathBuf>) {
        self.cut();
        let listener = UnixListener::bind(&self.socket).unwrap();
        self.running = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(pass_on(client, target.clone()));
            }
        }));
    }
}

async fn pass_on(mut client: UnixStream, target: Option<PathBuf>) {
    let Some(target) = target else {
        return std::future::pending().await;
    };
    if let Ok(mut server) = UnixStream::connect(target).await {
        copy_bidirectional(&mut client, &mut server).await.ok();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        std::fs::remove_dir(&self.directory).ok();
    }
}
