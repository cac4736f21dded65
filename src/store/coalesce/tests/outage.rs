//! The database goes away, hangs, comes back.

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::model::{Course, Model, Nature, Shared, World, item, plain};
use super::*;

/// What a caller was told and after how long.
type Told = (Result<usize, String>, Duration);

fn ask(lane: &Lane<Model>, item: super::model::Item) -> JoinHandle<Told> {
    let lane = lane.clone();
    tokio::spawn(async move {
        let since = Instant::now();
        let told = lane.run(item).await.map_err(|error| reason(&error));
        (told, since.elapsed())
    })
}

async fn ask_every(pause: Duration, lane: &Lane<Model>, items: usize) -> Vec<Told> {
    let mut callers = Vec::new();
    for id in 0..items {
        callers.push(ask(lane, plain(id)));
        sleep(pause).await;
    }
    join_all(callers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

fn bring_back(world: &Shared) {
    world.lock().unwrap().away = None;
}

fn away_for(connecting: Duration) -> (Model, Shared) {
    Model::new(World {
        away: Some(connecting),
        ..World::default()
    })
}

#[test]
fn while_the_database_is_away_every_caller_hears_so_within_two_seconds() {
    in_virtual_time(async {
        let (model, world) = away_for(ms(1_200));
        let lane = Lane::start(model);

        let told = ask_every(ms(7), &lane, 3_000).await;

        for (outcome, waited) in told {
            outcome.unwrap_err();
            assert!(waited < ms(2_000), "{waited:?}");
        }
        assert!(world.lock().unwrap().applied.is_empty());
    });
}

#[test]
fn the_first_item_after_an_outage_connects_anew() {
    in_virtual_time(async {
        let (model, world) = away_for(ms(0));
        let lane = Lane::start(model);
        for (outcome, _) in ask_every(ms(1), &lane, 100).await {
            outcome.unwrap_err();
        }

        bring_back(&world);

        let (outcome, waited) = ask(&lane, plain(100)).await.unwrap();
        assert_eq!(outcome, Ok(100));
        assert!(waited < ms(100), "{waited:?}");
        assert_eq!(world.lock().unwrap().connects, 1);
    });
}

#[test]
fn an_outage_is_no_busy_loop_and_a_single_break_no_pause() {
    in_virtual_time(async {
        let (model, world) = away_for(ms(0));
        let lane = Lane::start(model);
        ask_every(ms(1), &lane, 1_000).await;
        let calls = world.lock().unwrap().calls.len();
        assert!((15..=25).contains(&calls), "{calls} attempts in a second");

        bring_back(&world);
        world.lock().unwrap().script =
            [Course::Takes(1), Course::Breaks { committed: false }].into();
        for id in 0..2 {
            ask(&lane, plain(id)).await.unwrap().0.ok();
        }
        let (outcome, waited) = ask(&lane, plain(2)).await.unwrap();
        assert_eq!(outcome, Ok(2));
        assert!(waited < ms(10), "{waited:?}");
    });
}

#[test]
fn a_broken_connection_is_unknown_to_its_call_and_harms_no_later_one() {
    for committed in [false, true] {
        in_virtual_time(async {
            let (model, world) = Model::following([Course::Takes(5), Course::Breaks { committed }]);
            let lane = Lane::start(model);
            let first = ask(&lane, plain(0));
            sleep(ms(1)).await;
            let second = [ask(&lane, plain(1)), ask(&lane, plain(2))];
            assert_eq!(first.await.unwrap().0, Ok(0));

            for told in join_all(second).await {
                let reason = told.unwrap().0.unwrap_err();
                assert!(reason.ends_with("is unknown"), "{reason}");
            }
            assert_eq!(ask(&lane, plain(3)).await.unwrap().0, Ok(3));
            let world = world.lock().unwrap();
            let applied = if committed { 4 } else { 2 };
            assert_eq!(world.applied.len(), applied, "sent again: {world:?}");
            assert_eq!(world.connects, 2);
        });
    }
}

#[test]
fn a_call_that_never_ends_is_given_up_after_six_seconds_and_nobody_waits_behind_it() {
    in_virtual_time(async {
        let (model, world) = Model::following([Course::Hangs { committed: false }]);
        let lane = Lane::start(model);
        let hanging = ask(&lane, plain(0));
        sleep(ms(10)).await;
        let behind = ask_every(ms(10), &lane, 550).await;

        for (outcome, waited) in behind.iter().take(440) {
            let reason = outcome.as_ref().unwrap_err();
            assert!(reason.ends_with("nothing was done"), "{reason}");
            assert!((ms(1_500)..ms(1_510)).contains(waited), "{waited:?}");
        }
        // Who has waited too long for another connection attempt is told at once, the others are done.
        let rest = behind.iter().skip(440);
        let (done, undone): (Vec<_>, Vec<_>) = rest.partition(|(outcome, _)| outcome.is_ok());
        assert_eq!((done.len(), undone.len()), (21, 89));
        assert!(behind.iter().all(|(_, waited)| *waited < ms(1_510)));
        let (outcome, waited) = hanging.await.unwrap();
        assert!(outcome.unwrap_err().ends_with("is unknown"));
        assert!((ms(6_000)..ms(6_010)).contains(&waited), "{waited:?}");
        assert_eq!(ask(&lane, plain(550)).await.unwrap().0, Ok(550));
        assert_eq!(world.lock().unwrap().connects, 2);
    });
}

#[test]
fn an_item_that_was_taken_is_not_answered_before_its_call() {
    in_virtual_time(async {
        let (model, _) = Model::following([Course::Takes(5_500)]);
        let lane = Lane::start(model);

        let (outcome, waited) = ask(&lane, plain(0)).await.unwrap();

        assert_eq!(outcome, Ok(0));
        assert!(waited > ms(5_500), "{waited:?}");
    });
}

#[test]
fn the_items_of_a_refused_call_are_sent_again_for_six_seconds() {
    in_virtual_time(async {
        let (model, world) = Model::following(
            std::iter::repeat_n(Course::Takes(5), 2)
                .chain([Course::Takes(5_000), Course::Takes(5_000)]),
        );
        let lane = Lane::start(model);
        let first = ask(&lane, plain(0));
        sleep(ms(1)).await;
        let refused: Vec<_> = (1..5)
            .map(|id| {
                ask(
                    &lane,
                    item(
                        id,
                        if id == 1 {
                            Nature::Poison
                        } else {
                            Nature::Plain
                        },
                    ),
                )
            })
            .collect();
        assert_eq!(first.await.unwrap().0, Ok(0));

        let told: Vec<_> = join_all(refused)
            .await
            .into_iter()
            .map(|told| told.unwrap().0)
            .collect();

        let undone =
            Err("the database could not be asked again in time; nothing was done".to_owned());
        assert_eq!(
            told,
            [Err("poison 1".to_owned()), Ok(2), undone.clone(), undone]
        );
        assert_eq!(world.lock().unwrap().calls.len(), 4);
    });
}

#[test]
fn a_break_among_the_single_calls_leaves_the_rest_undone() {
    in_virtual_time(async {
        let (model, world) = Model::following([
            Course::Takes(5),
            Course::Takes(5),
            Course::Takes(5),
            Course::Breaks { committed: true },
        ]);
        let lane = Lane::start(model);
        let first = ask(&lane, plain(0));
        sleep(ms(1)).await;
        let refused: Vec<_> = (1..5)
            .map(|id| {
                ask(
                    &lane,
                    item(
                        id,
                        if id == 4 {
                            Nature::Poison
                        } else {
                            Nature::Plain
                        },
                    ),
                )
            })
            .collect();
        assert_eq!(first.await.unwrap().0, Ok(0));

        let told: Vec<_> = join_all(refused)
            .await
            .into_iter()
            .map(|told| told.unwrap().0)
            .collect();

        assert_eq!(told[0], Ok(1));
        assert!(told[1].as_ref().unwrap_err().ends_with("is unknown"));
        for undone in &told[2..] {
            assert!(undone.as_ref().unwrap_err().ends_with("nothing was done"));
        }
        let applied: Vec<_> = world
            .lock()
            .unwrap()
            .applied
            .iter()
            .map(|item| item.id)
            .collect();
        assert_eq!(applied, [0, 1, 2]);
    });
}
