//! Which webhooks are watched, against a model that does it the slow way. The daemon and `check` both select by
//! [`select`], so what holds here holds for both.

use delivery_ledger::{ObjectId, Webhook, WebhookId, select, select_ids};
use proptest::prelude::*;
use proptest::sample::select as one_of;

/// So many random lists, filters and limits.
const CASES: u32 = 1_000;

fn id(number: u8) -> WebhookId {
    WebhookId(ObjectId::from_bytes([7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, number]))
}

/// A list of webhooks in any order, some of them twice under different codes. Names tell the entries apart.
fn lists() -> impl Strategy<Value = Vec<Webhook>> {
    let entries = (0_u8..24, one_of(vec!["", "orders", "orders-2", "users", "users-2", "notes"]));
    prop::collection::vec(entries, 0..32).prop_map(|entries| {
        let webhook = |(index, (number, code)): (usize, (u8, &str))| Webhook {
            id: id(number),
            company: String::new(),
            code: code.to_owned(),
            name: format!("entry {index}"),
            trigger: String::new(),
            target_host: String::new(),
            active: index % 3 > 0,
        };
        entries.into_iter().enumerate().map(webhook).collect()
    })
}

/// What a filter by code may be: the codes that it admits have this start, and do not have this end.
fn filters() -> impl Strategy<Value = (&'static str, Option<&'static str>)> {
    (one_of(vec!["", "", "o", "users", "nothing"]), one_of(vec![None, None, Some("-2"), Some("s"), Some("")]))
}

fn limits() -> impl Strategy<Value = usize> {
    prop_oneof![0_usize..8, Just(10_000)]
}

/// Takes the oldest webhook that is left, again and again.
fn naive(list: &[Webhook], admits: impl Fn(&str) -> bool, limit: usize) -> (Vec<Webhook>, usize) {
    let (mut watched, mut dropped) = (Vec::new(), 0);
    for number in 0..=u8::MAX {
        let Some(first) = list.iter().find(|webhook| webhook.id == id(number)) else { continue };
        if !admits(&first.code) {
            continue;
        }
        if watched.len() < limit { watched.push(first.clone()) } else { dropped += 1 }
    }
    (watched, dropped)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_a_list_the_oldest_that_the_filter_admits_are_watched(
        list in lists(), (start, end) in filters(), limit in limits(),
    ) {
        let admits = |code: &str| code.starts_with(start) && !end.is_some_and(|end| code.ends_with(end));
        let selected = select(list.clone(), admits, limit);
        prop_assert_eq!((selected.watched, selected.dropped), naive(&list, admits, limit));
    }

    #[test]
    fn of_chosen_ids_the_oldest_are_watched(numbers in prop::collection::vec(0_u8..24, 0..32), limit in limits()) {
        let selected = select_ids(numbers.iter().copied().map(id).collect(), limit);
        let all: Vec<WebhookId> = (0..24).filter(|number| numbers.contains(number)).map(id).collect();
        let watched: Vec<WebhookId> = all.iter().copied().take(limit).collect();
        prop_assert_eq!(selected.dropped, all.len() - watched.len());
        prop_assert_eq!(selected.watched, watched);
    }
}
