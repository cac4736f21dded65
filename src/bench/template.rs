//! Requests rendered once; what differs from one to the next has a fixed width and is written over.

use super::ids::{self, Kind, Role};
use super::path::Path;
use super::world::{self, Row, World};

/// Characters of an API key.
const KEY: usize = 71;
/// Characters of a UUID.
const UUID: usize = 36;
/// Characters of Composio's id of an auth config.
const PUBLIC: usize = 15;

/// The bytes of a request, and where in them the parts lie that change.
#[derive(Debug, Clone)]
pub struct Template {
    path: Path,
    bytes: Vec<u8>,
    key: usize,
    id: usize,
    mark: Option<usize>,
}

/// Whom a request asks for what.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Whose key is sent.
    pub tenant: u32,
    /// Whose row is named: the same, but for the control.
    pub owner: u32,
    /// The number of the row: a connection's, or an auth config's.
    pub number: u64,
    /// What is written.
    pub generation: u32,
}

impl Target {
    /// One of the server's connections, in its own tenant's name.
    pub fn connection(row: Row, generation: u32) -> Self {
        Self {
            tenant: row.tenant,
            owner: row.tenant,
            number: row.number,
            generation,
        }
    }

    /// The auth config that the server changes on this path, in its own tenant's name.
    pub fn config(path: Path, tenant: u32) -> Self {
        let role = match path {
            Path::PatchLangdock => Role::Langdock,
            _ => Role::Composio,
        };
        Self {
            tenant,
            owner: tenant,
            number: ids::config(tenant, role),
            generation: 0,
        }
    }
}

impl Template {
    /// The request of a path, with blanks.
    pub fn of(path: Path) -> Self {
        let (key, id, public) = ("K".repeat(KEY), "I".repeat(UUID), "I".repeat(PUBLIC));
        let (line, header, body) = match path {
            Path::SetAuth => (
                "POST /mcp-server/instance/set-auth".to_owned(),
                format!("authorization: Bearer {key}"),
                format!(
                    r#"{{"instanceId":"{id}","authData":{}}}"#,
                    world::credential(0, 0)
                ),
            ),
            Path::HandOut | Path::HandOutBatched => (
                format!("GET /mcp-server/instance/{id}/auth"),
                format!("authorization: Bearer {key}"),
                String::new(),
            ),
            Path::PatchComposio => (
                format!("PATCH /api/v3/auth_configs/{public}"),
                format!("x-api-key: {key}"),
                format!(
                    r#"{{"type":"custom","credentials":{{"api_key":"{}"}}}}"#,
                    world::config_value(0)
                ),
            ),
            Path::PatchLangdock => (
                format!("PATCH /integrations/v1/{id}/auth"),
                format!("authorization: Bearer {key}"),
                concat!(
                    r#"{"authType":"API_KEY","authFields":[{"slug":"api_key","label":"API key","#,
                    r#""type":"PASSWORD","required":true}]}"#
                )
                .to_owned(),
            ),
        };
        let content = if body.is_empty() {
            String::new()
        } else {
            format!(
                "content-type: application/json\r\ncontent-length: {}\r\n",
                body.len()
            )
        };
        let text = format!("{line} HTTP/1.1\r\nhost: localhost\r\n{header}\r\n{content}\r\n{body}");
        let at = |part: &str| text.find(part);
        let (key, id) = (at(&key), at(&public));
        let mark = at(&world::mark(0, 0));
        Self {
            path,
            key: key.unwrap_or_default(),
            id: id.unwrap_or_default(),
            mark,
            bytes: text.into_bytes(),
        }
    }

    /// The bytes that ask for `target`.
    pub fn render(&mut self, world: &World, target: Target) -> &[u8] {
        self.write(self.key, world.key(target.tenant).as_bytes());
        if self.path == Path::PatchComposio {
            self.write(self.id, ids::public_config(target.number).as_bytes());
        } else {
            let mut text = uuid::Uuid::encode_buffer();
            let id = self.uuid(target).hyphenated().encode_lower(&mut text);
            let at = self.id;
            self.write(at, id.as_bytes());
        }
        if let Some(at) = self.mark {
            let mark = world::mark(target.number, target.generation);
            self.write(at, mark.as_bytes());
        }
        &self.bytes
    }

    fn uuid(&self, target: Target) -> uuid::Uuid {
        let kind = match self.path {
            Path::PatchLangdock => Kind::Integration,
            _ => Kind::Connection,
        };
        ids::uuid(kind, target.number)
    }

    fn write(&mut self, at: usize, part: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + part.len()) {
            place.copy_from_slice(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(path: Path, target: Target) -> String {
        let world = World::new(2, 2, vec!["a".repeat(KEY), "b".repeat(KEY)]);
        let mut template = Template::of(path);
        // Twice: what the first one wrote is gone.
        template.render(
            &world,
            Target {
                tenant: 1,
                ..target
            },
        );
        String::from_utf8(template.render(&world, target).to_vec()).unwrap()
    }

    #[test]
    fn a_request_names_its_key_its_row_and_what_it_writes() {
        let row = World::new(2, 2, Vec::new()).row(1);
        let text = rendered(Path::SetAuth, Target::connection(row, 9));
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("authorization: Bearer {}", "b".repeat(KEY))));
        assert!(head.contains(&format!("content-length: {}", body.len())));
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let id = ids::uuid(Kind::Connection, 2_000_001).to_string();
        let value = world::value(2_000_001, 9);
        assert_eq!(
            body,
            serde_json::json!({"instanceId": id, "authData": {"api_key": value}})
        );
    }

    #[test]
    fn every_path_has_all_its_parts() {
        for path in Path::ALL {
            let target = match path {
                Path::PatchComposio | Path::PatchLangdock => Target::config(path, 2),
                _ => Target::connection(World::new(2, 2, Vec::new()).row(1), 1),
            };
            let text = rendered(path, target);
            assert!(text.contains(&"b".repeat(KEY)), "{text}");
            assert!(!text.contains("KKK") && !text.contains("III"), "{text}");
            let id = match path {
                Path::PatchComposio => ids::public_config(22),
                Path::PatchLangdock => ids::uuid(Kind::Integration, 24).to_string(),
                _ => ids::uuid(Kind::Connection, 2_000_001).to_string(),
            };
            assert!(text.contains(&id), "{text}");
        }
    }
}
