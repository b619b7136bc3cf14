//! What the fleet does when a list or a log fails or hangs, and when webhooks come and go.

use std::time::Duration;

use delivery_ledger::Retention;
use delivery_ledger::fleet::{Notice, PollResult, Reach, ResponseMark, Subject};

use crate::failure::Failure;
use crate::hand::{Hand, INTERVAL, id};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// The end of the patience with a list, in seconds after the start of its poll.
const LIST_IS_LATE: u64 = 10;

#[test]
fn a_list_that_hangs_holds_up_no_log() {
    let mut hand = Hand::watching(&[1, 2]);
    let asked = hand.at(INTERVAL);
    assert_eq!((asked.lists.len(), asked.reads.len()), (1, 0));
    assert!(hand.at(INTERVAL + LIST_IS_LATE - 1).reads.is_empty(), "a list that is merely slow is waited for");
    assert_eq!(hand.at(INTERVAL + LIST_IS_LATE).read_ids(), [id(1)]);

    let mut hand = Hand::watching(&[1, 2]);
    let _ = hand.at(INTERVAL);
    let mut reads = 0;
    // It hangs on: the next polls do not wait for it.
    while hand.clock < Duration::from_secs(INTERVAL * 3) {
        let asked = hand.wake();
        reads += asked.reads.len();
        assert!(asked.lists.is_empty() && asked.ended.iter().all(|result| *result == PollResult::Partial));
        hand.works_all(&asked);
    }
    assert!(reads >= 4, "the logs were read {reads} times");
    assert_eq!((hand.is_up(1), hand.is_up(2)), (Some(true), Some(true)));
}

#[test]
fn after_a_restart_a_list_that_hangs_holds_up_no_log() {
    let mut hand = Hand::watching(&[1]).restarted();
    let start = hand.clock.as_secs();
    assert_eq!(hand.at(start).lists.len(), 1);
    let mut reads = 0;
    while hand.clock < Duration::from_secs(start + INTERVAL * 4) {
        let asked = hand.wake();
        reads += asked.reads.len();
        hand.works_all(&asked);
        if hand.fleet.wake_at() == Duration::MAX {
            break;
        }
    }
    assert!(reads >= 4, "in four intervals the log was read {reads} times");
}

#[test]
fn a_first_list_that_fails_is_tried_again_after_1_2_4_seconds_and_at_most_the_interval() {
    for restarted in [false, true] {
        let mut hand = if restarted { Hand::watching(&[]).restarted() } else { Hand::new(Vec::new()) };
        for (try_number, wait) in [1, 2, 4, 8, 16, 32, 60, 60, 60].into_iter().enumerate() {
            let asked = hand.wake();
            hand.list_fails(asked.list(), Reach::Call);
            let asked = hand.ask();
            assert_eq!(asked.ended, [PollResult::Failed]);
            let waits = hand.fleet.wake_at() - hand.clock;
            assert!(waits <= Duration::from_secs(wait), "{waits:?} after failure {}", try_number + 1);
            assert!(waits > Duration::from_secs(wait / 4), "{waits:?} after failure {}", try_number + 1);
        }
    }
}

#[test]
fn a_list_that_has_worked_is_left_alone_when_it_fails_and_the_logs_are_not() {
    let mut hand = Hand::watching(&[1]);
    let mut lists = 0;
    for poll in 1..=20 {
        let mut asked = hand.at(INTERVAL * poll);
        for call in asked.lists.drain(..) {
            lists += 1;
            hand.list_fails(call, Reach::Call);
            asked.reads.extend(hand.ask().reads);
        }
        assert_eq!(asked.read_ids(), [id(1)], "of poll {poll}");
        hand.works_all(&asked);
        assert_eq!(hand.ask().ended, [PollResult::Failed]);
        assert_eq!((hand.is_up(1), hand.fleet.account().is_up), (Some(true), Some(false)));
    }
    // Full backoff reaches four intervals with the ninth failure.
    assert!((9..=13).contains(&lists), "the list was read {lists} times");
}

#[test]
fn an_api_out_of_reach_costs_one_log_call_and_makes_all_unreadable() {
    let mut hand = Hand::watching(&[1, 2, 3]);
    let asked = hand.at(INTERVAL);
    hand.list_fails(asked.list(), Reach::Api);
    let asked = hand.ask();
    assert_eq!(asked.read_ids(), [id(1)]);
    assert!(hand.at(INTERVAL + 20).reads.is_empty(), "a second call does not wait for the first");
    hand.fails(&asked.reads[0], Reach::Api);
    let asked = hand.ask();
    assert_eq!((asked.ended, asked.reads.len()), (vec![PollResult::Failed], 0));
    assert_eq!([1, 2, 3].map(|number| hand.is_up(number)), [Some(false); 3]);
}

#[test]
fn one_log_that_works_lets_the_poll_go_on_after_a_failed_list() {
    for reach in [None, Some(Reach::Call)] {
        let mut hand = Hand::watching(&[1, 2, 3]);
        let asked = hand.at(INTERVAL);
        hand.list_fails(asked.list(), Reach::Api);
        let asked = hand.ask();
        match reach {
            None => hand.works_all(&asked),
            Some(reach) => hand.fails(&asked.reads[0], reach),
        }
        let asked = hand.works_until_the_poll_ends();
        assert_eq!(asked.ended, [PollResult::Failed]);
        assert_eq!([1, 2, 3].map(|number| hand.is_up(number)), [Some(reach.is_none()), Some(true), Some(true)]);
    }
}

#[test]
fn a_log_that_keeps_failing_is_left_alone_for_up_to_four_intervals_and_delays_no_other() {
    let mut hand = Hand::watching(&[1, 2]);
    let mut called_in = Vec::new();
    for poll in 1..=24 {
        let asked = hand.at(INTERVAL * poll);
        hand.listed(asked.list(), &[1, 2]);
        let (mut read, mut ended) = (Vec::new(), Vec::new());
        while ended.is_empty() {
            let asked = hand.wake();
            for call in &asked.reads {
                read.push(call.id);
                if call.id == id(1) { hand.fails(call, Reach::Call) } else { hand.reads(call, &[]) }
            }
            ended = asked.ended;
        }
        assert!(read.contains(&id(2)), "of poll {poll}");
        assert_eq!(ended, [PollResult::Partial], "of poll {poll}");
        called_in.extend(read.contains(&id(1)).then_some(poll));
    }
    let waits: Vec<u64> = called_in.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits[..7], [1, 1, 1, 1, 1, 1, 2], "{called_in:?}");
    assert!(waits[7..].iter().all(|wait| (3..=5).contains(wait)), "{called_in:?}");
}

#[test]
fn during_a_pause_nothing_starts_and_after_an_interval_of_it_nothing_is_known_of_the_present() {
    // The API asks for a pause with a failure that concerns all calls, or with one that is that call's own.
    for reach in [Reach::Api, Reach::Call] {
        let mut hand = Hand::watching(&[1, 2]);
        let asked = hand.at(INTERVAL);
        hand.listed(asked.list(), &[1, 2]);
        let asked = hand.ask();
        hand.fails(&asked.reads[0], reach);
        hand.paused_until(INTERVAL * 10);
        while hand.fleet.wake_at() < Duration::from_secs(INTERVAL * 10) {
            let asked = hand.wake();
            assert_eq!((asked.lists.len(), asked.reads.len()), (0, 0));
        }
        assert_eq!([1, 2].map(|number| hand.is_up(number)), [Some(false); 2], "{reach:?}");
        assert!(hand.fleet.is_ready());

        let asked = hand.at(INTERVAL * 10);
        hand.listed(asked.list(), &[1, 2]);
        assert_eq!(hand.works_until_the_poll_ends().ended, [PollResult::Ok]);
        assert_eq!([1, 2].map(|number| hand.is_up(number)), [Some(true); 2]);
    }
}

#[test]
fn a_short_pause_holds_up_the_calls_of_a_poll_and_no_more() {
    let mut hand = Hand::watching(&[1, 2]);
    let asked = hand.at(INTERVAL);
    hand.paused_until(INTERVAL + 20);
    hand.listed(asked.list(), &[1, 2]);
    assert!(hand.ask().reads.is_empty());
    assert_eq!(hand.fleet.wake_at(), Duration::from_secs(INTERVAL + 20));
    assert_eq!(hand.works_until_the_poll_ends().ended, [PollResult::Ok]);
}

#[test]
fn a_failed_list_removes_nothing_and_a_failed_log_lowers_nothing() {
    let mut hand = Hand::watching(&[1]);
    let asked = hand.at(INTERVAL);
    hand.listed(asked.list(), &[1]);
    let asked = hand.ask();
    hand.reads(&asked.reads[0], &[30, 40]);
    assert_eq!((hand.ask().ended, hand.attempts(1)), (vec![PollResult::Ok], Some(2)));
    for reach in [Reach::Call, Reach::Gone, Reach::Api] {
        let mut hand = hand.restarted();
        let asked = hand.ask();
        hand.list_fails(asked.list(), reach);
        let asked = hand.ask();
        hand.fails(&asked.reads[0], reach);
        assert_eq!((hand.ask().ended, hand.attempts(1)), (vec![PollResult::Failed], Some(2)), "{reach:?}");
    }
}

#[test]
fn what_vanishes_is_not_shown_and_returns_with_its_counts_within_a_day() {
    for (away, expected) in [(DAY - 2 * INTERVAL, Some(2)), (DAY + INTERVAL, Some(0))] {
        let mut hand = Hand::watching(&[1, 2]);
        let asked = hand.at(INTERVAL);
        hand.listed(asked.list(), &[1, 2]);
        let asked = hand.ask();
        hand.reads(&asked.reads[0], &[30, 40]);
        hand.works_until_the_poll_ends();
        let asked = hand.at(INTERVAL * 2);
        hand.listed(asked.list(), &[2]);
        assert_eq!(hand.attempts(1), None);
        hand.works_until_the_poll_ends();

        let asked = hand.at(INTERVAL * 2 + away);
        hand.listed(asked.list(), &[1, 2]);
        assert_eq!(hand.attempts(1), expected, "after {away} seconds");
    }
}

#[test]
fn a_malformed_entry_stands_for_a_missing_webhook_for_an_hour_and_for_none_that_it_was_beside() {
    let polls = |hand: &mut Hand, from: u64, lists: &[(&[u32], usize)]| {
        for (poll, (numbers, malformed)) in (1..).zip(lists) {
            let asked = hand.at(from + INTERVAL * poll);
            hand.listed_with_malformed(asked.list(), numbers, *malformed);
            hand.works_until_the_poll_ends();
        }
        [hand.attempts(1).is_some(), hand.attempts(2).is_some()]
    };
    for (lists, expected) in [
        // It was there while the webhook was.
        (&[(&[1, 2][..], 1), (&[2], 1)][..], [false, true]),
        (&[(&[1, 2], 1), (&[2], 2)], [true, true]),
        // First one, then the other cannot be read.
        (&[(&[1, 2], 0), (&[2], 1), (&[1], 1)], [true, true]),
        (&[(&[1, 2], 0), (&[2], 1), (&[1, 2], 1), (&[1], 1)], [true, false]),
        (&[(&[2], 1), (&[2], 0)], [false, true]),
        // What could not be read appears, and another one cannot be read instead.
        (&[(&[1, 2], 1), (&[2, 3], 1)], [true, true]),
    ] {
        assert_eq!(polls(&mut Hand::watching(&[1, 2]), 0, lists), expected, "{lists:?}");
    }
    let mut hand = Hand::watching(&[1, 2]);
    assert_eq!(polls(&mut hand, 0, &[(&[2], 1)]), [true, true]);
    assert_eq!(polls(&mut hand, HOUR - INTERVAL, &[(&[2], 1)]), [true, true]);
    assert_eq!(polls(&mut hand, HOUR, &[(&[2], 1)]), [false, true]);
    assert_eq!(polls(&mut hand, HOUR + INTERVAL, &[(&[], 1)]), [false, false], "it stands for none any more");
}

#[test]
fn a_call_that_outlives_its_webhook_says_nothing_of_the_one_that_returns_and_no_second_one_joins_it() {
    let mut hand = Hand::watching(&[1]);
    let asked = hand.at(INTERVAL);
    hand.listed(asked.list(), &[1]);
    let old = hand.ask();
    assert_eq!(old.read_ids(), [id(1)]);
    // The log call hangs; in the next polls its webhook goes and returns.
    for (poll, numbers) in [(2, &[][..]), (3, &[1][..])] {
        let _ = hand.at(INTERVAL * poll - 1);
        let asked = hand.at(INTERVAL * poll);
        hand.listed(asked.list(), numbers);
        assert!(hand.ask().reads.is_empty(), "of poll {poll}");
    }
    hand.reads(&old.reads[0], &[30]);
    assert_eq!((hand.attempts(1), hand.is_up(1)), (Some(0), None));
    let _ = hand.at(INTERVAL * 4 - 1);
    let asked = hand.at(INTERVAL * 4);
    hand.listed(asked.list(), &[1]);
    let asked = hand.ask();
    hand.reads(&asked.reads[0], &[30]);
    assert_eq!((hand.attempts(1), hand.is_up(1)), (Some(1), Some(true)));
}

#[test]
fn a_poll_that_starts_late_still_reads_what_there_is() {
    let mut hand = Hand::watching(&[1]);
    let asked = hand.at(INTERVAL * 20 + 59);
    assert_eq!((asked.lists.len(), asked.ended.len()), (1, 0));
    hand.listed(asked.list(), &[1]);
    assert_eq!(hand.works_until_the_poll_ends().ended, [PollResult::Ok]);
}

#[test]
fn it_is_ready_once_the_first_poll_has_ended_or_restored_counts_are_shown() {
    let mut hand = Hand::new(Vec::new());
    let asked = hand.at(0);
    let _ = hand.at(INTERVAL * 3);
    assert!(!hand.fleet.is_ready(), "there is nothing to show before a first list");
    hand.list_fails(asked.list(), Reach::Api);
    assert_eq!((hand.ask().ended, hand.fleet.is_ready()), (vec![PollResult::Failed], true));
    assert!(Hand::watching(&[1]).restarted().fleet.is_ready());
    assert!(!Hand::watching(&[]).restarted().fleet.is_ready());
}

/// What is said of how long logs keep entries, poll by poll, if each shows the newest three.
fn said_of_logs_that_keep_three(numbers: &[u32]) -> Vec<Vec<Notice<Failure>>> {
    let mut hand = Hand::watching(numbers);
    let logs: [&[u64]; 4] = [&[1, 2, 3], &[1, 2, 3], &[2, 3, 130], &[3, 130, 190]];
    (1..)
        .zip(logs)
        .map(|(poll, log)| {
            let asked = hand.at(INTERVAL * poll);
            hand.listed(asked.list(), numbers);
            let notices = hand.reads_until_the_poll_ends(log).notices;
            notices.into_iter().filter(|said| matches!(said, Notice::LogLearnt(..) | Notice::LogsLearnt(_))).collect()
        })
        .collect()
}

#[test]
fn how_long_a_log_keeps_entries_is_said_once_it_is_learnt_and_of_many_logs_in_one_line() {
    let of_one = said_of_logs_that_keep_three(&[1]);
    let subject = Subject { id: id(1), label: String::from("w-1") };
    assert_eq!(of_one, [vec![], vec![], vec![Notice::LogLearnt(subject, Retention::Newest(3))], vec![]]);
    let of_many = said_of_logs_that_keep_three(&[1, 2, 3, 4, 5, 6]);
    assert_eq!(of_many, [vec![], vec![], vec![Notice::LogsLearnt(6)], vec![]]);
}

#[test]
fn a_replica_polls_at_once_when_it_takes_the_lease_and_rarely_when_it_has_lost_it() {
    const STANDBY: u64 = INTERVAL * 10;
    let mut hand = Hand::watching(&[1]);
    hand.poll_every(STANDBY);
    assert_eq!(hand.fleet.wake_at(), Duration::from_secs(STANDBY), "the last poll began at 0");
    let asked = hand.at(INTERVAL * 3);
    assert!(asked.lists.is_empty() && asked.reads.is_empty());
    hand.poll_every(INTERVAL);
    let asked = hand.ask();
    hand.listed(asked.list(), &[1]);
    assert_eq!(hand.works_until_the_poll_ends().ended, [PollResult::Ok]);
    assert_eq!(hand.fleet.wake_at(), Duration::from_secs(INTERVAL * 4));
}

#[test]
fn a_replica_that_takes_the_lease_during_a_poll_ends_that_one_and_goes_on_each_interval() {
    let mut hand = Hand::watching(&[1]);
    hand.poll_every(INTERVAL * 10);
    let asked = hand.at(INTERVAL * 10);
    hand.poll_every(INTERVAL);
    hand.listed(asked.list(), &[1]);
    assert_eq!(hand.works_until_the_poll_ends().ended, [PollResult::Ok]);
    assert_eq!(hand.fleet.wake_at(), Duration::from_secs(INTERVAL * 11));
}

#[test]
fn a_replica_that_stands_by_has_its_first_poll_at_once_and_tries_a_first_list_that_fails_again_soon() {
    let mut hand = Hand::new(Vec::new());
    hand.poll_every(INTERVAL * 10);
    let asked = hand.ask();
    hand.list_fails(asked.list(), Reach::Api);
    assert_eq!(hand.ask().ended, [PollResult::Failed]);
    assert_eq!(hand.fleet.wake_at(), Duration::from_secs(1));
}

/// Lets a poll of so many webhooks pass, whose log calls take five seconds each, eight at once; the call for the last one
/// may never end. Says how the poll ended and how long it took.
fn a_poll_that_overruns(webhooks: u32, last_hangs: bool) -> (PollResult, Duration) {
    let numbers: Vec<u32> = (1..=webhooks).collect();
    let mut hand = Hand::watching(&numbers);
    let start = hand.fleet.wake_at();
    let asked = hand.at_time(start);
    hand.listed(asked.list(), &numbers);
    let mut under_way = Vec::new();
    loop {
        let asked = hand.at_time(hand.clock + Duration::from_secs(1));
        if let Some(result) = asked.ended.first() {
            return (*result, hand.clock - start);
        }
        under_way.extend(asked.reads.into_iter().map(|read| (hand.clock + Duration::from_secs(5), read)));
        let (ended, going_on): (Vec<_>, Vec<_>) = under_way.into_iter().partition(|(ends, _)| *ends <= hand.clock);
        for (_, read) in &ended {
            if !last_hangs || read.id != id(webhooks) {
                hand.reads(read, &[]);
            }
        }
        under_way = going_on;
    }
}

#[test]
fn a_poll_that_overruns_is_whole_if_every_call_works() {
    for webhooks in [80, 88, 96, 200] {
        let (result, took) = a_poll_that_overruns(webhooks, false);
        assert_eq!(result, PollResult::Ok, "{webhooks} webhooks, {took:?}");
        assert!(took > Duration::from_secs(50), "{webhooks} webhooks, {took:?}");
    }
}

#[test]
fn a_poll_that_overruns_waits_for_no_call_that_hangs_longer_than_costs_nothing() {
    let (result, took) = a_poll_that_overruns(200, true);
    assert_eq!(result, PollResult::Partial);
    // 57 s is when a poll that keeps its interval ends without calls that hang; this one skips three.
    assert_eq!(took, Duration::from_secs(3 * INTERVAL + 57));
}

#[test]
fn how_often_logs_are_read_is_said_when_it_is_not_each_interval_and_when_it_is_again() {
    let told = |notices: &[Notice<Failure>]| -> Vec<(usize, u64)> {
        let told = notices.iter().filter_map(|notice| {
            if let Notice::ReadInterval { webhooks, interval } = notice {
                Some((*webhooks, interval.as_secs()))
            } else {
                None
            }
        });
        told.collect()
    };
    let mut hand = Hand::watching(&[1, 2, 3]);
    hand.fleet.limit_rate(0.05);
    assert_eq!(
        told(&hand.ask().notices),
        [(3, 600)],
        "the list and one log each interval: no log waits longer than ten"
    );
    assert_eq!(hand.fleet.read_interval(), Duration::from_secs(INTERVAL * 3), "they take turns");
    let asked = hand.at(INTERVAL);
    hand.listed(asked.list(), &[1, 2, 3]);
    let asked = hand.ask();
    assert_eq!(told(&asked.notices), [], "no news");
    hand.works_all(&asked);
    let mut notices = hand.works_until_the_poll_ends().notices;
    let asked = hand.at(INTERVAL * 2);
    hand.listed(asked.list(), &[1, 2]);
    notices.extend(hand.ask().notices);
    assert_eq!(told(&notices), [(2, 60)]);
    assert_eq!(hand.fleet.read_interval(), Duration::from_secs(INTERVAL));
}

#[test]
fn a_replica_that_stands_by_reads_logs_as_rarely_as_it_polls_and_says_nothing_of_that() {
    let mut hand = Hand::watching(&[1]);
    hand.poll_every(INTERVAL * 10);
    assert_eq!(hand.fleet.read_interval(), Duration::from_secs(INTERVAL * 10));
    hand.fleet.limit_rate(20.0);
    assert_eq!(hand.ask().notices, []);
}

#[test]
fn a_log_that_says_more_later_is_read_again_whether_it_has_changed_or_not() {
    let mark = Some(ResponseMark { etag: Some(b"one".as_slice().into()), body: None });
    let mut hand = Hand::watching(&[1]);
    let mut start = INTERVAL;
    let mut poll = |attempts: &[u64]| {
        let asked = hand.at(start);
        hand.listed(asked.list(), &[1]);
        let read = hand.ask().reads.pop().expect("a read");
        hand.reads_marked(&read, attempts, mark.clone());
        assert_eq!(hand.ask().ended, [PollResult::Ok]);
        start += INTERVAL;
        read.mark
    };
    assert_eq!(poll(&[30]), None);
    assert_eq!(poll(&[30, 3_000]), mark, "all of it was of the past");
    assert_eq!(poll(&[30, 3_000]), None, "it has an attempt that is dated ahead, which is one of the present one day");
}

#[test]
fn a_poll_that_does_not_read_all_logs_is_over_before_the_next_one_however_slow_calls_are() {
    let numbers: Vec<u32> = (1..=120).collect();
    let mut hand = Hand::watching(&numbers);
    // 84 logs in each interval; but of eight at once, each of nine seconds, there are no more than 56.
    hand.fleet.limit_rate(1.5);
    let start = hand.fleet.wake_at();
    let asked = hand.at_time(start);
    hand.listed(asked.list(), &numbers);
    let (mut under_way, mut reads) = (Vec::new(), 0);
    let result = loop {
        let asked = hand.at_time(hand.clock + Duration::from_millis(100));
        if let Some(result) = asked.ended.first() {
            break *result;
        }
        reads += asked.reads.len();
        under_way.extend(asked.reads.into_iter().map(|read| (hand.clock + Duration::from_secs(9), read)));
        let (ended, going_on): (Vec<_>, Vec<_>) = under_way.into_iter().partition(|(ends, _)| *ends <= hand.clock);
        ended.iter().for_each(|(_, read)| hand.reads(read, &[]));
        under_way = going_on;
    };
    assert_eq!(result, PollResult::Ok, "what has only just begun has not failed");
    assert!(!under_way.is_empty() && (40..=56).contains(&reads), "{reads} reads, {} under way", under_way.len());
    assert_eq!(hand.fleet.wake_at(), start + Duration::from_secs(INTERVAL), "no poll is skipped");
}

#[test]
fn a_log_that_fails_is_tried_again_long_before_the_turn_that_it_would_have() {
    let numbers: Vec<u32> = (1..=40).collect();
    let mut hand = Hand::watching(&numbers);
    hand.fleet.limit_rate(0.12);
    assert_eq!(hand.fleet.read_interval(), Duration::from_secs(INTERVAL * 8), "five logs in each interval");
    let mut called_in = Vec::new();
    for poll in 1..=12 {
        let asked = hand.at(INTERVAL * poll);
        hand.listed(asked.list(), &numbers);
        let mut ended = Vec::new();
        while ended.is_empty() {
            let asked = hand.wake();
            for read in &asked.reads {
                if read.id == id(1) {
                    called_in.push(poll);
                    hand.fails(read, Reach::Call);
                } else {
                    hand.reads(read, &[]);
                }
            }
            ended = asked.ended;
        }
    }
    let waits: Vec<u64> = called_in.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.len() >= 3 && waits.iter().all(|wait| *wait <= 5), "{called_in:?}");
}

#[test]
fn a_list_that_comes_late_makes_a_poll_read_no_more_logs_than_it_may() {
    let numbers: Vec<u32> = (1..=40).collect();
    let mut hand = Hand::watching(&numbers);
    hand.fleet.limit_rate(0.12);
    let asked = hand.at(INTERVAL);
    let mut reads = 0;
    while hand.clock < Duration::from_secs(INTERVAL + LIST_IS_LATE + 10) {
        let asked = hand.at_time(hand.clock + Duration::from_secs(1));
        reads += asked.reads.len();
        hand.works_all(&asked);
    }
    assert_eq!(reads, 5, "the logs do not wait for the list");
    hand.listed(asked.list(), &numbers);
    let asked = hand.ask();
    assert_eq!((asked.reads.len(), asked.ended), (0, vec![PollResult::Ok]));
}
