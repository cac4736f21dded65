//! The clients, as processes of their own, in the environments that `make sdk` sets up in `target/sdk`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::checkout;

/// What a client is written in.
#[derive(Clone, Copy)]
pub enum Language {
    /// A script of `tests/sdk/python`.
    Python,
    /// A module of `tests/sdk/node/src`, with types that are generated from an `OpenAPI` document if it needs them.
    TypeScript { document: Option<&'static str> },
}

/// Runs a client with these settings and gives what it printed; a status that is not 0 fails the test with everything
/// that it said.
pub fn run(language: Language, client: &str, settings: &[(impl AsRef<OsStr>, String)]) -> String {
    let mut command = match language {
        Language::Python => {
            let mut command = Command::new(environment("python").join("bin/python"));
            // Nothing of the user's own Python (but for `-I`, with the modules beside the script), no bytecode in the
            // checkout.
            command
                .args(["-E", "-s", "-B"])
                .arg(checkout("tests/sdk/python").join(client));
            command
        }
        Language::TypeScript { document } => {
            let mut command = Command::new("node");
            command.arg(built(client, document));
            command
        }
    };
    // A proxy of the user's is not asked for a server on this machine.
    command
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    succeed(command.envs(settings.iter().map(|(name, value)| (name, value))))
}

fn environment(name: &str) -> PathBuf {
    let directory = checkout("target/sdk").join(name);
    let ready = directory.join("ready").exists();
    assert!(
        ready,
        "{} is not set up: run `make test`, which does it",
        directory.display()
    );
    directory
}

/// The client's JavaScript: its types generated, then checked and compiled by `tsc --strict`, in a directory of its
/// own beside the packages.
fn built(client: &str, document: Option<&str>) -> PathBuf {
    let packages = environment("node");
    let directory = packages.join(client);
    if directory.exists() {
        std::fs::remove_dir_all(&directory).unwrap();
    }
    std::fs::create_dir_all(&directory).unwrap();
    let source = checkout("tests/sdk/node");
    let module = format!("{client}.ts");
    for file in ["tsconfig.json", "src/settings.ts", &format!("src/{module}")] {
        let file = source.join(file);
        std::fs::copy(&file, directory.join(file.file_name().unwrap())).unwrap();
    }
    copy_parts(&source.join("src").join(client), &directory.join(client));
    std::fs::write(directory.join("package.json"), r#"{ "type": "module" }"#).unwrap();
    if let Some(document) = document {
        let mut generator = tool(&packages, "openapi-typescript/bin/cli.js");
        succeed(
            generator
                .arg(checkout(document))
                // A member with a default may be left out of a request.
                .args(["--default-non-nullable", "false"])
                .arg("--output")
                .arg(directory.join("schema.ts")),
        );
    }
    succeed(
        tool(&packages, "typescript/bin/tsc")
            .arg("--project")
            .arg(&directory),
    );
    directory.join("built").join(format!("{client}.js"))
}

/// The modules of a client that has more than one, in a directory of its name.
fn copy_parts(from: &Path, to: &Path) {
    if !from.exists() {
        return;
    }
    std::fs::create_dir(to).unwrap();
    for part in std::fs::read_dir(from).unwrap() {
        let part = part.unwrap();
        std::fs::copy(part.path(), to.join(part.file_name())).unwrap();
    }
}

fn tool(packages: &Path, script: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg(packages.join("node_modules").join(script))
        .current_dir(packages);
    command
}

/// What it printed. Its environment, which holds keys, is not told when it fails.
fn succeed(command: &mut Command) -> String {
    let asked = std::iter::once(command.get_program()).chain(command.get_args());
    let asked = asked.collect::<Vec<_>>().join(OsStr::new(" "));
    let asked = asked.display();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{asked}: {error}"));
    let (said, warned) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{asked}: {}\n{said}{warned}",
        output.status
    );
    said.into_owned()
}
