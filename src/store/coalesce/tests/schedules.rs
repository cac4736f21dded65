//! Any schedule keeps the contract: items of all natures, calls of all courses, callers that go away.

use futures_util::FutureExt as _;
use proptest::prelude::*;
use tokio::time::{Instant, sleep, timeout};

use super::model::{Call, Course, End, Item, Model, Nature, Shared};
use super::*;

/// What the callers do, in order.
#[derive(Debug, Clone)]
enum Step {
    Run {
        key: u8,
        nature: Nature,
        /// After how many milliseconds the caller goes away.
        leaves: Option<u64>,
    },
    Pass(u64),
}

#[derive(Debug)]
enum Told {
    Reply(usize),
    Error(String),
    /// The caller left before it was told.
    Nothing,
}

#[derive(Debug)]
struct Caller {
    item: Item,
    told: Told,
    since: Instant,
    at: Instant,
}

const LIMITS: Limits = Limits {
    batch: 5,
    queue: 12,
    ..Limits::DEFAULT
};

fn step() -> impl Strategy<Value = Step> {
    let nature = prop_oneof![
        16 => Just(Nature::Plain),
        2 => Just(Nature::Poison),
        1 => Just(Nature::Bomb),
    ];
    let leaves = prop_oneof![3 => Just(None), 1 => (0_u64..40).prop_map(Some)];
    let run = (0_u8..3, nature, leaves).prop_map(|(key, nature, leaves)| Step::Run {
        key,
        nature,
        leaves,
    });
    let pass = prop_oneof![8 => 0_u64..6, 1 => 0_u64..2_000].prop_map(Step::Pass);
    prop_oneof![4 => run, 1 => pass]
}

fn course() -> impl Strategy<Value = Course> {
    prop_oneof![
        12 => (0_u64..20).prop_map(Course::Takes),
        1 => (1_000_u64..5_900).prop_map(Course::Takes),
        1 => any::<bool>().prop_map(|committed| Course::Breaks { committed }),
        1 => any::<bool>().prop_map(|committed| Course::Hangs { committed }),
        1 => Just(Course::Miscounts),
    ]
}

/// Lets the callers follow `steps`, and the lane close after so many milliseconds; answers what each was told, in the
/// order of arrival.
async fn play(steps: &[Step], closes: Option<u64>, model: Model) -> Vec<Caller> {
    let lane = Lane::start_within(model, LIMITS);
    let closing = lane.clone();
    let close = tokio::spawn(async move {
        // By then everything has ended, or it never does.
        sleep(ms(closes.unwrap_or(1_000_000))).await;
        timeout(ms(4_001), closing.close())
            .await
            .expect("the lane does not end");
    });
    let mut callers = Vec::new();
    for step in steps {
        match *step {
            Step::Pass(time) => sleep(ms(time)).await,
            Step::Run {
                key,
                nature,
                leaves,
            } => {
                let id = callers.len();
                let item = Item { id, key, nature };
                callers.push(tokio::spawn(call(&lane, item, leaves)));
            }
        }
    }
    let all = futures_util::future::join_all(callers);
    let callers = timeout(ms(600_000), all)
        .await
        .expect("a caller waits for ever");
    close.await.unwrap();
    drop(lane);
    callers.into_iter().map(Result::unwrap).collect()
}

/// One caller. The item has arrived when this returns.
fn call(
    lane: &Lane<Model>,
    item: Item,
    leaves: Option<u64>,
) -> impl Future<Output = Caller> + use<> {
    let lane = lane.clone();
    let since = Instant::now();
    let handed = item.clone();
    let mut run = Box::pin(async move { lane.run(handed).await });
    let at_once = (&mut run).now_or_never();
    async move {
        let outcome = match (at_once, leaves) {
            (Some(outcome), _) => Some(outcome),
            (None, Some(leaves)) => timeout(ms(leaves), run).await.ok(),
            (None, None) => Some(run.await),
        };
        let told = match outcome {
            Some(Ok(reply)) => Told::Reply(reply),
            Some(Err(error)) => Told::Error(reason(&error)),
            None => Told::Nothing,
        };
        Caller {
            item,
            told,
            since,
            at: Instant::now(),
        }
    }
}

/// The calls that an item was in, in order.
fn calls_of(calls: &[Call], id: usize) -> Vec<&Call> {
    calls.iter().filter(|call| call.ids.contains(&id)).collect()
}

/// What the caller may have been told, seen from the last call that its item was in.
fn assert_told_the_truth(caller: &Caller, calls: &[Call], applied: usize) {
    let (id, mine) = (caller.item.id, calls_of(calls, caller.item.id));
    let waited = caller.at - caller.since;
    let context = format!("{caller:?}\n{mine:#?}");
    match mine.as_slice() {
        [] => assert!(applied == 0 && waited <= ms(1_501), "{context}"),
        [_] => {}
        [first, second] => assert!(
            first.end == End::Refused && first.ids.len() > 1 && second.ids == [id],
            "sent again: {context}"
        ),
        _ => panic!("sent a third time: {context}"),
    }
    let last = mine.last();
    let alone = last.is_some_and(|call| call.ids.len() == 1);
    match (&caller.told, last.map(|call| call.end)) {
        (Told::Nothing, _) => assert!(applied <= 1, "{context}"),
        (Told::Reply(reply), Some(End::Done)) => assert!(*reply == id && applied == 1, "{context}"),
        (Told::Error(reason), None) => assert!(
            reason.ends_with("nothing was done")
                || reason == "the server is stopping"
                || (reason.contains("too many") && waited == ms(0)),
            "{context}"
        ),
        (Told::Error(reason), Some(End::Refused)) if alone => {
            assert!(
                *reason == format!("poison {id}") && applied == 0,
                "{context}"
            );
        }
        (Told::Error(reason), Some(End::Refused)) => {
            assert!(
                reason.ends_with("could not be asked again in time; nothing was done"),
                "{context}"
            );
            assert_eq!(applied, 0, "{context}");
        }
        (Told::Error(reason), Some(End::Broken | End::Cut)) => {
            assert!(reason.ends_with("is unknown") && applied <= 1, "{context}");
        }
        (Told::Error(reason), Some(End::Panicked)) => {
            assert!(
                reason == "internal: a call panicked" && applied == 0,
                "{context}"
            );
        }
        (Told::Error(reason), Some(End::Miscounted)) => {
            assert!(
                reason.starts_with("internal: ") && applied == 1,
                "{context}"
            );
        }
        _ => panic!("{context}"),
    }
}

/// The order and the size of calls, and what ended them.
fn assert_calls_keep_order(calls: &[Call], callers: &[Caller], closes: bool) {
    let mut next = 0;
    for (nth, call) in calls.iter().enumerate() {
        assert!((1..=LIMITS.batch).contains(&call.ids.len()), "{call:?}");
        let keyed: Vec<_> = call
            .ids
            .iter()
            .map(|&id| (callers[id].item.key, id))
            .collect();
        assert!(
            keyed.is_sorted(),
            "not in the order of key and arrival: {keyed:?}"
        );
        let again = calls[..nth]
            .iter()
            .any(|before| before.ids.contains(&call.ids[0]));
        if !again {
            assert!(
                call.ids.iter().all(|&id| id >= next),
                "{call:?} overtook the call before it"
            );
            next = call.ids.iter().max().map_or(next, |last| last + 1);
        }
        let hangs = matches!(call.course, Course::Hangs { .. });
        assert!(
            hangs || closes || call.end != End::Cut,
            "{call:?} was cancelled"
        );
    }
}

/// After a refused call every item of it has its own call, up to a break or the end of the time.
fn assert_bad_items_harm_no_other(calls: &[Call]) {
    for (at, call) in calls.iter().enumerate() {
        if call.end != End::Refused || call.ids.len() == 1 {
            continue;
        }
        let singles: Vec<_> = calls[at + 1..].iter().take(call.ids.len()).collect();
        for (nth, &id) in call.ids.iter().enumerate() {
            let before = &singles[..nth.min(singles.len())];
            let lost = before
                .iter()
                .any(|single| matches!(single.end, End::Broken | End::Cut));
            let late = before.iter().any(|single| single.at - call.at >= ms(2_000))
                || before
                    .iter()
                    .any(|single| matches!(single.course, Course::Takes(1_000..)));
            if lost || late {
                break;
            }
            assert!(
                singles.get(nth).is_some_and(|single| single.ids == [id]),
                "{id} of {call:?} was not done by itself: {singles:#?}"
            );
        }
    }
}

fn assert_contract(callers: &[Caller], world: &Shared, closes: bool) {
    let world = world.lock().unwrap();
    for caller in callers {
        let id = caller.item.id;
        let applied = world.applied.iter().filter(|item| item.id == id).count();
        assert_told_the_truth(caller, &world.calls, applied);
    }
    for key in 0..3 {
        let mine = world.applied.iter().filter(|item| item.key == key);
        let ids: Vec<_> = mine.map(|item| item.id).collect();
        assert!(ids.is_sorted(), "key {key} was applied as {ids:?}");
    }
    assert_calls_keep_order(&world.calls, callers, closes);
    assert_bad_items_harm_no_other(&world.calls);
    assert!(world.dropped, "the link outlives its lane");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_schedule_keeps_the_contract(
        steps in proptest::collection::vec(step(), 1..60),
        script in proptest::collection::vec(course(), 0..40),
        closes in prop_oneof![4 => Just(None), 1 => (0_u64..300).prop_map(Some)],
    ) {
        let (model, world) = Model::following(script);
        let callers = in_virtual_time(play(&steps, closes, model));
        assert_contract(&callers, &world, closes.is_some());
    }
}
