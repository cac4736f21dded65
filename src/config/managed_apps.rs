//! The file of the operator's shared OAuth apps. Whatever is wrong with it stops the start; a message names the file,
//! the line and the remedy, and never repeats a value: a secret may have been put there by mistake.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, ServeSettings};
use crate::crypto::Secret;
use crate::domain::managed_apps::{ManagedApp, ManagedApps, Unfit};

/// More than one app for every service there is.
const LARGEST: u64 = 256 * 1_024;
/// The longest client id and the longest scope, in bytes.
const LONGEST: usize = 1_000;
/// The largest number of scopes of one app.
const MOST_SCOPES: usize = 200;
/// What an app has.
const KEYS: [&str; 4] = ["slug", "client_id", "client_secret_file", "scopes"];

impl ServeSettings {
    /// The operator's shared OAuth apps with their secrets; none without `KEYWAY_MANAGED_APPS_FILE`.
    pub fn managed_apps(&self) -> Result<ManagedApps, ConfigError> {
        let Some(path) = &self.managed_apps_file else {
            return Ok(ManagedApps::default());
        };
        let text = text_of(path).map_err(|what| ConfigError::ManagedApps {
            place: path.display().to_string(),
            what,
        })?;
        Document { path, text: &text }.read()
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    let read = || {
        let file = File::open(path)?;
        let facts = file.metadata()?;
        let mut content = Vec::new();
        if facts.is_file() && facts.len() <= LARGEST {
            file.take(LARGEST).read_to_end(&mut content)?;
            return Ok(Some(content));
        }
        Ok::<_, std::io::Error>(None)
    };
    match read() {
        Ok(Some(content)) => String::from_utf8(content)
            .map_err(|_| "is not UTF-8 text: write it anew as TOML".to_owned()),
        Ok(None) => Err(
            "is not a regular file of at most 256 KiB: name the TOML file of the apps".to_owned(),
        ),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// The file as it is read.
struct Document<'a> {
    path: &'a Path,
    text: &'a str,
}

type Value<'a> = Spanned<DeValue<'a>>;

impl Document<'_> {
    fn read(&self) -> Result<ManagedApps, ConfigError> {
        let document = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            // The parser's own words are of TOML's grammar; its display would repeat the line.
            self.wrong(at, format!("this is not TOML: {}", error.message()))
        })?;
        let mut apps = ManagedApps::default();
        for (key, value) in document.get_ref() {
            if key.get_ref() != "apps" {
                let what = "an unknown key: the file has [[apps]] tables and nothing else";
                return Err(self.wrong(key.span().start, what));
            }
            let tables = value.get_ref().as_array();
            let tables =
                tables.filter(|tables| tables.iter().all(|each| each.get_ref().is_table()));
            let tables = tables.ok_or_else(|| {
                self.wrong(
                    value.span().start,
                    "apps must be tables: begin each with [[apps]]",
                )
            })?;
            for table in tables {
                self.add(table, &mut apps)?;
            }
        }
        Ok(apps)
    }

    /// What is wrong at a byte of the file.
    fn wrong(&self, at: usize, what: impl Into<String>) -> ConfigError {
        let before = self.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        ConfigError::ManagedApps {
            place: format!("{}, line {line}", self.path.display()),
            what: what.into(),
        }
    }

    fn add(&self, table: &Value<'_>, apps: &mut ManagedApps) -> Result<(), ConfigError> {
        let begin = table.span().start;
        for (key, _) in table.get_ref().as_table().into_iter().flatten() {
            if !KEYS.contains(&key.get_ref().as_ref()) {
                let what = format!("an unknown key: an app has {}", KEYS.join(", "));
                return Err(self.wrong(key.span().start, what));
            }
        }
        let (slug, slug_at) = self.text_member(table, "slug")?;
        let (client_id, _) = self.text_member(table, "client_id")?;
        let (secret_file, secret_at) = self.text_member(table, "client_secret_file")?;
        let scopes = self.scopes(table)?;
        let secret_file = self.beside(secret_file);
        let client_secret = Secret::from_file(secret_file)
            .map_err(|error| self.wrong(secret_at, format!("client_secret_file: {error}")))?;
        let app = ManagedApp {
            client_id: client_id.to_owned(),
            client_secret,
            scopes,
        };
        apps.add(slug, app).map_err(|unfit| match unfit {
            Unfit::UnknownService => self.wrong(
                slug_at,
                "no service of the catalogue has this slug: GET /api/v3/toolkits lists them",
            ),
            Unfit::NoOAuth2 => self.wrong(
                slug_at,
                "the catalogue knows no OAuth 2 of this service, so an app cannot be shared: remove this [[apps]]",
            ),
            Unfit::Twice => self.wrong(
                begin,
                "the service has an app already, maybe under another name: keep one of the two",
            ),
        })
    }

    /// A required text without white space around it or control characters in it, and where it stands.
    fn text_member<'t>(
        &self,
        table: &'t Value<'_>,
        name: &str,
    ) -> Result<(&'t str, usize), ConfigError> {
        let Some(value) = table.get_ref().get(name) else {
            let what = format!("this app has no {name}: add it");
            return Err(self.wrong(table.span().start, what));
        };
        let at = value.span().start;
        match value.get_ref().as_str() {
            Some(text) if is_plain(text) => Ok((text, at)),
            _ => {
                let what = format!(
                    "{name} must be a text of 1 to {LONGEST} bytes, without white space around it"
                );
                Err(self.wrong(at, what))
            }
        }
    }

    fn scopes(&self, table: &Value<'_>) -> Result<Vec<String>, ConfigError> {
        let Some(value) = table.get_ref().get("scopes") else {
            return Ok(Vec::new());
        };
        let what = || {
            let what = format!(
                "scopes must be a list of at most {MOST_SCOPES} texts, one scope each, such as [\"repo\", \"user\"]"
            );
            self.wrong(value.span().start, what)
        };
        let list = value.get_ref().as_array().ok_or_else(what)?;
        if list.len() > MOST_SCOPES {
            return Err(what());
        }
        let scope = |scope: &Value<'_>| {
            let text = scope.get_ref().as_str();
            let text = text.filter(|text| is_plain(text) && !text.contains(char::is_whitespace));
            text.map(str::to_owned).ok_or_else(what)
        };
        list.iter().map(scope).collect()
    }

    /// A path that the file names: relative ones begin at the file's own directory.
    fn beside(&self, named: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(named)
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST
        && text.trim() == text
        && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests;
