//! Rust files as text without comments and literals, so that only code is found in them.

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
pub struct Source {
    /// From the root of the repository.
    pub path: PathBuf,
    /// The code: comments gone, literals empty.
    pub text: String,
    /// Lines of the file as it stands.
    pub lines: usize,
}

impl Source {
    pub fn is_under(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// Whether the file holds nothing but tests.
    pub fn is_test(&self) -> bool {
        self.path
            .iter()
            .any(|part| part == "tests" || part == "tests.rs")
    }

    /// Whether a path of the code goes through the module or crate `name`: `name::…`, `…::name`, `use name`.
    pub fn uses(&self, name: &str) -> bool {
        self.text.match_indices(name).any(|(at, _)| {
            let (before, after) = (&self.text[..at], &self.text[at + name.len()..]);
            let part_of_a_word = before.ends_with(is_word) || after.starts_with(is_word);
            let in_a_path =
                after.starts_with("::") || before.ends_with("::") || before.ends_with("use ");
            !part_of_a_word && in_a_path
        })
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Every Rust file under `folder`.
pub fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(root, Path::new(folder), &mut found);
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(entry.path()).unwrap();
            found.push(Source {
                path,
                lines: text.lines().count(),
                text: code(&text),
            });
        }
    }
}

/// `text` without comments, and with every string and character literal emptied.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let skipped = literal_or_comment(rest, code.ends_with(is_word));
        if skipped > 0 {
            code.push(' ');
            rest = &rest[skipped..];
        } else {
            code.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    code
}

/// The length of the comment or literal that `text` begins with; 0 where it begins with neither.
fn literal_or_comment(text: &str, within_word: bool) -> usize {
    let until = |end: &str, from: usize| {
        text[from..]
            .find(end)
            .map_or(text.len(), |at| from + at + end.len())
    };
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return until("*/", 2);
    }
    if text.starts_with('"') {
        return quoted(text, '"');
    }
    if !within_word && text.starts_with('r') {
        let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
        if text[1 + hashes..].starts_with('"') {
            return until(&format!("\"{}", "#".repeat(hashes)), 2 + hashes);
        }
    }
    let mut characters = text.chars();
    match (characters.next(), characters.next(), characters.next()) {
        (Some('\''), Some('\\'), _) => quoted(text, '\''),
        (Some('\''), Some(one), Some('\'')) => 2 + one.len_utf8(),
        _ => 0,
    }
}

/// The length of a literal in `quote`s, with escapes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[test]
fn only_code_is_left() {
    let text = "use a::b; // sqlx::x\nlet x = \"sqlx::\\\"y\"; /* sqlx::z */ r#\"sqlx::\"#; '\\''; 'q'; fn f<'a>() {}";
    assert!(!code(text).contains("sqlx"));
    assert!(code(text).contains("fn f<'a>() {}"));
}
