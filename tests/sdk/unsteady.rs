//! A server that is not there the first time: a proxy that answers 503 and `Retry-After` to each POST that it has not
//! seen before, and hands on everything else. (Freezing the real one would hold up its other clients too.)

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NOT_THERE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
    content-length: 32\r\nconnection: close\r\n\r\n{\"detail\":\"Service Unavailable\"}";

/// The proxy. It ends with the process.
pub struct Unsteady {
    address: SocketAddr,
    refused: Arc<Mutex<HashSet<Vec<u8>>>>,
}

impl Unsteady {
    /// One in front of this server.
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let refused = Arc::new(Mutex::new(HashSet::new()));
        let seen = Arc::clone(&refused);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || answer(client, server, &seen));
            }
        });
        Self { address, refused }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests were refused.
    pub fn refused(&self) -> usize {
        self.refused.lock().unwrap().len()
    }
}

/// One request of a connection, which ends with its answer.
fn answer(mut client: TcpStream, server: SocketAddr, seen: &Mutex<HashSet<Vec<u8>>>) {
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let Some((head, body)) = request(&mut client) else {
        return;
    };
    if head.starts_with("POST ") && seen.lock().unwrap().insert(body.clone()) {
        client.write_all(NOT_THERE).ok();
        return;
    }
    let (line, headers) = head.split_once("\r\n").unwrap();
    let kept: String = headers
        .split_inclusive("\r\n")
        .filter(|header| !header.to_ascii_lowercase().starts_with("connection:"))
        .collect();
    let mut upstream = TcpStream::connect(server).unwrap();
    let passed = format!("{line}\r\nconnection: close\r\n{kept}");
    upstream.write_all(passed.as_bytes()).unwrap();
    upstream.write_all(&body).unwrap();
    std::io::copy(&mut upstream, &mut client).ok();
}

/// The head, with its empty line, and the body; nothing where the client has gone.
fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    const END: &[u8] = b"\r\n\r\n";
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4_096];
        let read = client.read(&mut part).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
        let Some(end) = bytes.windows(END.len()).position(|window| window == END) else {
            continue;
        };
        let (head, body) = bytes.split_at(end + END.len());
        let head = String::from_utf8(head.to_vec()).unwrap();
        if body.len() >= content_length(&head) {
            let body = body.to_vec();
            return Some((head, body));
        }
    }
}

fn content_length(head: &str) -> usize {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap())
}
