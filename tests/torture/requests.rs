//! The requests of the load, each of which writes a number in every part that must move with it, and how the number is
//! found again.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Answer;
use crate::history::Seen;
use crate::ledger::{Attempt, Kind, Object};

/// A request, ready to be sent.
#[derive(Debug, Clone)]
pub struct Request {
    method: &'static str,
    path: String,
    /// The header that carries the key, with its value.
    key: String,
    id: Option<Uuid>,
    body: Option<Value>,
}

impl Request {
    /// A request without a key and an id, as to `/livez`.
    pub fn plain(path: &str) -> Self {
        Self {
            method: "GET",
            path: path.to_owned(),
            key: String::new(),
            id: None,
            body: None,
        }
    }

    fn of(method: &'static str, path: String, key: String, attempt: Attempt) -> Self {
        Self {
            method,
            path,
            key,
            id: Some(attempt.request),
            body: None,
        }
    }

    fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// As it goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let Self { method, path, .. } = self;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        if !self.key.is_empty() {
            head.extend([&self.key, "\r\n"]);
        }
        if let Some(id) = self.id {
            head.extend(["x-request-id: ", &id.to_string(), "\r\n"]);
        }
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        if self.body.is_some() {
            let length = body.len().to_string();
            head.extend([
                "content-type: application/json\r\ncontent-length: ",
                &length,
                "\r\n",
            ]);
        }
        head.extend(["\r\n", &body]);
        head.into_bytes()
    }
}

/// Who asks: builds the requests of one tenant.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The tenant's API key.
    pub key: String,
}

impl Caller {
    fn bearer(&self) -> String {
        format!("authorization: Bearer {}", self.key)
    }

    fn x_api_key(&self) -> String {
        format!("x-api-key: {}", self.key)
    }

    /// Writes the attempt's number to this object.
    pub fn write(&self, object: &Object, attempt: Attempt) -> Request {
        let number = attempt.number;
        match object.kind {
            Kind::Connection => self.set_auth(object, attempt).body(json!({
                "instanceId": object.id, "authData": { "data": credential(number) },
            })),
            Kind::Config => self.config(object, attempt).body(config(number)),
            Kind::Setting => self.setting(object, attempt).body(setting(number)),
        }
    }

    /// The same with a body that is refused, though its first part is in order.
    pub fn invalid(&self, object: &Object, attempt: Attempt) -> Request {
        let number = attempt.number;
        match object.kind {
            Kind::Connection => self.set_auth(object, attempt).body(json!({
                "instanceId": object.id, "authData": { "data": credential(number), "token": [number] },
            })),
            Kind::Config => {
                let mut body = config(number);
                body["is_enabled_for_tool_router"] = json!("neither");
                self.config(object, attempt).body(body)
            }
            Kind::Setting => {
                let mut body = setting(number);
                body["authFields"] = json!(number);
                self.setting(object, attempt).body(body)
            }
        }
    }

    /// Reads this object; a connection's read hands its credential out.
    pub fn read(&self, object: &Object, attempt: Attempt) -> Request {
        match object.kind {
            Kind::Connection => Request::of("GET", auth_path(object), self.bearer(), attempt),
            Kind::Config => {
                let path = format!("/api/v3/auth_configs/{}", object.id);
                Request::of("GET", path, self.x_api_key(), attempt)
            }
            Kind::Setting => {
                let path = format!("/integrations/v1/{}", object.id);
                Request::of("GET", path, self.bearer(), attempt)
            }
        }
    }

    /// Deletes a connection's credential.
    pub fn clear(&self, object: &Object, attempt: Attempt) -> Request {
        Request::of("DELETE", auth_path(object), self.bearer(), attempt)
    }

    /// Makes an auth config that holds the number.
    pub fn create_config(&self, attempt: Attempt) -> Request {
        let mut settings = config(attempt.number);
        settings["type"] = json!("use_custom_auth");
        settings["authScheme"] = json!("API_KEY");
        let path = "/api/v3/auth_configs".to_owned();
        Request::of("POST", path, self.x_api_key(), attempt)
            .body(json!({ "toolkit": { "slug": "openai" }, "auth_config": settings }))
    }

    /// The same with a body that is refused, though its first part is in order.
    pub fn create_invalid_config(&self, attempt: Attempt) -> Request {
        let mut request = self.create_config(attempt);
        if let Some(body) = &mut request.body {
            body["auth_config"]["is_enabled_for_tool_router"] = json!("neither");
        }
        request
    }

    /// Makes an instance of `service` without a credential, whose user is named by the number.
    pub fn create_instance(&self, service: &str, attempt: Attempt) -> Request {
        let path = "/mcp-server/instance/create".to_owned();
        let user = user(attempt.number);
        Request::of("POST", path, self.bearer(), attempt)
            .body(json!({ "serverName": service, "userId": user }))
    }

    /// Makes an integration.
    pub fn create_integration(&self, name: &str, attempt: Attempt) -> Request {
        let path = "/integrations/v1/create".to_owned();
        Request::of("POST", path, self.bearer(), attempt).body(json!({ "name": name }))
    }

    fn set_auth(&self, _: &Object, attempt: Attempt) -> Request {
        let path = "/mcp-server/instance/set-auth".to_owned();
        Request::of("POST", path, self.bearer(), attempt)
    }

    fn config(&self, object: &Object, attempt: Attempt) -> Request {
        let path = format!("/api/v3/auth_configs/{}", object.id);
        Request::of("PATCH", path, self.x_api_key(), attempt)
    }

    fn setting(&self, object: &Object, attempt: Attempt) -> Request {
        let path = format!("/integrations/v1/{}/auth", object.id);
        Request::of("PATCH", path, self.bearer(), attempt)
    }
}

fn auth_path(object: &Object) -> String {
    format!("/mcp-server/instance/{}/auth", object.id)
}

/// The user of the instance that the write with this number makes.
pub fn user(number: u64) -> String {
    format!("user {number}")
}

/// The name of the auth config that the write with this number makes.
pub fn name(number: u64) -> String {
    format!("n{number}")
}

/// About 300 bytes, which differ in each part from every other number's.
fn credential(number: u64) -> Value {
    let filler = format!("{number:016x}").repeat(16);
    json!({ "number": number, "filler": filler, "again": number.to_string() })
}

/// One part in the row, one in a list of the row, three in sealed cells of their own.
fn config(number: u64) -> Value {
    json!({
        "type": "custom",
        "name": name(number),
        "restrict_to_following_tools": [format!("T{number}")],
        "credentials": {
            "scopes": number.to_string(),
            "base_url": format!("https://example.com/{number}"),
            "api_key": secret(number),
        },
    })
}

/// Shown by its first four characters.
fn secret(number: u64) -> String {
    format!("{:04x}-of-a-secret", number % 0x1_0000)
}

fn setting(number: u64) -> Value {
    json!({
        "authType": "API_KEY",
        "authTestCode": format!("return {number};"),
        "authFields": [{ "slug": "key", "label": number.to_string(), "type": "PASSWORD", "required": false }],
    })
}

/// What an answer of 2xx or 404 to [`Caller::read`] shows.
pub fn seen(kind: Kind, answer: &Answer) -> Seen {
    if answer.status == 404 {
        return Seen::Gone;
    }
    let json = answer.json();
    let (number, whole) = match kind {
        Kind::Connection if json["success"] == json!(false) => return Seen::Nothing,
        Kind::Connection => {
            let shown = &json["authData"];
            let number = shown["number"].as_u64();
            (
                number,
                number.is_some_and(|number| *shown == credential(number)),
            )
        }
        Kind::Config => seen_config(&json),
        Kind::Setting => {
            let shown = &json["integration"];
            let number = shown["authFields"][0]["label"].as_str();
            let number = number.and_then(|text| text.parse().ok());
            let code = |number: u64| json!(format!("return {number};"));
            (
                number,
                number.is_some_and(|number| shown["authTestCode"] == code(number)),
            )
        }
    };
    match number {
        Some(number) if whole => Seen::Number(number),
        _ => Seen::Torn(answer.text()),
    }
}

fn seen_config(shown: &Value) -> (Option<u64>, bool) {
    let number = shown["credentials"]["scopes"].as_str();
    let Some(number) = number.and_then(|text| text.parse().ok()) else {
        return (None, false);
    };
    let expected = config(number);
    let masked = format!("{}...", &secret(number)[..4]);
    let whole = shown["name"] == expected["name"]
        && shown["restrict_to_following_tools"] == expected["restrict_to_following_tools"]
        && shown["credentials"]["base_url"] == expected["credentials"]["base_url"]
        && shown["credentials"]["api_key"] == json!(masked);
    (Some(number), whole)
}
