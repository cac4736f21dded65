//! A client of one dialect, and the answers of the server, all of them kept for the search for secrets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Method};
use serde_json::Value;

/// The way to one server, and what came back over it.
pub struct Line {
    address: SocketAddr,
    http: reqwest::Client,
    answers: Mutex<Vec<String>>,
    keys: Mutex<Vec<String>>,
}

impl Line {
    pub fn new(address: SocketAddr) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        let http = http.timeout(Duration::from_mins(1));
        Self {
            address,
            http: http.build().unwrap(),
            answers: Mutex::default(),
            keys: Mutex::default(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Headers and bodies of every answer that was not an authorised hand-out.
    pub fn answers(&self) -> Vec<String> {
        self.answers.lock().unwrap().clone()
    }

    /// The secret parts of the API keys that were used, which no answer and no log may show.
    pub fn keys(&self) -> Vec<String> {
        self.keys.lock().unwrap().clone()
    }

    pub fn keep_secret(&self, key: &str) {
        let secret = key.split('_').nth(3).unwrap();
        self.keys.lock().unwrap().push(secret.to_owned());
    }
}

/// A header that carries an API key.
#[derive(Clone)]
pub struct Key(HeaderName, HeaderValue);

impl Key {
    pub fn of(header: &'static str, value: &str) -> Self {
        Self(
            HeaderName::from_static(header),
            HeaderValue::from_str(value).unwrap(),
        )
    }
}

/// Sends requests with the key in the header of one dialect. Paths are whole paths.
#[derive(Clone)]
pub struct Client {
    line: Arc<Line>,
    key: Option<Key>,
}

impl Client {
    pub fn new(line: Arc<Line>, key: Option<Key>) -> Self {
        Self { line, key }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.request(Method::GET, path).send().await
    }

    pub async fn post(&self, path: &str, json: Value) -> Reply {
        self.request(Method::POST, path).json(json).send().await
    }

    pub async fn patch(&self, path: &str, json: Value) -> Reply {
        self.request(Method::PATCH, path).json(json).send().await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.request(Method::DELETE, path).send().await
    }

    pub fn request(&self, method: Method, path: &str) -> Request {
        let hands_out = method == Method::GET && is_hand_out(path);
        let url = format!("{}{path}", self.line.url());
        let http = self.line.http.request(method, url);
        Request {
            http,
            key: self.key.clone(),
            hands_out,
            line: Arc::clone(&self.line),
        }
    }
}

/// The routes that hand out a credential: Klavis' get-auth of an instance, of a user and of a strata, and Composio's
/// connected account, to a key that reads credentials. With 200 they may show a planted secret.
fn is_hand_out(path: &str) -> bool {
    let steps: Vec<&str> = path.split('/').collect();
    matches!(
        steps[..],
        ["", "mcp-server", "instance", _, "auth"]
            | ["", "mcp-server", "strata", _, "auth", _]
            | ["", "user", _, "auth", _]
            | ["", "api", "v3" | "v3.1", "connected_accounts", _]
    )
}

/// A request on its way.
pub struct Request {
    http: reqwest::RequestBuilder,
    key: Option<Key>,
    hands_out: bool,
    line: Arc<Line>,
}

impl Request {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.http = self.http.header(name, value);
        self
    }

    pub fn body(mut self, bytes: impl Into<Body>) -> Self {
        self.http = self.http.body(bytes);
        self
    }

    /// The value as body, as `application/json`.
    pub fn json(mut self, value: impl std::borrow::Borrow<Value>) -> Self {
        let text = value.borrow().to_string();
        self.http = self
            .http
            .header(CONTENT_TYPE, "application/json")
            .body(text);
        self
    }

    pub fn no_auth(mut self) -> Self {
        self.key = None;
        self
    }

    pub async fn send(self) -> Reply {
        let request = match self.key {
            Some(Key(name, value)) => self.http.header(name, value),
            None => self.http,
        };
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        if !(self.hands_out && status == 200) {
            self.line
                .answers
                .lock()
                .unwrap()
                .push(format!("{headers:?}\n{text}"));
        }
        Reply {
            status,
            headers,
            json: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }
}

/// An answer; `json` is null where the body is no JSON.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Value,
    pub text: String,
}

impl Reply {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}
