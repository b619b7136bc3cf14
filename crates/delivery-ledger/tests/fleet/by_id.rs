//! Chosen webhooks: each is asked for by its id, and together these calls are the list.

use std::time::Duration;

use delivery_ledger::fleet::{PollResult, Reach};

use crate::hand::{Asked, Hand, INTERVAL, id};

/// All calls by id and all log calls work until the poll ends.
fn works_until_the_poll_ends(hand: &mut Hand, mut asked: Asked) -> Asked {
    while asked.ended.is_empty() {
        for (call, webhook) in &asked.describes {
            let number = (1..9).find(|number| id(*number) == *webhook).expect("a webhook of these tests");
            hand.described(*call, number);
        }
        hand.works_all(&asked);
        asked = hand.wake();
    }
    asked
}

/// Two chosen webhooks, of which a first poll was good.
fn watching() -> Hand {
    let mut hand = Hand::new(vec![id(1), id(2)]);
    let asked = hand.at(0);
    assert_eq!((asked.lists.len(), asked.describes.len()), (0, 2), "chosen ones need no list");
    assert_eq!(works_until_the_poll_ends(&mut hand, asked).ended, [PollResult::Ok]);
    hand
}

/// The next poll, up to where both are asked for.
fn asked_for_both(hand: &mut Hand, second: u64) -> [(delivery_ledger::fleet::CallId, delivery_ledger::WebhookId); 2] {
    let first = hand.at(second);
    let other = hand.wake();
    let both: Vec<_> = first.describes.into_iter().chain(other.describes).collect();
    both.try_into().expect("two calls")
}

#[test]
fn only_the_word_that_there_is_no_such_webhook_removes_it() {
    let mut hand = watching();
    let [one, other] = asked_for_both(&mut hand, INTERVAL);
    hand.not_described(one, Reach::Gone);
    hand.not_described(other, Reach::Api);
    assert_eq!((hand.attempts(1), hand.attempts(2)), (None, Some(0)));
    assert_eq!(hand.ask().ended, [PollResult::Failed]);
}

#[test]
fn a_log_is_read_though_its_call_by_id_fails_on_its_own() {
    let mut hand = watching();
    let [one, other] = asked_for_both(&mut hand, INTERVAL);
    hand.not_described(one, Reach::Call);
    hand.described(other.0, 2);
    let asked = hand.ask();
    assert_eq!(asked.read_ids(), [id(1), id(2)]);
    hand.works_all(&asked);
    assert_eq!(hand.ask().ended, [PollResult::Partial]);
    assert_eq!(hand.fleet.account().is_up, Some(true), "the list worked, for one of its calls did");
}

#[test]
fn one_that_is_not_asked_for_fails_no_list() {
    let mut hand = watching();
    let [one, other] = asked_for_both(&mut hand, INTERVAL);
    hand.described(one.0, 1);
    let read = hand.ask();
    hand.described(other.0, 2);
    let asked = hand.ask();
    hand.works_all(&asked);
    // The log of the first hangs into the next poll, which asks for the other only.
    assert_eq!(hand.wake().ended, [PollResult::Partial]);
    let asked = hand.at(INTERVAL * 2);
    assert_eq!(asked.describes.iter().map(|(_, id)| *id).collect::<Vec<_>>(), [id(2)]);
    hand.not_described(asked.describes[0], Reach::Call);
    let asked = hand.ask();
    hand.works_all(&asked);
    hand.works_all(&read);
    assert_eq!(hand.ask().ended, [PollResult::Partial]);
    assert_eq!(hand.fleet.account().is_up, Some(true));
}

#[test]
fn until_one_has_worked_all_are_tried_again_soon() {
    for restarted in [false, true] {
        let mut hand = if restarted { watching().restarted() } else { Hand::new(vec![id(1), id(2)]) };
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            let mut calls = Vec::new();
            while calls.len() < 2 {
                let asked = hand.wake();
                assert!(asked.ended.is_empty(), "a poll ended without its calls");
                calls.extend(asked.describes);
            }
            calls.into_iter().for_each(|call| hand.not_described(call, Reach::Api));
            assert_eq!(hand.ask().ended, [PollResult::Failed]);
            let waits = hand.fleet.wake_at() - hand.clock;
            assert!(waits <= Duration::from_secs(wait), "{waits:?} instead of {wait} s");
        }
    }
}

#[test]
fn one_that_appears_is_shown_at_0_at_once_and_read_in_the_next_poll() {
    let mut hand = Hand::new(vec![id(1), id(2)]);
    let asked = hand.at(0);
    let missing = asked.describes[0];
    hand.not_described(missing, Reach::Gone);
    hand.described(asked.describes[1].0, 2);
    let asked = hand.ask();
    hand.works_all(&asked);
    assert_eq!((hand.ask().ended, hand.attempts(1)), (vec![PollResult::Partial], None));

    let asked = hand.at(INTERVAL);
    hand.described(asked.describes[0].0, 1);
    let shown = hand.ask();
    assert_eq!((shown.shows, shown.read_ids().len(), hand.attempts(1)), (1, 0, Some(0)));
    let asked = hand.wake();
    works_until_the_poll_ends(&mut hand, asked);
    let asked = hand.at(INTERVAL * 2);
    hand.described(asked.describes[0].0, 1);
    assert_eq!(hand.ask().read_ids(), [id(1)]);
}

#[test]
fn during_a_pause_no_log_is_read_after_its_call_by_id() {
    let mut hand = watching();
    let [one, other] = asked_for_both(&mut hand, INTERVAL);
    hand.not_described(one, Reach::Call);
    let asked = hand.ask();
    hand.paused_until(INTERVAL + 20);
    hand.described(other.0, 2);
    assert!(hand.ask().reads.is_empty());
    hand.works_all(&asked);
    let asked = hand.at(INTERVAL + 20);
    assert_eq!(asked.describes.iter().map(|(_, id)| *id).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(works_until_the_poll_ends(&mut hand, asked).ended, [PollResult::Partial]);
    assert_eq!(hand.is_up(2), Some(true));
}
