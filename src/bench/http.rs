//! One keep-alive HTTP/1.1 connection, with no more work per request than a load generator can afford.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Room for an answer with its head.
const BUFFER: usize = 32 * 1024;
/// The most headers of an answer.
const HEADERS: usize = 32;

/// A connection, made when it is first needed and anew after it broke.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer: its status, and its body, which lies in the connection's buffer.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

/// Where the parts of an answer are.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    body: usize,
    length: usize,
    closes: bool,
}

impl Line {
    /// A line to a server; nothing is connected yet.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            buffer: vec![0; BUFFER],
        }
    }

    /// Connects, where it is not connected.
    pub async fn connect(&mut self) -> io::Result<()> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        Ok(())
    }

    /// Sends one request and reads its answer. After an error the next call connects anew.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.connect().await?;
        let broken = || io::Error::new(io::ErrorKind::NotConnected, "the connection is gone");
        // Taken out while it is used, so that a failure leaves none behind.
        let mut stream = self.stream.take().ok_or_else(broken)?;
        stream.write_all(request).await?;
        let mut filled = 0;
        let head = loop {
            let room = &mut self.buffer[filled..];
            if room.is_empty() {
                return Err(ill_formed("an answer is too long"));
            }
            let read = stream.read(room).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            if let Some(head) = parse(&self.buffer[..filled])?
                && filled >= head.body + head.length
            {
                break head;
            }
        };
        if !head.closes {
            self.stream = Some(stream);
        }
        Ok(Answer {
            status: head.status,
            body: &self.buffer[head.body..head.body + head.length],
        })
    }
}

fn ill_formed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The head of an answer, once it is whole. The server says the length of every answer.
fn parse(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let body = match response.parse(bytes) {
        Ok(httparse::Status::Complete(body)) => body,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(ill_formed("an answer is not HTTP")),
    };
    let (mut length, mut closes) = (None, false);
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let text = std::str::from_utf8(header.value).ok();
            length = text.and_then(|text| text.trim().parse().ok());
        } else if header.name.eq_ignore_ascii_case("connection") {
            closes = header.value.eq_ignore_ascii_case(b"close");
        }
    }
    Ok(Some(Head {
        status: response.code.unwrap_or_default(),
        body,
        length: length.ok_or_else(|| ill_formed("an answer does not say its length"))?,
        closes,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_length_is_there() {
        let text = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nconnection: close\r\n\r\n{}";
        let head = parse(text).unwrap().unwrap();
        assert_eq!((head.status, head.length, head.closes), (404, 2, true));
        assert_eq!(&text[head.body..], b"{}");
        assert_eq!(parse(&text[..30]).unwrap(), None);
    }

    #[test]
    fn an_answer_without_a_length_is_refused() {
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(parse(b"SSH-2.0-OpenSSH_9.2\r\n").is_err());
    }
}
