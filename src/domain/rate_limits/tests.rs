//! Rates as they are set, and what the limits let through, by a clock that the tests turn.

use governor::clock::FakeRelativeClock;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

#[test]
fn a_rate_is_a_count_and_a_unit_and_a_count_alone_is_one_a_minute() {
    for (text, shown, count, seconds) in [
        ("600/m", "600/m", 600, 60),
        ("600", "600/m", 600, 60),
        ("10/s", "10/s", 10, 1),
        ("5000/h", "5000/h", 5_000, 3_600),
        ("1/s", "1/s", 1, 1),
        ("1000000/s", "1000000/s", 1_000_000, 1),
        ("007/m", "7/m", 7, 60),
    ] {
        let rate = rate(text);
        assert_eq!(rate.to_string(), shown);
        assert_eq!((rate.count(), rate.period().seconds()), (count, seconds));
    }
}

#[test]
fn anything_else_is_no_rate() {
    for text in [
        "",
        "0",
        "0/m",
        "/m",
        "m",
        "+5",
        "+5/m",
        "-1/m",
        "1.5/s",
        "5/",
        "5/d",
        "5/M",
        "5/min",
        "5 /m",
        "5/ m",
        " 5/m",
        "5/m ",
        "5/m/s",
        "5m",
        "1000001",
        "1000001/h",
        "99999999999/m",
        "٣/m",
    ] {
        assert_eq!(text.parse::<Rate>(), Err(NoRate), "{text:?}");
    }
    assert_eq!(
        NoRate.to_string(),
        "not a rate such as 600/m, 10/s or 5000/h, of 1 to 1000000 requests"
    );
}

fn caller(tenant: u128, key: &str) -> Caller {
    Caller {
        tenant: TenantId(Uuid::from_u128(tenant)),
        key: KeyId(key.to_owned()),
        scopes: Vec::new(),
        integrations: None,
        request_id: String::new(),
    }
}

/// Limiters and the clock that turns them.
fn limiters(
    key: Option<&str>,
    tenant: Option<&str>,
) -> (RateLimiters<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    let limits = RateLimits {
        key: key.map(rate),
        tenant: tenant.map(rate),
    };
    (RateLimiters::by_clock(limits, &clock), clock)
}

/// Who refuses the request and for how many milliseconds, if it is refused.
fn refusal(limiters: &RateLimiters<FakeRelativeClock>, caller: &Caller) -> Option<(Limited, u128)> {
    match limiters.take(caller) {
        Ok(()) => None,
        Err(Error::RateLimited {
            by, retry_after, ..
        }) => Some((by, retry_after.as_millis())),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn without_limits_nothing_is_counted() {
    let (limiters, _) = limiters(None, None);
    assert!(limiters.key.is_none() && limiters.tenant.is_none());
    for _ in 0..1_000 {
        assert_eq!(refusal(&limiters, &caller(1, "a")), None);
    }
}

#[test]
fn the_count_comes_at_once_and_then_back_evenly() {
    let (limiters, clock) = limiters(Some("4/m"), None);
    let alice = caller(1, "a");
    for _ in 0..4 {
        assert_eq!(refusal(&limiters, &alice), None);
    }
    assert_eq!(refusal(&limiters, &alice), Some((Limited::Key, 15_000)));
    clock.advance(Duration::from_secs(14));
    assert_eq!(refusal(&limiters, &alice), Some((Limited::Key, 1_000)));
    clock.advance(Duration::from_secs(1));
    assert_eq!(refusal(&limiters, &alice), None);
    assert_eq!(refusal(&limiters, &alice), Some((Limited::Key, 15_000)));
}

#[test]
fn keys_count_apart_and_their_tenant_counts_them_together() {
    let (limiters, _) = limiters(Some("2/h"), Some("3/h"));
    let (one, other) = (caller(1, "a"), caller(1, "b"));
    for _ in 0..2 {
        assert_eq!(refusal(&limiters, &one), None);
    }
    let (by, _) = refusal(&limiters, &one).unwrap();
    assert_eq!(by, Limited::Key);
    assert_eq!(refusal(&limiters, &other), None);
    let (by, _) = refusal(&limiters, &other).unwrap();
    assert_eq!(by, Limited::Tenant);
    // Another tenant's key may have the same id.
    assert_eq!(refusal(&limiters, &caller(2, "a")), None);
}

#[test]
fn what_one_limit_refuses_the_other_does_not_count() {
    let (limiters, clock) = limiters(Some("3/h"), Some("2/m"));
    let (one, other) = (caller(1, "a"), caller(1, "b"));
    for _ in 0..2 {
        assert_eq!(refusal(&limiters, &one), None);
    }
    for _ in 0..10 {
        assert_eq!(refusal(&limiters, &one), Some((Limited::Tenant, 30_000)));
    }
    clock.advance(Duration::from_mins(1));
    // The ten did not cost the key its third request.
    assert_eq!(refusal(&limiters, &one), None);
    for _ in 0..10 {
        let (by, _) = refusal(&limiters, &one).unwrap();
        assert_eq!(by, Limited::Key);
    }
    // Nor did these ten cost the tenant its second.
    assert_eq!(refusal(&limiters, &other), None);
}

#[test]
fn who_has_its_whole_count_again_is_forgotten() {
    let (limiters, clock) = limiters(Some("2/m"), Some("9/h"));
    let remembered = || {
        limiters.forget_idle();
        let keys = limiters.key.as_ref().unwrap().limiter.remembered();
        let tenants = limiters.tenant.as_ref().unwrap().limiter.remembered();
        (keys, tenants)
    };
    for key in ["a", "b", "c"] {
        assert_eq!(refusal(&limiters, &caller(1, key)), None);
    }
    // Most of these are refused, by their tenant's limit.
    for number in 0..100 {
        limiters.take(&caller(2, &number.to_string())).ok();
    }
    assert_eq!(remembered(), (103, 2));
    clock.advance(Duration::from_secs(61));
    assert_eq!(refusal(&limiters, &caller(1, "a")), None);
    assert_eq!(remembered(), (1, 2));
    clock.advance(Duration::from_hours(2));
    assert_eq!(remembered(), (0, 0));
}

fn any_rate() -> impl Strategy<Value = Rate> {
    let periods = prop_oneof![
        Just(Period::Second),
        Just(Period::Minute),
        Just(Period::Hour)
    ];
    (1_u32..=12, periods).prop_map(|(count, period)| Rate {
        count: NonZeroU32::new(count).unwrap(),
        period,
    })
}

/// Pauses, in thousandths of the period: mostly short, now and then long.
fn pauses() -> impl Strategy<Value = Vec<u32>> {
    let pause = prop_oneof![4 => 0_u32..60, 2 => 0_u32..400, 1 => 0_u32..2_500];
    prop::collection::vec(pause, 1..120)
}

fn nanoseconds(rate: Rate, thousandths: u32) -> Duration {
    Duration::from_secs(rate.period().seconds().into()) * thousandths / 1_000
}

fn limiter(rate: Rate, clock: &FakeRelativeClock) -> Limiter<u8, FakeRelativeClock> {
    Limiter::new(rate.quota(), clock.clone())
}

proptest! {
    #[test]
    fn in_any_stretch_of_time_the_count_and_what_came_back_are_let_through(rate in any_rate(), pauses in pauses()) {
        let clock = FakeRelativeClock::default();
        let limiter = limiter(rate, &clock);
        let (mut now, mut passed) = (0, Vec::new());
        for pause in pauses {
            let pause = nanoseconds(rate, pause);
            clock.advance(pause);
            now += pause.as_nanos();
            if limiter.take(&0).is_ok() {
                passed.push(now);
            }
        }
        let interval = rate.quota().replenish_interval().as_nanos();
        for (first, begin) in passed.iter().enumerate() {
            for (last, end) in passed.iter().enumerate().skip(first) {
                let time = end - begin;
                let most = u128::from(rate.count()) + time / interval;
                let through = last - first + 1;
                prop_assert!(through as u128 <= most, "{through} within {time} ns");
            }
        }
    }

    #[test]
    fn a_refused_request_passes_when_it_was_told_and_not_before(rate in any_rate(), pauses in pauses()) {
        let clock = FakeRelativeClock::default();
        let limiter = limiter(rate, &clock);
        for pause in pauses {
            clock.advance(nanoseconds(rate, pause));
            let Err(wait) = limiter.take(&0) else { continue };
            prop_assert!(wait > Duration::ZERO && wait <= rate.quota().replenish_interval());
            let moment = Duration::from_nanos(1);
            clock.advance(wait.checked_sub(moment).unwrap());
            prop_assert_eq!(limiter.take(&0), Err(moment));
            clock.advance(moment);
            prop_assert_eq!(limiter.take(&0), Ok(()));
        }
    }

    #[test]
    fn after_a_rest_of_the_period_the_whole_count_is_there(rate in any_rate(), pauses in pauses()) {
        let clock = FakeRelativeClock::default();
        let limiter = limiter(rate, &clock);
        for pause in pauses {
            clock.advance(nanoseconds(rate, pause));
            limiter.take(&0).ok();
        }
        clock.advance(nanoseconds(rate, 1_000));
        for _ in 0..rate.count() {
            prop_assert_eq!(limiter.take(&0), Ok(()));
        }
        prop_assert!(limiter.take(&0).is_err());
    }

    #[test]
    fn forgetting_and_giving_back_change_no_decision(
        rate in any_rate(),
        pauses in pauses(),
        asides in prop::collection::vec(0_u8..4, 120),
    ) {
        let clock = FakeRelativeClock::default();
        let (plain, other) = (limiter(rate, &clock), limiter(rate, &clock));
        for (pause, aside) in pauses.into_iter().zip(asides) {
            clock.advance(nanoseconds(rate, pause));
            match aside {
                0 => other.forget_idle(),
                1 => for _ in 0..3 {
                    if other.take(&0).is_ok() {
                        other.give_back(&0);
                    }
                },
                // Another key's requests.
                2 => drop(other.take(&1)),
                _ => other.give_back(&2),
            }
            prop_assert_eq!(plain.take(&0), other.take(&0));
        }
    }
}
