//! The network between the servers and Postgres: a socket that passes everything on until it is cut or frozen.

use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::server::Home;

/// The name that Postgres' clients look for in a directory.
const SOCKET: &str = ".s.PGSQL.5432";

/// See the module.
pub struct Wire {
    directory: PathBuf,
    target: PathBuf,
    frozen: watch::Sender<bool>,
    running: Option<JoinHandle<()>>,
}

impl Wire {
    /// A way to the Postgres of this home, open; and the home with servers that take it.
    pub fn before(home: Home) -> (Self, Home) {
        let directory = home.file("wire");
        std::fs::create_dir(&directory).unwrap();
        let target = home.superuser().get_socket().unwrap().join(SOCKET);
        let mut wire = Self {
            directory,
            target,
            frozen: watch::Sender::new(false),
            running: None,
        };
        wire.open();
        let host = wire.directory.display();
        let url = format!("postgres:///keyway?host={host}&user=keyway");
        (wire, home.set("DATABASE_URL", url))
    }

    /// Passes on, from now on and what has been held back.
    pub fn open(&mut self) {
        self.frozen.send_replace(false);
        if self.running.is_some() {
            return;
        }
        let listener = UnixListener::bind(self.directory.join(SOCKET)).unwrap();
        let (target, frozen) = (self.target.clone(), self.frozen.subscribe());
        self.running = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(pass_on(client, target.clone(), frozen.clone()));
            }
        }));
    }

    /// Ends every connection and takes none.
    pub fn cut(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
        std::fs::remove_file(self.directory.join(SOCKET)).ok();
    }

    /// Keeps every connection, takes new ones, and passes nothing on: no answer, no error.
    pub fn freeze(&mut self) {
        self.frozen.send_replace(true);
    }
}

async fn pass_on(client: UnixStream, target: PathBuf, mut frozen: watch::Receiver<bool>) {
    frozen.wait_for(|frozen| !frozen).await.ok();
    let Ok(server) = UnixStream::connect(target).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        pump(from_client, to_server, frozen.clone()),
        pump(from_server, to_client, frozen)
    );
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut frozen: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or_default();
        frozen.wait_for(|frozen| !frozen).await.ok();
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            to.shutdown().await.ok();
            return;
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.cut();
    }
}
