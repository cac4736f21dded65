//! The ledger counts what its judgement finds, and compares the audit log.

use std::collections::HashMap;

use uuid::Uuid;

use crate::history::{Outcome, Seen};
use crate::ledger::{Action, Attempt, Kind, Ledger, Object};

type Rows = HashMap<Uuid, HashMap<String, u64>>;

fn connection() -> Object {
    Object::new(Kind::Connection, 0, "a", None)
}

fn write(ledger: &Ledger, object: &Object, outcome: Outcome) -> Attempt {
    let attempt = ledger.begin_write(object, Action::SetAuth);
    ledger.end_write(object, attempt, outcome);
    attempt
}

fn settle(ledger: &Ledger, object: &Object, seen: &Seen) {
    let attempt = ledger.begin(Action::PatchConfig);
    ledger.settle(object, attempt, seen);
}

fn rows(of: &[(Attempt, u64)]) -> Rows {
    let row = |(attempt, count): &(Attempt, u64)| {
        let action = attempt.action.audited().to_owned();
        (attempt.request, HashMap::from([(action, *count)]))
    };
    of.iter().map(row).collect()
}

#[test]
fn a_lost_write_is_counted() {
    let (ledger, object) = (Ledger::default(), connection());
    let first = write(&ledger, &object, Outcome::Acknowledged);
    write(&ledger, &object, Outcome::Acknowledged);

    settle(&ledger, &object, &Seen::Number(first.number));

    let counts = ledger.counts();
    assert_eq!((counts.acknowledged, counts.lost), (2, 1));
    assert_eq!(ledger.findings().len(), 1);
}

#[test]
fn a_phantom_and_a_torn_one_are_counted() {
    let (ledger, object) = (Ledger::default(), connection());
    let refused = write(&ledger, &object, Outcome::Refused);
    settle(&ledger, &object, &Seen::Number(refused.number));
    settle(&ledger, &object, &Seen::Torn("halves".into()));

    let counts = ledger.counts();
    assert_eq!((counts.phantom, counts.torn, counts.lost), (1, 1, 0));
}

#[test]
fn a_hand_out_of_a_replaced_value_is_lost() {
    let (ledger, object) = (Ledger::default(), connection());
    let first = write(&ledger, &object, Outcome::Acknowledged);
    let second = write(&ledger, &object, Outcome::Acknowledged);

    let hand_out = ledger.begin(Action::HandOut);
    ledger.end_read(&object, hand_out, Some(&Seen::Number(second.number)));
    assert_eq!(ledger.counts().lost, 0);
    let stale = ledger.begin(Action::HandOut);
    ledger.end_read(&object, stale, Some(&Seen::Number(first.number)));

    let counts = ledger.counts();
    assert_eq!((counts.handed_out, counts.lost), (2, 1));
}

#[test]
fn an_acknowledged_write_needs_exactly_one_audit_row() {
    for (count, faults) in [(0, 1), (1, 0), (2, 1)] {
        let (ledger, object) = (Ledger::default(), connection());
        let attempt = write(&ledger, &object, Outcome::Acknowledged);
        ledger.audit(&rows(&[(attempt, count)]));
        assert_eq!(ledger.counts().audit, faults, "{count} rows");
    }
}

#[test]
fn a_hand_out_needs_its_audit_row() {
    let (ledger, object) = (Ledger::default(), connection());
    let write = write(&ledger, &object, Outcome::Acknowledged);
    let hand_out = ledger.begin(Action::HandOut);
    ledger.end_read(&object, hand_out, Some(&Seen::Number(write.number)));

    ledger.audit(&rows(&[(write, 1)]));

    assert_eq!(ledger.counts().audit, 1);
}

#[test]
fn a_refused_write_has_no_audit_row_and_an_unknown_one_at_most_one() {
    for (outcome, count, faults) in [
        (Outcome::Refused, 1, 1),
        (Outcome::Unknown, 0, 0),
        (Outcome::Unknown, 1, 0),
        (Outcome::Unknown, 2, 1),
    ] {
        let (ledger, object) = (Ledger::default(), connection());
        let attempt = write(&ledger, &object, outcome);
        let mut rows = rows(&[(attempt, count)]);
        rows.retain(|_, actions| actions.values().all(|count| *count > 0));
        ledger.audit(&rows);
        assert_eq!(ledger.counts().audit, faults, "{outcome:?}, {count} rows");
    }
}

#[test]
fn an_unknown_write_that_is_there_needs_its_audit_row() {
    let (ledger, object) = (Ledger::default(), connection());
    let attempt = write(&ledger, &object, Outcome::Unknown);
    settle(&ledger, &object, &Seen::Number(attempt.number));

    ledger.audit(&Rows::new());

    let counts = ledger.counts();
    assert_eq!((counts.unknown, counts.lost, counts.audit), (1, 0, 1));
}

#[test]
fn a_deletion_of_nothing_is_a_read_and_has_no_audit_row() {
    let (ledger, object) = (Ledger::default(), connection());
    let void = |sent_again| {
        let attempt = ledger.begin_write(&object, Action::ClearAuth);
        ledger.end_void(&object, attempt, sent_again);
        attempt
    };
    let (first, second) = (void(false), void(true));
    assert_eq!((ledger.counts().acknowledged, ledger.counts().lost), (2, 0));
    ledger.audit(&rows(&[(second, 1)]));
    assert_eq!(ledger.counts().audit, 0);
    ledger.audit(&rows(&[(first, 1)]));
    assert_eq!(ledger.counts().audit, 1);

    write(&ledger, &object, Outcome::Acknowledged);
    void(false);

    assert_eq!(ledger.counts().lost, 1);
}
