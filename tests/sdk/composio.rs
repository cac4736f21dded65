//! What the server and its database show of the published Composio clients' stories.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::Value;

use super::clients::{Language, run};
use super::database::Database;
use super::program::Server;
use super::unsteady::Unsteady;

/// A rate that a story meets at once, and that lets it go on after four seconds.
const RATE: &str = "15/m";

/// The operator's OAuth app of one service, in a file of its own that goes with it.
struct ManagedApp {
    place: PathBuf,
}

impl ManagedApp {
    fn new(secret: &str) -> Self {
        let name = format!("keyway-sdk-app-{}", uuid::Uuid::new_v4());
        let place = std::env::temp_dir().join(name);
        std::fs::create_dir(&place).unwrap();
        let app = Self { place };
        let secret_file = app.place.join("secret");
        let apps = format!(
            "[[apps]]\nslug = \"linear\"\nclient_id = {secret:?}\nclient_secret_file = \"{}\"\n",
            secret_file.display()
        );
        for (file, text) in [(secret_file, secret), (app.file(), &apps)] {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        }
        app
    }

    fn file(&self) -> PathBuf {
        self.place.join("apps.toml")
    }
}

impl Drop for ManagedApp {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.place).ok();
    }
}

/// A whole story. Afterwards the audit log holds what the client did, what it deleted is gone, and neither the server's
/// log nor what the client said holds a secret.
pub fn lives(language: Language, client: &str) {
    let canary = format!("CANARY-{}", uuid::Uuid::new_v4());
    let app = ManagedApp::new(&format!("{canary}-app"));
    let file = app.file();
    let server = Server::start(&[
        ("KEYWAY_LOG", "json,trace"),
        ("KEYWAY_MANAGED_APPS_FILE", file.to_str().unwrap()),
    ]);
    let (ours, theirs) = (server.tenant("ours"), server.tenant("theirs"));
    let settings = [
        ("KEYWAY_URL", server.url()),
        ("KEYWAY_KEY", server.key(&ours, &[])),
        (
            "KEYWAY_READING_KEY",
            server.key(&ours, &["auth_configs:read", "connections:read"]),
        ),
        (
            "KEYWAY_POWERLESS_KEY",
            server.key(&ours, &["INTEGRATION_API"]),
        ),
        ("KEYWAY_FOREIGN_KEY", server.key(&theirs, &[])),
        ("KEYWAY_CANARY", canary),
    ];
    let said = run(language, client, &settings);
    let told: Value = serde_json::from_str(&said).unwrap();
    let told: BTreeMap<String, i64> = serde_json::from_value(told["audited"].clone()).unwrap();

    let mut database = Database::of(&server);
    assert_eq!(
        database.audit_log(&ours),
        told,
        "every change and every hand-out is in the audit log"
    );
    assert!(told["connection.hand_out"] >= 10, "{told:?}");
    assert_eq!(database.audit_log(&theirs), BTreeMap::new());
    for tenant in [&ours, &theirs] {
        assert_eq!(
            database.kept_of_connections(tenant),
            Vec::<String>::new(),
            "what was deleted left something"
        );
    }
    let log = server.log();
    assert!(log.contains("\"answered\""), "the log was written");
    for (place, text) in [("log", log), ("client", said)] {
        for secret in settings.iter().filter(|(name, _)| *name != "KEYWAY_URL") {
            assert!(!text.contains(&secret.1), "{}: {}", place, secret.0);
        }
    }
}

/// Clients that ask too much, each with a key of its own (`KEYWAY_<name>_KEY`), that meet a conflict which they must not
/// repeat, and a server which is not there the first time. What they repeat is seen by the server.
pub fn repeats(language: Language, client: &str, names: &[&str]) {
    let server = Server::start(&[("KEYWAY_LOG", "json,info"), ("KEYWAY_RATE_LIMIT_KEY", RATE)]);
    let unsteady = Unsteady::before(server.address());
    let tenant = server.tenant("ours");
    let mut settings = vec![
        ("KEYWAY_URL".to_owned(), server.url()),
        ("KEYWAY_UNSTEADY_URL".to_owned(), unsteady.url()),
        ("KEYWAY_KEY".to_owned(), server.key(&tenant, &[])),
    ];
    for name in names {
        settings.push((format!("KEYWAY_{name}_KEY"), server.key(&tenant, &[])));
        settings.push((
            format!("KEYWAY_{name}_STEADY_KEY"),
            server.key(&tenant, &[]),
        ));
    }
    run(language, client, &settings);

    // Of each key: one request beyond its rate that is not repeated, then one that is, until it is answered.
    let asked = server.answered("GET", "/api/v3.1/toolkits/categories");
    let (enough, limited) = asked
        .iter()
        .partition::<Vec<u64>, _>(|status| **status == 200);
    assert!(enough.len() >= 15 * names.len(), "{asked:?}");
    assert_eq!(limited, vec![429; names.len()], "{asked:?}");
    let listed = server.answered("GET", "/api/v3.1/auth_configs");
    let ends = listed.split_inclusive(|status| *status == 200);
    assert_eq!(ends.clone().count(), names.len(), "{listed:?}");
    for repeated in ends {
        let (last, refused) = repeated.split_last().unwrap();
        assert_eq!(*last, 200, "{listed:?}");
        assert!(!refused.is_empty(), "{listed:?}");
        assert!(refused.iter().all(|status| *status == 429), "{listed:?}");
    }

    // A conflict is told once.
    let refreshed = server.answered("POST", "/api/v3.1/connected_accounts/{nanoid}/refresh");
    assert_eq!(refreshed, vec![409; names.len()]);
    // What was not there refused each write once; the repeat was the only one that the server saw.
    for route in ["/api/v3.1/auth_configs", "/api/v3.1/connected_accounts"] {
        assert_eq!(
            server.answered("POST", route),
            vec![201; names.len()],
            "{route}"
        );
    }
    assert_eq!(unsteady.refused(), 2 * names.len());
    let audited = Database::of(&server).audit_log(&tenant);
    for action in ["auth_config.create", "connection.create"] {
        assert_eq!(
            usize::try_from(audited[action]).unwrap(),
            names.len(),
            "{action}"
        );
    }
}
