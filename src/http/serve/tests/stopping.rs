use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;

use tokio::net::TcpListener;

use super::super::accept::{Source, run};
use super::*;

#[tokio::test]
async fn the_stop_finishes_what_is_running_and_closes_what_is_idle() {
    let mut server = Server::start(Limits {
        idle: Duration::from_secs(9),
        ..short()
    })
    .await;
    let running = server.client(|mut stream| {
        ask(
            &mut stream,
            "GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        )
    });
    let http2 = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let running2 = tokio::spawn(http2.get(format!("http://{}/slow", server.address)).send());
    let idle = server.client(|mut stream| {
        ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        std::thread::sleep(Duration::from_millis(200));
        until_closed(&mut stream)
    });
    sleep(Duration::from_millis(300)).await;
    server.stop();
    sleep(Duration::from_millis(200)).await;
    assert!(
        TcpStream::connect(server.address).is_err(),
        "still accepting"
    );
    within(idle.await.unwrap(), 0, 2_500);
    let text = running.await.unwrap();
    assert!(
        text.contains("connection: close") && text.ends_with("slow"),
        "{text}"
    );
    assert_eq!(
        running2.await.unwrap().unwrap().text().await.unwrap(),
        "slow"
    );
    server.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_stop_does_not_wait_for_ever() {
    let mut server = Server::start(Limits {
        stop: Duration::from_millis(300),
        ..short()
    })
    .await;
    let stuck = server.client(|mut stream| {
        stream
            .write_all(b"GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        until_closed(&mut stream)
    });
    sleep(Duration::from_millis(100)).await;
    server.stop();
    let error = server.ended.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "connections cut while still busy: 1");
    within(stuck.await.unwrap(), 200, 5_000);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let server = Server::start(Limits {
        connections: 2,
        ..short()
    })
    .await;
    let hold = |stream: &mut TcpStream| {
        ask(
            stream,
            "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        )
    };
    let first = [
        server.client(move |mut s| hold(&mut s)),
        server.client(move |mut s| hold(&mut s)),
    ];
    sleep(Duration::from_millis(200)).await;
    let took = server.client(|mut stream| {
        let began = std::time::Instant::now();
        assert!(ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("127.0.0.1"));
        began.elapsed()
    });
    within(took.await.unwrap(), 900, 5_000);
    for client in first {
        assert!(client.await.unwrap().ends_with("slow"));
    }
}

/// The first that waits has gone away meanwhile.
#[cfg(target_os = "linux")]
struct OneGone(TcpListener, std::sync::atomic::AtomicBool);

#[cfg(target_os = "linux")]
impl Source for OneGone {
    async fn accept(&self) -> io::Result<(tokio::net::TcpStream, SocketAddr)> {
        self.0.accept().await
    }

    fn waiting(&self) -> io::Result<(tokio::net::TcpStream, SocketAddr)> {
        if self.1.swap(false, std::sync::atomic::Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Source::waiting(&self.0)
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_the_kernel_has_accepted_before_the_stop_is_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();

    // The stop comes before tokio has had a chance to learn of the connection.
    let source = OneGone(listener, true.into());
    run(source, router(), std::future::ready(()), short())
        .await
        .unwrap();

    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("127.0.0.1"), "{answer:?}");
}

/// Too many open files, a few times over.
struct Exhausted(TcpListener, Mutex<VecDeque<i32>>);

impl Source for Exhausted {
    async fn accept(&self) -> io::Result<(tokio::net::TcpStream, SocketAddr)> {
        let failure = self.1.lock().unwrap().pop_front();
        match failure {
            Some(code) => Err(io::Error::from_raw_os_error(code)),
            None => self.0.accept().await,
        }
    }
}

#[tokio::test]
async fn failing_to_accept_is_survived() {
    const EMFILE: i32 = 24;
    const ECONNABORTED: i32 = 103;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let codes = [EMFILE, ECONNABORTED, EMFILE, EMFILE, EMFILE];
    let source = Exhausted(listener, Mutex::new(codes.into()));
    let began = std::time::Instant::now();
    let server = tokio::spawn(run(source, router(), std::future::pending(), short()));
    let url = format!("http://{address}/");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(
        client.get(url).send().await.unwrap().text().await.unwrap(),
        "127.0.0.1"
    );
    within(began.elapsed(), 250, 5_000);
    server.abort();
}

#[tokio::test]
async fn a_panic_ends_its_own_connection_only() {
    let server = Server::start(short()).await;
    let other = server.client(|mut stream| {
        ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        std::thread::sleep(Duration::from_millis(200));
        ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    });
    let own =
        server.client(|mut stream| ask(&mut stream, "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_eq!(own.await.unwrap(), "");
    assert!(other.await.unwrap().ends_with("127.0.0.1"));
}
