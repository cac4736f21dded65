//! The judgement can fail: false histories are found out, true ones are not.

use crate::history::{Fault, History, Legal, Outcome, Seen};

/// Holds 1; then 2 from 10 to 20 and 3 from 30 to 40, with these outcomes.
fn history(second: Outcome, third: Outcome) -> History {
    let mut history = History::holding(Some(1));
    history.begin(2, false, 10);
    history.end(2, second, 20);
    history.begin(3, false, 30);
    history.end(3, third, 40);
    history
}

/// May a read that began at `begun` have found `number`, in time?
fn is_legal(history: &History, number: u64, begun: u64) -> bool {
    let found = history.judge(&Seen::Number(number), begun);
    let (number, late) = (Some(number), false);
    found == Ok(Legal { number, late })
}

fn is_lost(found: &Result<Legal, Fault>) -> bool {
    matches!(found, Err(Fault::Lost(_)))
}

fn is_phantom(found: &Result<Legal, Fault>) -> bool {
    matches!(found, Err(Fault::Phantom(_)))
}

#[test]
fn the_last_acknowledged_value_is_legal_and_every_older_one_is_a_loss() {
    let history = history(Outcome::Acknowledged, Outcome::Acknowledged);
    assert!(is_legal(&history, 3, 50));
    assert!(is_lost(&history.judge(&Seen::Number(2), 50)));
    assert!(is_lost(&history.judge(&Seen::Number(1), 50)));
}

#[test]
fn after_an_unknown_write_the_old_and_the_new_value_are_legal() {
    let history = history(Outcome::Acknowledged, Outcome::Unknown);
    assert!(is_legal(&history, 2, 50));
    assert!(is_legal(&history, 3, 50));
    assert!(is_lost(&history.judge(&Seen::Number(1), 50)));
}

#[test]
fn an_unknown_write_may_happen_after_a_later_one_and_is_counted_as_late() {
    let history = history(Outcome::Unknown, Outcome::Acknowledged);
    let late = Ok(Legal {
        number: Some(2),
        late: true,
    });
    assert_eq!(history.judge(&Seen::Number(2), 50), late);
    assert!(is_lost(&history.judge(&Seen::Number(1), 50)));
}

#[test]
fn a_refused_value_is_a_phantom_also_after_the_value_was_certain() {
    let mut history = history(Outcome::Acknowledged, Outcome::Refused);
    assert!(is_phantom(&history.judge(&Seen::Number(3), 50)));
    assert!(is_legal(&history, 2, 50));
    history.settle(Some(2));
    assert!(is_phantom(&history.judge(&Seen::Number(3), 60)));
}

#[test]
fn a_value_that_was_never_written_here_is_a_phantom() {
    let history = history(Outcome::Acknowledged, Outcome::Acknowledged);
    assert!(is_phantom(&history.judge(&Seen::Number(99), 50)));
}

#[test]
fn halves_are_torn_and_a_missing_object_is_lost() {
    let history = History::holding(Some(1));
    let torn = history.judge(&Seen::Torn("1 and 2".into()), 5);
    assert_eq!(torn, Err(Fault::Torn("1 and 2".into())));
    assert!(is_lost(&history.judge(&Seen::Gone, 5)));
}

#[test]
fn of_writes_at_the_same_time_each_may_be_the_last() {
    let mut history = History::holding(Some(1));
    history.begin(2, false, 10);
    history.begin(3, false, 11);
    history.end(3, Outcome::Acknowledged, 20);
    history.end(2, Outcome::Acknowledged, 21);
    assert!(is_legal(&history, 2, 30));
    assert!(is_legal(&history, 3, 30));
    assert!(is_lost(&history.judge(&Seen::Number(1), 30)));
}

#[test]
fn a_read_that_began_before_the_acknowledgement_may_find_the_old_value() {
    let history = history(Outcome::Acknowledged, Outcome::Acknowledged);
    assert!(is_legal(&history, 2, 35));
    assert!(is_lost(&history.judge(&Seen::Number(1), 35)));
    assert!(is_lost(&history.judge(&Seen::Number(2), 41)));
}

#[test]
fn what_is_on_its_way_may_be_found() {
    let mut history = History::holding(Some(1));
    history.begin(2, false, 10);
    assert!(is_legal(&history, 1, 30));
    assert!(is_legal(&history, 2, 30));
}

#[test]
fn a_deletion_is_a_write_of_nothing() {
    let mut history = History::holding(Some(1));
    assert!(is_lost(&history.judge(&Seen::Nothing, 5)));
    history.begin(2, true, 10);
    history.end(2, Outcome::Acknowledged, 20);
    assert!(history.judge(&Seen::Nothing, 30).is_ok());
    assert!(is_lost(&history.judge(&Seen::Number(1), 30)));
    history.begin(3, false, 40);
    history.end(3, Outcome::Acknowledged, 50);
    assert!(is_lost(&history.judge(&Seen::Nothing, 60)));
    assert!(is_legal(&history, 3, 60));
}

#[test]
fn a_refused_deletion_takes_nothing_away() {
    let mut history = History::holding(Some(1));
    history.begin(2, true, 10);
    history.end(2, Outcome::Refused, 20);
    assert!(is_lost(&history.judge(&Seen::Nothing, 30)));
    assert!(is_legal(&history, 1, 30));
}

#[test]
fn what_was_found_is_all_that_is_legal_afterwards() {
    let mut history = history(Outcome::Acknowledged, Outcome::Unknown);
    history.settle(Some(2));
    assert!(!history.changed());
    assert!(is_legal(&history, 2, 60));
    assert!(is_phantom(&history.judge(&Seen::Number(3), 60)));
}
