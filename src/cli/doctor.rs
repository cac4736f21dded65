//! `keyway doctor`: looks at everything that a server needs and says what to do. It makes nothing: no database, no
//! root key, no row.

mod checks;
mod rotation;

use serde_json::json;

use super::house::{self, For};
use super::{Failure, output};
use crate::config::{RootKeySource, ServeSettings, StoreSettings};
use crate::store::Db;
use crate::store::provision::{self, SchemaState};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warning,
    Bad,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    says: String,
}

impl Finding {
    fn new(verdict: Verdict, check: &'static str, says: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            says: says.into(),
        }
    }

    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, check, says)
    }

    fn warning(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, check, says)
    }

    fn bad(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(Verdict::Bad, check, says)
    }
}

pub(super) async fn run(
    store: &StoreSettings,
    serve: &ServeSettings,
    json: bool,
) -> Result<(), Failure> {
    let findings = examine(store, serve).await;
    let healthy = findings
        .iter()
        .all(|finding| finding.verdict != Verdict::Bad);
    if json {
        let checks: Vec<_> = findings
            .iter()
            .map(|finding| {
                json!({ "check": finding.check, "verdict": finding.verdict.word(), "says": finding.says })
            })
            .collect();
        output::json(&json!({ "healthy": healthy, "checks": checks }))?;
    } else {
        let rows = findings.into_iter().map(|finding| {
            let verdict = finding.verdict.word().to_owned();
            vec![verdict, finding.check.to_owned(), finding.says]
        });
        output::table(&["", "CHECK", "FINDING"], rows.collect())?;
    }
    if healthy {
        Ok(())
    } else {
        Err(Failure::Unhealthy)
    }
}

async fn examine(store: &StoreSettings, serve: &ServeSettings) -> Vec<Finding> {
    let mut findings = vec![checks::disk(store), checks::managed_apps(serve)];
    let source = match store.root_keys() {
        Ok(source) => Some(source),
        Err(error) => {
            findings.push(Finding::bad("root key", error.to_string()));
            None
        }
    };
    if store.database_url.is_none() && !house::has_cluster(store) {
        let directory = store.data_dir();
        let says = format!(
            "there is no database in {} yet: start `keyway` once, or name another --data-dir",
            directory.display()
        );
        findings.push(Finding::bad("database", says));
        return findings;
    }
    let ground = match house::ground(store, For::Command).await {
        Ok(ground) => ground,
        Err(failure) => {
            findings.push(Finding::bad("database", failure.to_string()));
            return findings;
        }
    };
    match provision::schema_state(&ground.options).await {
        Err(error) => findings.push(Finding::bad("database", error.to_string())),
        Ok(SchemaState::Absent) => findings.push(Finding::bad(
            "database",
            "there is no Keyway schema: start `keyway` once, or run `keyway migrate --database-url …` as the administrator",
        )),
        Ok(state) => {
            let db = Db::new(ground.options.clone());
            findings.extend(inside(&db, state, source).await);
            db.close().await;
        }
    }
    if let Some(embedded) = ground.embedded
        && let Err(error) = embedded.stop().await
    {
        findings.push(Finding::bad("database", error.to_string()));
    }
    findings
}

/// What a database with a schema is asked.
async fn inside(db: &Db, state: SchemaState, source: Option<RootKeySource>) -> Vec<Finding> {
    let roles = checks::roles(db).await;
    let has_roles = roles.verdict != Verdict::Bad;
    let mut findings = vec![roles, checks::clock(db).await];
    if !has_roles {
        // Everything else is asked in one of the roles.
        return findings;
    }
    findings.push(match state {
        SchemaState::Current => Finding::ok("database", "answers; the schema is up to date"),
        _ => Finding::warning(
            "database",
            "migrations are due: start the server, or run `keyway migrate --database-url …`",
        ),
    });
    findings.extend(checks::isolation(db).await);
    if let Some(source) = source {
        let configured = match &source {
            RootKeySource::Configured(ring) => Some(ring.active_id()),
            RootKeySource::ToBeMade(_) => None,
        };
        findings.push(checks::root_key(db, source).await);
        if state == SchemaState::Current {
            findings.push(rotation::check(db, configured).await);
        }
    }
    findings
}
