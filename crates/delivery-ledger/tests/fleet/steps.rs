//! What may happen to an account and its exporter, at random.

use std::time::Duration;

use delivery_ledger::fleet::Reach;
use delivery_ledger::{History, UnixMillis};
use proptest::prelude::*;
use proptest::sample::select;

use crate::cloud::{Target, Weather};
use crate::record::Checkpoint;

/// The codes that webhooks have. Filters admit by how a code begins.
const CODES: [&str; 4] = ["a-1", "a-2", "b-1", ""];

/// What an account is like, and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) interval: Duration,
    pub(crate) concurrency: usize,
    pub(crate) history: History,
    pub(crate) limit: usize,
    pub(crate) admitted: &'static str,
    pub(crate) has_etags: bool,
    pub(crate) seed: u64,
    /// Logs that a poll may read, besides the list; `None` if there is no limit.
    pub(crate) budget: Option<u8>,
    pub(crate) hooks: Vec<(&'static str, bool, usize)>,
    pub(crate) steps: Vec<(Step, Duration)>,
}

impl Story {
    /// The calls per second that allow the list and so many logs in each interval, and no more.
    pub(crate) fn rate(&self) -> f64 {
        let calls = self.budget.map_or(0.0, |logs| f64::from(logs) + 1.3);
        calls / self.interval.as_secs_f64() / 0.95
    }
}

/// Something that happens; then time passes.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Nothing,
    /// So many attempts of a webhook, which fail or not.
    Attempts(usize, usize, bool),
    /// A webhook goes, or returns.
    Flip(usize),
    /// Two webhooks swap their codes.
    Swap(usize, usize),
    Rename(usize, &'static str),
    Make(&'static str),
    Malformed(Option<usize>),
    Weather(Target, Weather),
    /// All calls work again.
    Calm,
    /// The process stands still.
    Stall(Duration),
    Restart(Checkpoint),
    /// The replica takes the Lease and polls each interval, or loses it.
    Lead(bool),
}

fn reaches() -> impl Strategy<Value = Reach> {
    select(vec![Reach::Call, Reach::Call, Reach::Api])
}

fn weathers() -> impl Strategy<Value = Weather> {
    prop_oneof![
        3 => select(vec![1, 200, 2_500, 9_000, 29_999]).prop_map(Weather::Works),
        3 => reaches().prop_map(Weather::Fails),
        3 => Just(Weather::Hangs),
        1 => select(vec![1, 20, 91, 3_600]).prop_map(Weather::Throttled),
        1 => Just(Weather::Flaky),
    ]
}

fn targets() -> impl Strategy<Value = Target> {
    prop_oneof![
        1 => Just(Target::Everything),
        3 => Just(Target::List),
        2 => (0_usize..6).prop_map(Target::Describe),
        3 => (0_usize..6).prop_map(Target::Log),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let index = || 0_usize..6;
    prop_oneof![
        1 => Just(Step::Nothing),
        6 => (index(), 1_usize..4, any::<bool>()).prop_map(|(index, count, fail)| Step::Attempts(index, count, fail)),
        6 => index().prop_map(Step::Flip),
        1 => (index(), index()).prop_map(|(one, other)| Step::Swap(one, other)),
        1 => (index(), select(CODES.to_vec())).prop_map(|(index, code)| Step::Rename(index, code)),
        1 => select(CODES.to_vec()).prop_map(Step::Make),
        1 => prop::option::of(index()).prop_map(Step::Malformed),
        6 => (targets(), weathers()).prop_map(|(target, weather)| Step::Weather(target, weather)),
        3 => Just(Step::Calm),
        1 => select(vec![500, 20_000, 150_000]).prop_map(|millis| Step::Stall(Duration::from_millis(millis))),
        2 => select(vec![Checkpoint::Last, Checkpoint::Last, Checkpoint::Previous]).prop_map(Step::Restart),
        2 => any::<bool>().prop_map(Step::Lead),
    ]
}

/// How long until the next thing happens: in an interval, in hours, or once the counts of what vanished are dropped.
fn pauses(interval: Duration) -> impl Strategy<Value = Duration> {
    let short = vec![
        Duration::ZERO,
        Duration::from_millis(35),
        Duration::from_millis(700),
        interval / 3,
        interval,
        interval,
        interval * 3,
        interval * 12,
    ];
    let hours = if interval < Duration::from_secs(60) {
        vec![interval * 60]
    } else {
        vec![1, 2, 25].into_iter().map(|h| Duration::from_secs(h * 3_600)).collect()
    };
    prop_oneof![24 => select(short), 1 => select(hours)]
}

/// A story of an account that is listed or, `by_id`, whose webhooks are chosen.
pub(crate) fn stories(by_id: bool) -> impl Strategy<Value = Story> {
    let interval = select(vec![1, 10, 60, 60]).prop_map(Duration::from_secs);
    let limit = if by_id { Just(10_000).boxed() } else { select(vec![1, 2, 3, 10_000, 10_000, 10_000]).boxed() };
    interval.prop_flat_map(move |interval| {
        let account = (1_usize..4, select(vec![History::Ignore, History::Count]), limit.clone());
        let hooks = prop::collection::vec((select(CODES.to_vec()), prop::bool::weighted(0.8), 0_usize..4), 1..6);
        let steps = prop::collection::vec((steps(), pauses(interval)), 1..40);
        let budget = prop::option::of(1_u8..4);
        (account, select(vec!["", "", "a"]), any::<bool>(), any::<u64>(), budget, hooks, steps).prop_map(
            move |((concurrency, history, limit), admitted, has_etags, seed, budget, hooks, steps)| Story {
                interval,
                concurrency,
                history,
                limit,
                admitted,
                has_etags,
                seed,
                budget,
                hooks,
                steps,
            },
        )
    })
}

/// A whole second, at which the first process starts.
pub(crate) const PROCESS_STARTS: Duration = Duration::from_secs(2 * 60 * 60);

/// When webhooks of an account were made that were there before the exporter.
pub(crate) const MADE: UnixMillis = crate::cloud::BEGIN;
