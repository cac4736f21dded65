//! What the server and its database show of the published Klavis clients' stories.

use serde_json::{Value, json};

use super::clients::{Language, run};
use super::database::Database;
use super::program::Server;
use super::unsteady::Unsteady;

/// A rate that a story meets at once, and that lets it go on after four seconds.
const RATE: &str = "15/m";

/// A whole story. Afterwards the audit log holds what the client saw, what it deleted is gone, and neither the server's
/// log nor what the client said holds a secret.
pub fn lives(language: Language, client: &str) {
    let server = Server::start(&[("KEYWAY_LOG", "json,trace")]);
    let (ours, theirs) = (server.tenant("ours"), server.tenant("theirs"));
    let canary = format!("CANARY-{}", uuid::Uuid::new_v4());
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
        ("KEYWAY_CANARY", canary.clone()),
    ];
    let said = run(language, client, &settings);
    let counted: Value = serde_json::from_str(&said).unwrap();

    let mut database = Database::of(&server);
    let audited = json!({
        "stored": database.audited(&ours, "connection.set_credential"),
        "handed_out": database.audited(&ours, "connection.hand_out"),
    });
    assert_eq!(
        audited, counted,
        "every write and every hand-out is in the audit log"
    );
    assert!(counted["stored"].as_i64() >= Some(20), "{counted}");
    for tenant in [&ours, &theirs] {
        assert_eq!(
            database.kept_of_users(tenant),
            Vec::<String>::new(),
            "deleted users left something"
        );
    }
    assert_eq!(database.audited(&theirs, "connection.set_credential"), 0);
    assert_eq!(database.audited(&theirs, "connection.hand_out"), 0);
    let log = server.log();
    assert!(log.contains("\"answered\""), "the log was written");
    for (place, text) in [("log", log), ("client", said)] {
        for secret in settings.iter().filter(|(name, _)| *name != "KEYWAY_URL") {
            assert!(!text.contains(&secret.1), "{}: {}", place, secret.0);
        }
    }
}

/// Clients that ask too much, each with a key of its own (`KEYWAY_<name>_KEY`), and that meet a server which is not
/// there the first time. Their repeats are seen by the server.
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
    }
    run(language, client, &settings);

    // Of each key: one request beyond its rate that is not repeated, then one that is, until it is answered.
    let listed = server.answered("GET", "/user/");
    let ends = listed.split_inclusive(|status| *status == 200);
    assert_eq!(ends.clone().count(), names.len(), "{listed:?}");
    for repeated in ends {
        let (last, refused) = repeated.split_last().unwrap();
        assert_eq!(*last, 200, "{listed:?}");
        assert!(!refused.is_empty(), "{listed:?}");
        assert!(refused.iter().all(|status| *status == 429), "{listed:?}");
    }
    let asked = server.answered("GET", "/mcp-server/servers");
    let (enough, limited) = asked
        .iter()
        .partition::<Vec<u64>, _>(|status| **status == 200);
    assert!(enough.len() >= 15 * names.len(), "{asked:?}");
    assert_eq!(limited, vec![429; names.len()], "{asked:?}");

    // What was not there refused each write once; the repeat was the only one that the server saw.
    assert_eq!(unsteady.refused(), names.len());
    let written = server.answered("POST", "/user/set-auth");
    assert_eq!(written, vec![200; names.len()]);
    let stored = Database::of(&server).audited(&tenant, "connection.set_credential");
    assert_eq!(usize::try_from(stored).unwrap(), names.len());
}
