//! Every promise of the serving, over real sockets.

mod answers;
mod stopping;
mod time;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use http::StatusCode;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{BodyFault, Limits, read_body, serve};

/// Bounds that a test can wait for, in the proportions of the real ones.
fn short() -> Limits {
    Limits {
        first_byte: Duration::from_millis(300),
        headers: Duration::from_millis(300),
        idle: Duration::from_millis(900),
        linger: Duration::from_millis(300),
        stop: Duration::from_secs(3),
        ..Limits::default()
    }
}

struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { stopped.await.unwrap_or_default() };
        let ended = tokio::spawn(serve(listener, router(), shutdown, limits));
        Self {
            address,
            stop: Some(stop),
            ended,
        }
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// A client in a thread of its own, as blocking as clients are.
    fn client<T: Send + 'static>(
        &self,
        talk: impl FnOnce(TcpStream) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let address = self.address;
        tokio::task::spawn_blocking(move || {
            let stream = TcpStream::connect(address).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(10)))
                .unwrap();
            stream
                .set_write_timeout(Some(Duration::from_secs(10)))
                .unwrap();
            talk(stream)
        })
    }
}

fn router() -> Router {
    Router::new()
        .route(
            "/",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }),
        )
        .route(
            "/slow",
            get(|| async {
                sleep(Duration::from_millis(1_500)).await;
                "slow"
            }),
        )
        .route(
            "/stuck",
            get(|| async { sleep(Duration::from_mins(10)).await }),
        )
        .route(
            "/panic",
            get(async || -> &'static str { panic!("on purpose") }),
        )
        .route("/large", get(|| async { vec![b'x'; 32 * 1024 * 1024] }))
        .route(
            "/refused",
            post(|| async { (StatusCode::UNAUTHORIZED, "refused") }),
        )
        .route(
            "/read",
            post(|body: Body| async {
                match read_body(body, 256 * 1024, Duration::from_millis(400)).await {
                    Ok(bytes) => (StatusCode::OK, bytes.len().to_string()),
                    Err(BodyFault::TooLarge) => (StatusCode::PAYLOAD_TOO_LARGE, String::new()),
                    Err(BodyFault::TimedOut) => (StatusCode::REQUEST_TIMEOUT, String::new()),
                    Err(BodyFault::Broken) => (StatusCode::BAD_REQUEST, String::new()),
                }
            }),
        )
}

/// Sends what is given and reads one answer, head and body.
fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    answer(stream)
}

fn answer(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (String::new(), [0]);
    let mut read = |text: &mut String| {
        let length = stream.read(&mut byte).unwrap_or_default();
        text.push_str(&String::from_utf8_lossy(&byte[..length]));
        length == 1
    };
    while !text.ends_with("\r\n\r\n") && read(&mut text) {}
    let field = |line: &str| {
        line.strip_prefix("content-length: ")
            .map(str::parse::<usize>)
    };
    let length = text.lines().find_map(field).map_or(0, Result::unwrap);
    for _ in 0..length {
        read(&mut text);
    }
    text
}

/// Waits for the other side's end and tells how long it took. What comes before it is dropped.
fn until_closed(stream: &mut TcpStream) -> Duration {
    let began = std::time::Instant::now();
    let mut waste = [0; 4096];
    while stream.read(&mut waste).is_ok_and(|length| length > 0) {}
    began.elapsed()
}

fn within(took: Duration, from: u64, to: u64) {
    let range = Duration::from_millis(from)..Duration::from_millis(to);
    assert!(range.contains(&took), "took {took:?}, expected {range:?}");
}
