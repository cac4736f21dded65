use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::catalogue::Catalogue;

/// A directory of its own with a secret file, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("keyway-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path).expect("a writable temporary directory");
        let scratch = Self(path);
        scratch.write("secret", b"CANARY-secret\n", 0o400);
        scratch
    }

    fn write(&self, name: &str, content: &[u8], mode: u32) -> PathBuf {
        let path = self.0.join(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, content).expect("writable");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("own file");
        path
    }

    /// The apps of a file with this content.
    fn apps(&self, content: impl AsRef<[u8]>) -> Result<ManagedApps, String> {
        let path = self.write("apps.toml", content.as_ref(), 0o644);
        read(&path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn read(path: &Path) -> Result<ManagedApps, String> {
    let text = text_of(path)?;
    let read = Document { path, text: &text }.read();
    read.map_err(|error| error.to_string())
}

/// One app, with other or further lines in the place of `with`'s.
fn one(with: &[(&str, &str)]) -> String {
    let mut lines = vec![
        ("slug", r#""github""#),
        ("client_id", r#""CANARY-id""#),
        ("client_secret_file", r#""secret""#),
    ];
    for (name, value) in with {
        lines.retain(|(known, _)| known != name);
        lines.push((name, value));
    }
    let lines = lines
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name} = {value}\n"));
    format!("[[apps]]\n{}", lines.collect::<String>())
}

#[test]
fn apps_are_read_with_their_secrets() {
    let scratch = Scratch::new();
    let absolute = scratch.0.join("secret");
    let second = one(&[
        ("slug", r#""Google Calendar""#),
        ("client_secret_file", &format!("{absolute:?}")),
        ("scopes", r#"["a", "https://b.example/c"]"#),
    ]);
    let apps = scratch.apps(format!("# ours\n{}\n{second}", one(&[])));
    let apps = apps.expect("two good apps");
    assert_eq!(
        apps.slugs().collect::<Vec<_>>(),
        ["github", "google-calendar"]
    );
    let of = |name| {
        let entry = Catalogue::built_in().find_name(name).expect("known");
        apps.of(entry).expect("it has an app")
    };
    assert_eq!(of("github").client_id, "CANARY-id");
    assert!(of("github").client_secret.same_as(r#""CANARY-secret""#));
    assert!(of("github").scopes.is_empty());
    assert_eq!(of("googlecalendar").scopes, ["a", "https://b.example/c"]);
    assert_eq!(
        scratch
            .apps("# none yet\n")
            .expect("no app")
            .slugs()
            .count(),
        0
    );
}

/// The file is refused at this line, in these words, and without a value.
fn assert_refused(scratch: &Scratch, content: &str, line: usize, said: &str) {
    let error = scratch.apps(content).expect_err(content);
    let path = scratch.0.join("apps.toml");
    let place = format!(
        "KEYWAY_MANAGED_APPS_FILE: {}, line {line}: ",
        path.display()
    );
    assert!(error.starts_with(&place), "{error}: {content}");
    assert!(error.contains(said), "{error}: {content}");
    assert!(!error.contains("CANARY"), "{error}: {content}");
}

#[test]
fn a_document_of_another_form_is_refused_at_its_line() {
    let scratch = Scratch::new();
    let begin = "begin each with [[apps]]";
    for (content, line, said) in [
        ("CANARY", 1, "this is not TOML"),
        ("\n\napps = \"CANARY", 3, "this is not TOML"),
        ("apps = []\napps = \"CANARY\"", 2, "duplicate key"),
        ("secret = \"CANARY\"", 1, "[[apps]] tables and nothing else"),
        ("apps = \"CANARY\"", 1, begin),
        ("\napps = [\"CANARY\"]", 2, begin),
        ("[apps]\nslug = \"CANARY\"", 1, begin),
    ] {
        assert_refused(&scratch, content, line, said);
    }
}

#[test]
fn every_fault_of_an_app_is_told_at_its_line() {
    let scratch = Scratch::new();
    let long = format!("\"{}\"", "CANARY".repeat(200));
    let many = format!("[{}]", "\"CANARY\",".repeat(201));
    let keys = "an app has slug, client_id, client_secret_file, scopes";
    for (name, value, line, said) in [
        ("client_secret", "\"CANARY\"", 5, keys),
        ("slug", "", 1, "no slug"),
        ("client_id", "", 1, "no client_id"),
        ("client_secret_file", "", 1, "no client_secret_file"),
        ("slug", "\"CANARY-none\"", 4, "GET /api/v3/toolkits"),
        ("slug", "\"openai\"", 4, "no OAuth 2"),
        ("client_id", "\"\"", 4, "a text of 1 to 1000 bytes"),
        ("client_id", "\" CANARY\"", 4, "without white space around"),
        ("client_id", &long, 4, "client_id must be"),
        ("client_id", "[\"CANARY\"]", 4, "client_id must be"),
        ("client_id", "\"CANARY\\u0000\"", 4, "client_id must be"),
        ("client_secret_file", "\"\"", 4, "secret_file must be"),
        // Not even the path: it may be the secret itself.
        ("client_secret_file", "\"CANARY\"", 4, "opening the secret"),
        (
            "client_secret_file",
            "\"/CANARY/secret\"",
            4,
            "client_secret_file: ",
        ),
        ("client_secret_file", "\".\"", 4, "name the file that holds"),
        ("scopes", "\"CANARY\"", 5, "scopes must be a list"),
        ("scopes", "[1]", 5, "scopes must be a list"),
        ("scopes", "[\"CANARY CANARY\"]", 5, "one scope each"),
        ("scopes", &many, 5, "at most 200"),
    ] {
        assert_refused(&scratch, &one(&[(name, value)]), line, said);
    }
    let twice = format!("{}{}", one(&[]), one(&[("slug", "\"GitHub\"")]));
    assert_refused(&scratch, &twice, 5, "keep one of the two");
}

#[test]
fn a_secret_file_must_be_its_owners_and_hold_something() {
    let scratch = Scratch::new();
    scratch.write("secret", b"CANARY-secret", 0o440);
    let error = scratch.apps(one(&[])).expect_err("others can read it");
    assert!(error.contains("line 4: "), "{error}");
    assert!(error.contains("run `chmod 0400` on it"), "{error}");
    scratch.write("secret", b"\n", 0o400);
    let error = scratch.apps(one(&[])).expect_err("nothing in it");
    assert!(error.contains("is empty"), "{error}");
}

#[test]
fn what_is_no_file_of_text_is_refused() {
    let scratch = Scratch::new();
    assert!(scratch.apps([0xff]).expect_err("no text").contains("UTF-8"));
    let large = vec![b'#'; 256 * 1_024 + 1];
    assert!(scratch.apps(large).expect_err("large").contains("256 KiB"));
    assert!(
        read(&scratch.0)
            .expect_err("a directory")
            .contains("regular file")
    );
    let absent = read(&scratch.0.join("absent")).expect_err("none");
    assert!(absent.contains("cannot be read: No such file"), "{absent}");
}
