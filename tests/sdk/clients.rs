//! The clients, as processes of their own, in the environments that `make sdk` sets up in `target/sdk`.

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

/// Runs a client with these settings; a status that is not 0 fails the test with everything that it said.
pub fn run(language: Language, client: &str, settings: &[(&str, String)]) {
    let mut command = match language {
        Language::Python => {
            let mut command = Command::new(environment("python").join("bin/python"));
            // Nothing of the user's own Python, no bytecode in the checkout.
            command
                .args(["-I", "-B"])
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
    succeed(command.envs(settings.iter().map(|(name, value)| (name, value))));
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

fn tool(packages: &Path, script: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg(packages.join("node_modules").join(script))
        .current_dir(packages);
    command
}

fn succeed(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (said, warned) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{command:?}: {}\n{said}{warned}",
        output.status
    );
}
