//! How often logs are read where the rate does not let all be read in each interval.

use std::collections::BTreeSet;
use std::time::Duration;

use delivery_ledger::WebhookId;
use delivery_ledger::fleet::PollResult;
use proptest::prelude::*;

use crate::properties::cases;
use crate::scale::{LONGEST, Scale};

const MINUTE: Duration = Duration::from_secs(60);
const TWO_MINUTES: Duration = Duration::from_secs(120);

#[test]
fn of_10_000_webhooks_at_the_default_rate_what_happens_to_the_busy_ones_is_counted_within_two_minutes() {
    let mut scale = Scale::new(10_000, 20.0);
    let busy: Vec<usize> = (0..100).map(|index| index * 100 + 37).collect();
    for (index, number) in busy.iter().enumerate() {
        scale.busy(*number, Duration::from_secs(10 + index as u64));
    }
    // Each has been read once, and is known to be busy or not.
    scale.polls(12);
    let known_at = scale.clock();
    scale.polls(30);
    assert!(scale.seen.results.iter().all(|result| *result == PollResult::Ok));
    assert_eq!(scale.seen.skipped, 0, "each poll is over before the next one begins");
    assert!(scale.seen.longest <= LONGEST as usize, "one waited for {} intervals", scale.seen.longest);
    let since: Vec<_> = scale.seen.delays.iter().filter(|(_, made, _)| *made > known_at).collect();
    let longest = since.iter().map(|(_, _, delay)| *delay).max().expect("attempts");
    assert!(since.len() > 1_800, "only {} attempts", since.len());
    assert!(longest <= TWO_MINUTES, "{longest:?} until an attempt was counted");
    assert_eq!((scale.planned(37), scale.planned(38), scale.gaps()), (1, 10, 0));
}

#[test]
fn a_silent_webhook_that_becomes_busy_is_known_to_be_after_ten_intervals_at_most() {
    let mut scale = Scale::new(10_000, 20.0);
    scale.polls(20);
    let began = scale.clock();
    for number in (0..100).map(|index| index * 100 + 55) {
        scale.busy(number, Duration::from_secs(30));
    }
    scale.polls(30);
    let ten = MINUTE * 10;
    let (early, late): (Vec<_>, Vec<_>) =
        scale.seen.delays.iter().partition(|(_, made, _)| *made < began + ten + MINUTE);
    assert!(early.iter().all(|(_, _, delay)| *delay <= ten + MINUTE));
    assert!(!late.is_empty() && late.iter().all(|(_, _, delay)| *delay <= TWO_MINUTES));
}

#[test]
fn where_the_rate_lets_all_be_read_each_interval_they_are() {
    for webhooks in [1, 100, 1_199] {
        let mut scale = Scale::new(webhooks, 20.0);
        scale.busy(0, Duration::from_secs(5));
        scale.polls(5);
        assert!(scale.seen.reads.iter().all(|reads| reads.len() == webhooks), "of {webhooks}");
        assert_eq!((scale.planned(0), scale.planned(webhooks - 1)), (1, 1));
        assert_eq!(scale.turns(), [], "a new process has nothing to know");
    }
}

#[test]
fn a_log_is_read_less_often_the_longer_it_has_been_silent() {
    let mut scale = Scale::new(200, 1.0);
    scale.busy(7, Duration::from_secs(20));
    scale.polls(20);
    assert_eq!(scale.planned(7), 1);
    scale.silent(7);
    let mut planned = Vec::new();
    for _ in 0..120 {
        scale.polls(1);
        planned.push(scale.planned(7));
    }
    assert!(planned.is_sorted(), "{planned:?}");
    assert_eq!((planned[0], planned[25]), (1, 2));
    let of_the_others = scale.planned(8);
    assert_eq!(planned.last(), Some(&of_the_others), "in the end it is as silent as the others");
}

#[test]
fn a_log_whose_window_could_turn_over_is_read_before_that_even_if_all_are_busy() {
    // Forty webhooks and five logs in each interval: eight intervals each.
    let mut scale = Scale::new(40, 0.12);
    for number in 0..40 {
        scale.busy(number, Duration::from_secs(180));
    }
    // Twenty entries, the window, in five minutes.
    scale.busy(11, Duration::from_secs(15));
    scale.polls(20);
    let gaps = scale.gaps();
    scale.polls(60);
    assert_eq!(scale.gaps(), gaps, "once the pace is known nothing leaves the log unread");
    assert!(scale.planned(11) <= 2, "{}", scale.planned(11));
    assert!(scale.seen.longest <= LONGEST as usize);
}

#[test]
fn a_new_process_goes_on_where_the_last_one_stopped() {
    let mut scale = Scale::new(10_000, 20.0);
    for number in (0..100).map(|index| index * 100 + 37) {
        scale.busy(number, Duration::from_secs(30));
    }
    scale.polls(25);
    for stop in [3, 1, 1, 4, 1] {
        scale.restart(Duration::from_secs(5));
        let before = scale.seen.read_in.clone();
        scale.polls(1);
        let reads: BTreeSet<WebhookId> = scale.seen.reads.last().expect("a poll").iter().copied().collect();
        let left = before.iter().filter(|(id, _)| !reads.contains(id)).map(|(_, poll)| *poll).min().expect("most");
        let newest = before.iter().filter(|(id, _)| reads.contains(id)).map(|(_, poll)| *poll).collect::<Vec<_>>();
        let too_early = newest.iter().filter(|poll| **poll > left).count();
        // The busy ones are read each time.
        assert!(too_early <= 100, "{too_early} were read that had been read after one that was not");
        scale.polls(stop - 1);
    }
    scale.polls(15);
    assert!(scale.seen.longest <= LONGEST as usize, "one waited for {} polls", scale.seen.longest);
}

#[test]
fn what_a_new_process_is_told_of_turns_fits_into_a_block_whatever_the_order_of_reads() {
    let mut scale = Scale::new(4_000, 20.0);
    for number in (0..4_000).step_by(4) {
        scale.busy(number, Duration::from_secs(40));
    }
    scale.polls(30);
    let turns = scale.turns();
    assert!(!turns.is_empty() && turns.len() <= 1_000, "{}", turns.len());
    assert_eq!(turns.iter().map(|turns| turns.0).sum::<u32>(), 4_000);
}

#[test]
fn after_an_hour_without_the_api_the_busy_ones_have_no_less_than_they_need() {
    let mut scale = Scale::new(10_000, 20.0);
    let busy: Vec<usize> = (0..100).map(|index| index * 100 + 37).collect();
    for number in &busy {
        scale.busy(*number, Duration::from_secs(30));
    }
    scale.polls(25);
    scale.restart(MINUTE * 60);
    for _ in 0..12 {
        scale.polls(1);
        let reads: BTreeSet<WebhookId> = scale.seen.reads.last().expect("a poll").iter().copied().collect();
        let missing = busy.iter().filter(|number| !reads.contains(&scale.id(**number))).count();
        assert_eq!(missing, 0);
    }
}

/// Some webhooks, a rate that may not let all be read each interval, and what happens.
#[derive(Clone, Debug)]
struct Life {
    webhooks: usize,
    rate: f64,
    /// After each some polls pass.
    changes: Vec<(Vec<Change>, usize)>,
}

/// A webhook tries to deliver once in so many seconds from now on, or no more.
#[derive(Clone, Debug)]
struct Change {
    number: usize,
    every: Option<u64>,
}

fn lives() -> impl Strategy<Value = Life> {
    let change = (any::<usize>(), prop::option::weighted(0.7, 3_u64..900));
    let change = change.prop_map(|(number, every)| Change { number, every });
    let changes = prop::collection::vec((prop::collection::vec(change, 0..40), 1_usize..25), 1..12);
    (20_usize..120, 0.1_f64..1.5, changes).prop_map(|(webhooks, rate, changes)| Life { webhooks, rate, changes })
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn whatever_webhooks_do_none_waits_longer_than_promised_and_no_poll_reads_more_than_the_rate_allows(
        Life { webhooks, rate, changes } in lives()
    ) {
        let mut scale = Scale::new(webhooks, rate);
        for (changes, polls) in changes {
            for Change { number, every } in changes {
                match every {
                    Some(seconds) => scale.busy(number % webhooks, Duration::from_secs(seconds)),
                    None => scale.silent(number % webhooks),
                }
            }
            scale.polls(polls);
        }
        scale.polls(scale.bound() + 1);
        let most = scale.most_reads();
        let fits = webhooks <= most;
        for reads in &scale.seen.reads {
            prop_assert!(reads.len() <= most, "{} reads, but no more than {most} calls", reads.len());
            prop_assert!(!fits || reads.len() == webhooks);
        }
        prop_assert_eq!(scale.seen.skipped, 0);
        prop_assert!(scale.seen.results.iter().all(|result| *result == PollResult::Ok));
        prop_assert_eq!(scale.seen.read_in.len(), webhooks, "one was never read");
        let bound = if fits { 1 } else { scale.bound() };
        prop_assert!(scale.seen.longest <= bound, "one waited for {} intervals, not {bound}", scale.seen.longest);
        let last = scale.seen.reads.len() - 1;
        for (id, poll) in &scale.seen.read_in {
            prop_assert!(last - poll < bound, "{id} has not been read for {} intervals", last - poll);
        }
    }
}
