//! The rules one by one.

use std::iter;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::time::{Instant, sleep};

use super::model::{Course, End, Item, Model, Nature, Shared, item, plain};
use super::*;

/// The ids of each call.
fn calls(world: &Shared) -> Vec<Vec<usize>> {
    let world = world.lock().unwrap();
    world.calls.iter().map(|call| call.ids.clone()).collect()
}

/// Runs the items at once, the first of them alone; answers what each was told.
async fn run_all(
    lane: &Lane<Model>,
    items: impl IntoIterator<Item = Item>,
) -> Vec<Result<usize, String>> {
    let told = items.into_iter().map(|item| lane.run(item));
    let told = join_all(told).await.into_iter();
    told.map(|told| told.map_err(|error| reason(&error)))
        .collect()
}

#[test]
fn alone_an_item_goes_alone_and_at_once() {
    in_virtual_time(async {
        let (model, world) = Model::following([]);
        let lane = Lane::start(model);
        let since = Instant::now();

        assert_eq!(lane.run(plain(0)).await.unwrap(), 0);

        assert_eq!(calls(&world), [[0]]);
        assert_eq!(since.elapsed(), super::model::CONNECT + ms(2));
    });
}

#[test]
fn what_gathers_during_a_call_goes_as_one_of_64_at_most() {
    in_virtual_time(async {
        let (model, world) = Model::following([]);
        let lane = Lane::start(model);
        let first = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(plain(0)).await }
        });
        sleep(ms(1)).await;

        let told = run_all(&lane, (1..150).map(plain)).await;

        assert_eq!(first.await.unwrap().unwrap(), 0);
        assert_eq!(told, (1..150).map(Ok).collect::<Vec<_>>());
        let sizes: Vec<_> = calls(&world).iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 64, 64, 21]);
    });
}

#[test]
fn a_call_is_sorted_by_key_and_arrival() {
    in_virtual_time(async {
        let (model, world) = Model::following([]);
        let lane = Lane::start(model);
        let items: Vec<_> = (0..64_u8)
            .map(|id| Item {
                key: (64 - id) % 5,
                ..plain(id.into())
            })
            .collect();
        let mut sorted = items.clone();
        sorted.sort_by_key(|item| (item.key, item.id));

        let told = run_all(&lane, items).await;

        assert_eq!(told, (0..64).map(Ok).collect::<Vec<_>>());
        let sorted: Vec<_> = sorted.iter().map(|item| item.id).collect();
        assert_eq!(calls(&world), [sorted]);
    });
}

#[test]
fn one_more_than_4096_is_refused_at_once() {
    in_virtual_time(async {
        let (model, world) = Model::following([Course::Takes(1_000)]);
        let lane = Lane::start(model);
        let mut callers = vec![Box::pin(lane.run(plain(0)))];
        assert!(callers[0].as_mut().now_or_never().is_none());
        sleep(ms(1)).await;
        for id in 1..=4_096 {
            let mut caller = Box::pin(lane.run(plain(id)));
            assert!(
                caller.as_mut().now_or_never().is_none(),
                "{id} does not wait"
            );
            callers.push(caller);
        }

        let refused = lane.run(plain(4_097)).now_or_never().expect("it waits");

        assert_eq!(
            reason(&refused.unwrap_err()),
            "too many requests wait for the database"
        );
        for (id, told) in join_all(callers).await.into_iter().enumerate() {
            assert_eq!(told.unwrap(), id);
        }
        assert_eq!(world.lock().unwrap().applied.len(), 4_097);
    });
}

#[test]
fn one_poisoned_item_harms_no_other() {
    in_virtual_time(async {
        let (model, world) = Model::following([]);
        let lane = Lane::start(model);
        let items = [
            plain(0),
            item(1, Nature::Poison),
            plain(2),
            item(3, Nature::Poison),
        ];

        let told = run_all(&lane, items).await;

        assert_eq!(
            told,
            [
                Ok(0),
                Err("poison 1".to_owned()),
                Ok(2),
                Err("poison 3".to_owned())
            ]
        );
        assert_eq!(
            calls(&world),
            [vec![0, 1, 2, 3], vec![0], vec![1], vec![2], vec![3]]
        );
        assert_eq!(world.lock().unwrap().connects, 1);
    });
}

#[test]
fn a_panic_reaches_its_callers_and_ends_nothing() {
    in_virtual_time(async {
        let (model, world) = Model::following([]);
        let lane = Lane::start(model);
        // Refused first, so that each has its own call: the bomb panics alone.
        let items = [item(0, Nature::Poison), item(1, Nature::Bomb), plain(2)];
        let told = run_all(&lane, items).await;
        let panicked = Err("internal: a call panicked".to_owned());
        assert_eq!(told, [Err("poison 0".to_owned()), panicked.clone(), Ok(2)]);

        // Together: nobody knows how far it came.
        let told = run_all(&lane, [plain(3), item(4, Nature::Bomb)]).await;
        assert_eq!(told, [panicked.clone(), panicked]);

        assert_eq!(lane.run(plain(5)).await.unwrap(), 5);
        assert_eq!(world.lock().unwrap().connects, 3);
    });
}

#[test]
fn a_panic_outside_of_the_call_reaches_its_callers_too() {
    in_virtual_time(async {
        let (model, world) = Model::following([]);
        let lane = Lane::start(model);
        let keyless = Item {
            key: u8::MAX,
            ..plain(0)
        };

        for told in run_all(&lane, [keyless, plain(1)]).await {
            assert!(told.unwrap_err().starts_with("internal: "));
        }

        assert_eq!(lane.run(plain(2)).await.unwrap(), 2);
        assert_eq!(calls(&world), [[2]]);
    });
}

#[test]
fn a_wrong_number_of_replies_is_nobodys_reply() {
    in_virtual_time(async {
        let (model, world) = Model::following([Course::Miscounts]);
        let lane = Lane::start(model);

        for told in run_all(&lane, (0..3).map(plain)).await {
            assert!(
                told.unwrap_err()
                    .starts_with("internal: a call was answered with a wrong")
            );
        }

        assert_eq!(lane.run(plain(3)).await.unwrap(), 3);
        let world = world.lock().unwrap();
        assert_eq!((world.connects, world.applied.len()), (2, 4));
    });
}

#[test]
fn a_caller_that_leaves_cancels_no_call_and_an_untaken_item_is_left_out() {
    in_virtual_time(async {
        let (model, world) = Model::following([Course::Takes(5), Course::Takes(5)]);
        let lane = Lane::start(model);
        let mut taken = Box::pin(lane.run(plain(0)));
        assert!((&mut taken).now_or_never().is_none());
        sleep(ms(1)).await;
        let mut untaken = Box::pin(lane.run(plain(1)));
        let mut stays = Box::pin(lane.run(plain(2)));
        assert!((&mut untaken).now_or_never().is_none());
        assert!((&mut stays).now_or_never().is_none());

        drop((taken, untaken));

        assert_eq!(stays.await.unwrap(), 2);
        let world = world.lock().unwrap();
        let ends: Vec<_> = world
            .calls
            .iter()
            .map(|call| (call.ids[0], call.end))
            .collect();
        assert_eq!(ends, [(0, End::Done), (2, End::Done)]);
    });
}

#[test]
fn closing_finishes_what_waits_and_takes_no_more() {
    in_virtual_time(async {
        let (model, world) = Model::following(iter::repeat_n(Course::Takes(100), 3));
        let lane = Lane::start(model);
        let mut callers: Vec<_> = (0..150).map(|id| Box::pin(lane.run(plain(id)))).collect();
        for caller in &mut callers {
            assert!(caller.as_mut().now_or_never().is_none());
        }

        let ((), told) = tokio::join!(lane.close(), join_all(callers));

        for (id, told) in told.into_iter().enumerate() {
            assert_eq!(told.unwrap(), id);
        }
        assert!(world.lock().unwrap().dropped);
        let refused = lane.run(plain(150)).await.unwrap_err();
        assert_eq!(reason(&refused), "the server is stopping");
        lane.close().await;
    });
}

#[test]
fn closing_gives_up_a_call_that_does_not_end_after_four_seconds() {
    in_virtual_time(async {
        let (model, world) = Model::following([Course::Hangs { committed: true }]);
        let limits = Limits {
            wait: ms(10_000),
            ..Limits::DEFAULT
        };
        let lane = Lane::start_within(model, limits);
        let mut hangs = Box::pin(lane.run(plain(0)));
        assert!((&mut hangs).now_or_never().is_none());
        sleep(ms(1)).await;
        let waits = async {
            sleep(ms(0)).await;
            lane.run(plain(1)).await
        };
        let since = Instant::now();

        let (waits, hangs, ()) = tokio::join!(waits, hangs, async {
            sleep(ms(1)).await;
            lane.close().await;
        });

        assert!(
            (ms(4_000)..ms(4_010)).contains(&since.elapsed()),
            "{:?}",
            since.elapsed()
        );
        assert!(reason(&hangs.unwrap_err()).ends_with("is unknown"));
        assert!(reason(&waits.unwrap_err()).ends_with("nothing was done"));
        assert!(world.lock().unwrap().dropped);
    });
}

#[test]
fn the_task_ends_with_the_last_lane() {
    in_virtual_time(async {
        let (model, world) = Model::following([]);
        let lane = Lane::start(model);
        let other = lane.clone();
        drop(lane);
        assert_eq!(other.run(plain(0)).await.unwrap(), 0);
        assert!(!world.lock().unwrap().dropped);

        drop(other);
        sleep(ms(1)).await;

        assert!(world.lock().unwrap().dropped);
    });
}

#[test]
fn the_metrics_count_calls_items_and_who_waits() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let shown = recorder.handle();
    let _installed = metrics::set_default_local_recorder(&recorder);
    in_virtual_time(async {
        let script = [Course::Takes(1), Course::Breaks { committed: false }];
        let (model, _) = Model::following(script);
        let lane = Lane::start(model);
        run_all(&lane, (0..3).map(plain)).await;
        run_all(&lane, [plain(3)]).await;
        run_all(&lane, [item(4, Nature::Poison)]).await;
        sleep(ms(1)).await;
    });

    let text = shown.render();
    for line in [
        r#"keyway_lane_calls_total{lane="model",outcome="done"} 1"#,
        r#"keyway_lane_calls_total{lane="model",outcome="broken"} 1"#,
        r#"keyway_lane_calls_total{lane="model",outcome="refused"} 1"#,
        r#"keyway_lane_batch_items_sum{lane="model"} 5"#,
        r#"keyway_lane_batch_items_count{lane="model"} 3"#,
        r#"keyway_lane_waiting{lane="model"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_many_threads_each_caller_gets_its_own() {
    let (model, world) = Model::following(iter::repeat_n(Course::Takes(0), 20_000));
    let lane = Lane::start(model);
    let callers = (0..64).map(|caller| {
        let lane = lane.clone();
        tokio::spawn(async move {
            for turn in 0..50 {
                let id = caller * 50 + turn;
                assert_eq!(lane.run(plain(id)).await.unwrap(), id);
            }
        })
    });
    for caller in join_all(callers.collect::<Vec<_>>()).await {
        caller.unwrap();
    }
    let world = world.lock().unwrap();
    assert_eq!(world.applied.len(), 3_200);
    for caller in 0..64 {
        let mine = world.applied.iter().map(|item| item.id);
        assert!(mine.filter(|id| id / 50 == caller).is_sorted());
    }
}
