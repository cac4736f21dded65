//! How much of each fault: a short form for every run of the tests, and the full one (`KEYWAY_TORTURE=full`).

/// Whether this is the full form.
pub fn full() -> bool {
    std::env::var_os("KEYWAY_TORTURE").is_some_and(|form| form == "full")
}

/// A fault that cannot be injected here: the short form goes on without it, the full one fails.
pub fn cannot(why: &str) {
    assert!(!full(), "{why}: the full form leaves no fault out");
    eprintln!("skipped: {why}");
}

/// `full` in the full form, else `short`.
pub fn of<T>(full: T, short: T) -> T {
    if self::full() { full } else { short }
}
