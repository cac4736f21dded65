//! A plain HTTP/1.1 client, so that nothing but the tests decides what is sent again, when, and how far: one
//! connection, one request after the other, never a second attempt of its own.

use std::net::SocketAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::requests::Request;

/// How long a client waits for an answer. Longer than any that the server promises.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Where the servers are now: they come back on other ports. Shared by all clients.
#[derive(Debug, Clone, Default)]
pub struct Targets(Arc<RwLock<Vec<SocketAddr>>>);

impl Targets {
    /// From now on these.
    pub fn set(&self, addresses: &[SocketAddr]) {
        addresses.clone_into(&mut self.0.write().unwrap());
    }

    /// Any of them.
    pub fn pick(&self) -> Option<SocketAddr> {
        let addresses = self.0.read().unwrap();
        let index = rand::random_range(0..addresses.len().max(1));
        addresses.get(index).copied()
    }
}

/// What became of a request.
#[derive(Debug)]
pub enum Reply {
    /// An answer, read to its end.
    Answer(Answer),
    /// No connection was made: nobody got any of it.
    NotSent,
    /// The connection broke, or patience ended.
    Broken,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body; null where it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether a deletion found nothing to delete.
    pub fn is_void(&self) -> bool {
        self.status == 200 && self.json()["message"] == "There was no authentication data to delete"
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// See the module.
pub struct Client {
    targets: Targets,
    connection: Option<(SocketAddr, TcpStream)>,
}

impl Client {
    pub fn new(targets: &Targets) -> Self {
        Self {
            targets: targets.clone(),
            connection: None,
        }
    }

    /// A client of this server alone.
    pub fn of(address: SocketAddr) -> Self {
        let targets = Targets::default();
        targets.set(&[address]);
        Self::new(&targets)
    }

    /// Goes to another connection, perhaps another server, with the next request.
    pub fn forget(&mut self) {
        self.connection = None;
    }

    /// Sends it once.
    pub async fn send(&mut self, request: &Request) -> Reply {
        let (address, mut stream) = match self.connection.take() {
            Some(kept) => kept,
            None => match connect(&self.targets).await {
                Some(made) => made,
                None => return Reply::NotSent,
            },
        };
        let bytes = request.bytes();
        let exchange = async {
            stream.write_all(&bytes).await.ok()?;
            read(&mut stream).await
        };
        match timeout(PATIENCE, exchange).await {
            Ok(Some((answer, stays))) => {
                if stays {
                    self.connection = Some((address, stream));
                }
                Reply::Answer(answer)
            }
            _ => Reply::Broken,
        }
    }
}

async fn connect(targets: &Targets) -> Option<(SocketAddr, TcpStream)> {
    let address = targets.pick()?;
    let made = timeout(Duration::from_secs(5), TcpStream::connect(address)).await;
    let stream = made.ok()?.ok()?;
    stream.set_nodelay(true).ok()?;
    Some((address, stream))
}

/// One whole answer, and whether the connection stays; nothing where it is broken off.
pub async fn read(stream: &mut TcpStream) -> Option<(Answer, bool)> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if let Some((mut answer, length, stays)) = head(&bytes) {
            while answer.body.len() < length {
                if stream.read_buf(&mut answer.body).await.ok()? == 0 {
                    return None;
                }
            }
            return (answer.body.len() == length).then_some((answer, stays));
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// The head, the begin of the body, the body's length, and whether the connection stays.
fn head(bytes: &[u8]) -> Option<(Answer, usize, bool)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(begin) = parsed.parse(bytes).unwrap() else {
        return None;
    };
    let header = |name: &str| {
        let found = parsed
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).into_owned())
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    assert!(
        header("transfer-encoding").is_none(),
        "answers have lengths"
    );
    let closes = header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let answer = Answer {
        status: parsed.code.unwrap(),
        retry_after: header("retry-after"),
        body: bytes[begin..].to_vec(),
    };
    Some((answer, length, !closes))
}
