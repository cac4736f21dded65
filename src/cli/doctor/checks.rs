//! The single checks, each with its remedy.

use std::path::Path;

use super::super::words;
use super::Finding;
use crate::config::{RootKeySource, ServeSettings, StoreSettings};
use crate::store::embedded::free_bytes;
use crate::store::{DISK_FLOOR, Db, health, keys, schema_check};

/// How far the clocks of this machine and of the database may be apart, in seconds.
const CLOCK_TOLERANCE: f64 = 5.0;

pub(super) fn disk(store: &StoreSettings) -> Finding {
    if store.database_url.is_some() {
        return Finding::ok("disk", "the database is elsewhere: watch its disk there");
    }
    let directory = store.data_dir();
    let existing = directory
        .ancestors()
        .find(|path| path.is_dir())
        .unwrap_or(Path::new("."));
    match free_bytes(existing) {
        Ok(free) => room(free, existing),
        Err(error) => Finding::bad(
            "disk",
            format!(
                "the free space of {} cannot be read: {error}",
                existing.display()
            ),
        ),
    }
}

fn room(free: u64, directory: &Path) -> Finding {
    let (mebibytes, directory) = (free >> 20, directory.display());
    if free < DISK_FLOOR {
        let floor = DISK_FLOOR >> 20;
        let says = format!(
            "{mebibytes} MiB are free in {directory}: below {floor} MiB writes are refused. Make room"
        );
        Finding::bad("disk", says)
    } else if free < 8 * DISK_FLOOR {
        let says = format!("only {mebibytes} MiB are free in {directory}: make room soon");
        Finding::warning("disk", says)
    } else {
        Finding::ok("disk", format!("{mebibytes} MiB are free in {directory}"))
    }
}

pub(super) fn managed_apps(serve: &ServeSettings) -> Finding {
    let check = "managed apps";
    match serve.managed_apps() {
        Err(error) => Finding::bad(check, error.to_string()),
        Ok(_) if serve.managed_apps_file.is_none() => Finding::ok(
            check,
            "none are shared: every tenant brings OAuth apps of its own",
        ),
        Ok(apps) => {
            let slugs: Vec<_> = apps.slugs().collect();
            let says = match slugs.as_slice() {
                [] => "KEYWAY_MANAGED_APPS_FILE names no app".to_owned(),
                slugs => format!("tenants share the apps of: {}", slugs.join(", ")),
            };
            Finding::ok(check, says)
        }
    }
}

pub(super) async fn roles(db: &Db) -> Finding {
    let missing = match health::missing_roles(db).await {
        Ok(missing) => missing,
        Err(error) => return Finding::bad("roles", error.to_string()),
    };
    let only_owner = !missing.is_empty();
    let missing = words::needed_to_serve(missing);
    if !missing.is_empty() {
        Finding::bad("roles", words::missing_roles(&missing))
    } else if only_owner {
        Finding::ok(
            "roles",
            "the login can switch to every role that serving takes; `keyway migrate` makes the migrations",
        )
    } else {
        Finding::ok("roles", "the login can switch to every role")
    }
}

pub(super) async fn isolation(db: &Db) -> Vec<Finding> {
    let found = match schema_check::check(db).await {
        Ok(found) => found,
        Err(error) => return vec![Finding::bad("isolation", error.to_string())],
    };
    let isolation = if found.is_fatal() {
        Finding::bad("isolation", words::not_isolated(&found))
    } else {
        let says = "row-level security is forced on every tenant table";
        Finding::ok("isolation", says)
    };
    let login = if found.powerful_login {
        Finding::bad("login", words::POWERFUL_LOGIN)
    } else if found.inheriting_login {
        Finding::warning(
            "login",
            "the login inherits its roles' rights: run `ALTER ROLE … NOINHERIT`",
        )
    } else {
        Finding::ok("login", "the login has no rights of its own")
    };
    vec![isolation, login]
}

pub(super) async fn clock(db: &Db) -> Finding {
    match health::clock_skew(db).await {
        Ok(seconds) => skew(seconds),
        Err(error) => Finding::bad("clock", error.to_string()),
    }
}

fn skew(seconds: f64) -> Finding {
    let apart = seconds.abs();
    if apart > CLOCK_TOLERANCE {
        let side = if seconds > 0.0 { "behind" } else { "ahead of" };
        let says = format!(
            "this machine's clock is {apart:.1} s {side} the database's: set both by NTP (keys expire by the \
             database's clock)"
        );
        Finding::bad("clock", says)
    } else {
        Finding::ok(
            "clock",
            format!("differs from the database's by {apart:.1} s"),
        )
    }
}

pub(super) async fn root_key(db: &Db, source: RootKeySource) -> Finding {
    let in_use = match keys::root_keys_in_use(db).await {
        Ok(in_use) => in_use,
        Err(error) => return Finding::bad("root key", error.to_string()),
    };
    let needed = keys::Fingerprints(in_use.clone());
    match source {
        RootKeySource::Configured(ring) if in_use.iter().all(|id| ring.holds(*id)) => {
            match keys::check_canaries(db, ring).await {
                Ok(active) => Finding::ok("root key", format!("{active} opens what it sealed")),
                Err(error) => Finding::bad("root key", error.to_string()),
            }
        }
        RootKeySource::Configured(ring) => Finding::bad(
            "root key",
            format!(
                "configured {}, but the database was sealed under {needed}: give that key with KEYWAY_ROOT_KEY_FILE",
                keys::Fingerprints(ring.ids())
            ),
        ),
        RootKeySource::ToBeMade(file) if in_use.is_empty() => {
            let says = format!("none yet: the first start makes {}", file.display());
            Finding::warning("root key", says)
        }
        RootKeySource::ToBeMade(file) => {
            Finding::bad("root key", words::missing_root_key(&file, &needed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn clocks_may_be_five_seconds_apart() {
        for seconds in [0.0, 4.9, -4.9] {
            assert_eq!(skew(seconds).verdict, Verdict::Ok, "{seconds}");
        }
        for (seconds, said) in [
            (3_600.0, "3600.0 s behind the database's: set both by NTP"),
            (-5.1, "5.1 s ahead of the database's"),
        ] {
            let finding = skew(seconds);
            assert_eq!(finding.verdict, Verdict::Bad);
            assert!(finding.says.contains(said), "{}", finding.says);
        }
    }

    #[test]
    fn below_the_floor_the_disk_is_bad() {
        let verdict = |free| room(free, Path::new("/data")).verdict;
        assert_eq!(verdict(DISK_FLOOR - 1), Verdict::Bad);
        assert_eq!(verdict(DISK_FLOOR), Verdict::Warning);
        assert_eq!(verdict(8 * DISK_FLOOR), Verdict::Ok);
        let says = room(0, Path::new("/data")).says;
        assert_eq!(
            says,
            "0 MiB are free in /data: below 128 MiB writes are refused. Make room"
        );
    }
}
