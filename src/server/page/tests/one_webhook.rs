//! The page of one webhook.

use std::sync::Arc;

use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, FailureReason, Ledger, ObjectId, Outcome, Policy, Position,
    Retention, ServerTime, SubjectId,
};
use http::HeaderMap;

use super::super::{Links, View, write_webhook_page};
use crate::snapshot::{Overview, WebhookRow};
use crate::words::Language;

use super::fixtures::*;

/// An attempt of an event; both are told apart by one number.
fn attempt(seconds: i64, number: u8, retry: u32, outcome: Outcome) -> Attempt {
    let at = seconds_ago(seconds);
    let second = u32::try_from(at.as_millis() / 1_000).expect("a second").to_be_bytes();
    let id = |tail: u8| {
        let mut bytes = [tail; 12];
        bytes[..4].copy_from_slice(&second);
        ObjectId::from_bytes(bytes)
    };
    let event = Event {
        key: EventKey::of([None, None, None, None, Some(&number.to_string())]),
        event_type: EventType::Task,
        action: Action::Edit,
        created_at: Some(seconds_ago(3_600)),
        subject: Some(SubjectId(ObjectId::from_bytes([number; 12]))),
    };
    Attempt { id: AttemptId(id(number)), at, outcome, retry, event: Some(event) }
}

/// A webhook with what a log of these attempts comes to.
fn with_log(webhook: WebhookRow, attempts: Vec<Attempt>) -> WebhookRow {
    let policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };
    let mut ledger = Ledger::new(Position::START);
    let now = ServerTime::certain(NOW);
    let mut reading = ledger.read(now, &policy);
    attempts.into_iter().for_each(|attempt| reading.observe(attempt));
    let response = reading.finish();
    ledger.fold(response, &policy);
    let events = ledger.events();
    WebhookRow {
        lost: events.lost(),
        pending: events.pending(),
        lost_events: Arc::clone(events.lost_events()),
        pending_events: Arc::clone(events.pending_events()),
        recent: Arc::clone(ledger.recent()),
        ..webhook
    }
}

fn webhook_page(overview: &Overview, id: &str, language: Language) -> Option<String> {
    let mut page = String::new();
    let view = View { links: Links::from_below(&HeaderMap::new()), ..view(language, "") };
    write_webhook_page(overview, id, &view, &mut page).expect("a page").then_some(page)
}

#[test]
fn the_page_of_a_webhook_lists_what_to_replay_with_its_ids() {
    let timeout = Outcome::Failure { reason: FailureReason::Timeout, status: None };
    let refused = Outcome::Failure { reason: FailureReason::Http4xx, status: Some(422) };
    let attempts = vec![
        attempt(600, 0xaa, 3, timeout),
        attempt(300, 0xbb, 1, refused),
        attempt(100, 0xcc, 0, Outcome::Success { status: 204 }),
    ];
    let webhook = WebhookRow { retention: Retention::Newest(100), ..with_log(blocked("a"), attempts) };
    let overview = overview(vec![webhook]);
    let page = webhook_page(&overview, "id-of-a", Language::English).expect("a page");
    let entry = |seconds: i64, number: u8| attempt(seconds, number, 0, timeout).id.to_string();
    let table = |id: &str| between(&page, &format!("<section id=\"{id}\">"), "</section>").to_owned();

    let lost = table("lost");
    assert_has(
        &lost,
        &[
            &entry(600, 0xaa),
            "<code>aaaaaaaaaaaaaaaaaaaaaaaa</code>",
            "COTTask edit",
            "<time datetime=\"2026-03-01T01:59:58Z\">01:59:58</time>",
            "<time datetime=\"2026-03-01T02:49:58Z\">02:49:58</time>",
            "the receiver does not respond (timeout)",
            "data-name=\"Retry\">3<",
            "Lost events <span class=\"count\">1</span>",
        ],
    );
    assert_eq!(lost.matches("<tr>").count(), 2, "a head and one event");
    let pending = table("pending");
    assert_has(&pending, &[&entry(300, 0xbb), "<code>bbbbbbbbbbbbbbbbbbbbbbbb</code>", "refused the event with 422"]);
    let newest = table("attempts");
    assert_has(&newest, &[&entry(100, 0xcc), &entry(300, 0xbb), &entry(600, 0xaa), "delivered, 204"]);
    assert_has(
        &page,
        &["the newest 100 entries", "href=\"../\">All webhooks</a>", "href=\"../metrics\"", "href=\"#lost\""],
    );
    assert_eq!(page.matches("All times are UTC.").count(), 1);
}

#[test]
fn the_page_of_a_webhook_folds_all_but_the_newest_lines_of_a_table() {
    let timeout = Outcome::Failure { reason: FailureReason::Timeout, status: None };
    let attempts = (1..=14).map(|number| attempt(i64::from(number) * 60, number, 3, timeout)).collect();
    let overview = overview(vec![with_log(healthy("a"), attempts)]);
    let page = webhook_page(&overview, "id-of-a", Language::English).expect("a page");
    for table in ["lost", "attempts"] {
        let table = between(&page, &format!("<section id=\"{table}\">"), "</section>");
        let (shown, folded) = table.split_once("<summary>4 more</summary>").expect("a fold");
        let lines = |part: &str| part.matches("<tr>").count() - 1;
        assert_eq!((lines(shown), lines(folded)), (10, 4), "besides a head each");
        assert_has(shown, &[&attempt(60, 1, 3, timeout).id.to_string()]);
        assert_has(folded, &[&attempt(14 * 60, 14, 3, timeout).id.to_string()]);
    }
    assert!(!between(&page, "<section id=\"pending\">", "</section>").contains("<details"));
}

#[test]
fn the_page_of_a_webhook_says_what_it_does_not_list() {
    let webhook = WebhookRow { lost: 214, retention: Retention::ForMillis(72 * 3_600_000), ..healthy("a") };
    let mut overview = overview(vec![webhook]);
    for (language, expected) in [
        (Language::English, ["None of the 214 can be listed", "No event is pending.", "entries for at least 3 days"]),
        (
            Language::Spanish,
            [
                "No se puede mostrar ninguno de los 214",
                "Ningún evento está pendiente.",
                "las entradas por al menos 3 días",
            ],
        ),
    ] {
        assert_has(&webhook_page(&overview, "id-of-a", language).expect("a page"), &expected);
    }
    assert_eq!(webhook_page(&overview, "id-of-b", Language::English), None);
    overview.webhooks = vec![healthy("a")].into();
    assert_has(&webhook_page(&overview, "ID-OF-A", Language::English).expect("a page"), &["No lost event is known."]);
    assert_has(&webhook_page(&overview, "id-of-a", Language::English).expect("a page"), &["not known yet"]);
}

#[test]
fn the_page_of_a_webhook_tells_of_an_api_that_cannot_be_read() {
    let page = webhook_page(&api_down(vec![healthy("a")]), "id-of-a", Language::Spanish).expect("a page");
    assert_has(&page, &["La API respondió 401", "log inaccesible"]);
}

#[test]
fn an_event_that_was_delivered_after_all_needs_no_replay() {
    let timeout = Outcome::Failure { reason: FailureReason::Timeout, status: None };
    let webhook = with_log(lossy("a"), vec![attempt(600, 1, 3, timeout)]);
    assert_eq!(webhook.lost, 1);
    let policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };
    let mut ledger = Ledger::new(Position::START);
    for outcome in [timeout, Outcome::Success { status: 200 }] {
        let now = ServerTime::certain(NOW);
        let mut reading = ledger.read(now, &policy);
        let seconds = if outcome == timeout { 600 } else { 60 };
        reading.observe(attempt(seconds, 1, 3, outcome));
        let response = reading.finish();
        ledger.fold(response, &policy);
    }
    let webhook = WebhookRow { lost_events: Arc::clone(ledger.events().lost_events()), ..webhook };
    let page = webhook_page(&overview(vec![webhook]), "id-of-a", Language::English).expect("a page");
    assert_has(&page, &["Delivered after all at 02:58:58: nothing to replay."]);
}
