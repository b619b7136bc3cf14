use std::sync::Arc;

use delivery_ledger::{Failure, FailureReason, Position, Retention, UnixMillis};

use super::{WebhookState, render};
use crate::snapshot::{Overview, WebhookRow};
use crate::words::{ago, every, remedy, span};

/// 2026-03-01 02:59:58 UTC.
const NOW: UnixMillis = UnixMillis::from_secs(1_772_333_998);
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

fn seconds_ago(seconds: i64) -> UnixMillis {
    NOW.plus_millis(-1_000 * seconds)
}

fn failure(seconds: i64, reason: FailureReason, status: Option<u16>) -> Option<Failure> {
    {
        let at = seconds_ago(seconds);
        Some(Failure { position: Position::after(at), at, reason, status, retry: 1 })
    }
}

fn healthy(label: &str) -> WebhookRow {
    WebhookRow {
        id: format!("id-of-{label}"),
        label: label.into(),
        name: format!("Name of {label}"),
        trigger: "create-edit-delete-task".into(),
        target_host: "hooks.example.com".into(),
        is_active: true,
        is_readable: Some(true),
        problem: None,
        read_at: Some(seconds_ago(12)),
        is_blocked: false,
        consecutive_failures: 0,
        failing_since: None,
        last_success: Some(seconds_ago(3 * MINUTE)),
        last_failure: None,
        attempts: 1234,
        failures: 0,
        pending: 0,
        pending_since: None,
        delivered: 1234,
        lost: 0,
        gaps: 0,
        retention: Retention::Unknown,
        lost_events: Arc::default(),
        pending_events: Arc::default(),
        recent: Arc::default(),
    }
}

fn failing(label: &str) -> WebhookRow {
    WebhookRow {
        consecutive_failures: 5,
        failing_since: Some(seconds_ago(12 * MINUTE)),
        last_failure: failure(40, FailureReason::Timeout, None),
        ..healthy(label)
    }
}

fn blocked(label: &str) -> WebhookRow {
    WebhookRow {
        is_blocked: true,
        pending: 4,
        pending_since: Some(seconds_ago(11 * MINUTE)),
        lost: 3,
        ..failing(label)
    }
}

fn lossy(label: &str) -> WebhookRow {
    WebhookRow { lost: 2, last_failure: failure(7_300, FailureReason::Http5xx, Some(503)), ..healthy(label) }
}

fn unreadable(label: &str) -> WebhookRow {
    WebhookRow {
        is_readable: Some(false),
        problem: Some("the API responded 403".into()),
        read_at: Some(seconds_ago(21 * MINUTE)),
        ..healthy(label)
    }
}

fn stale(label: &str) -> WebhookRow {
    WebhookRow { read_at: Some(seconds_ago(4 * MINUTE)), ..healthy(label) }
}

fn unread(label: &str) -> WebhookRow {
    WebhookRow { is_readable: None, read_at: None, ..healthy(label) }
}

fn inactive(label: &str) -> WebhookRow {
    WebhookRow { is_active: false, ..healthy(label) }
}

fn overview(webhooks: Vec<WebhookRow>) -> Overview {
    Overview {
        webhooks,
        dropped: 0,
        is_api_up: Some(true),
        api_problem: None,
        listed_at: Some(seconds_ago(12)),
        server_ahead_millis: 0,
        poll_interval_millis: 60_000,
    }
}

fn page(overview: &Overview) -> String {
    render(overview, NOW, "/metrics", "1.2.3")
}

fn headline_of(overview: &Overview) -> String {
    let page = page(overview);
    let (_, rest) = page.split_once("<h1>").expect("a headline");
    rest.split_once("</h1>").expect("its end").0.into()
}

fn state_of(webhook: &WebhookRow) -> WebhookState {
    WebhookState::of(webhook, &overview(Vec::new()), NOW)
}

#[test]
fn each_state_has_its_facts() {
    for (webhook, expected) in [
        (blocked("a"), WebhookState::Blocked),
        (failing("a"), WebhookState::Failing),
        (lossy("a"), WebhookState::Lost),
        (unreadable("a"), WebhookState::Unreadable),
        (stale("a"), WebhookState::Stale),
        (unread("a"), WebhookState::Unread),
        (inactive("a"), WebhookState::Inactive),
        (healthy("a"), WebhookState::Healthy),
    ] {
        assert_eq!(state_of(&webhook), expected);
    }
}

#[test]
fn the_worse_state_wins() {
    assert_eq!(state_of(&WebhookRow { is_readable: Some(false), ..blocked("a") }), WebhookState::Blocked);
    assert_eq!(state_of(&WebhookRow { lost: 1, ..failing("a") }), WebhookState::Failing);
    assert_eq!(state_of(&WebhookRow { is_readable: None, ..lossy("a") }), WebhookState::Lost);
    assert_eq!(state_of(&WebhookRow { is_active: false, ..unreadable("a") }), WebhookState::Unreadable);
}

#[test]
fn a_webhook_that_is_switched_off_does_not_fail_but_its_losses_stay_losses() {
    assert_eq!(state_of(&WebhookRow { is_active: false, ..failing("a") }), WebhookState::Inactive);
    assert_eq!(state_of(&WebhookRow { is_active: false, ..lossy("a") }), WebhookState::Lost);
}

#[test]
fn a_loss_needs_attention_for_three_days() {
    let lost = |seconds| WebhookRow { last_failure: failure(seconds, FailureReason::Dns, None), ..lossy("a") };
    assert_eq!(state_of(&lost(3 * DAY)), WebhookState::Lost);
    assert_eq!(state_of(&lost(3 * DAY + 1)), WebhookState::Healthy);
    assert_eq!(state_of(&WebhookRow { last_failure: None, ..lossy("a") }), WebhookState::Lost);
}

#[test]
fn a_log_is_stale_after_three_intervals_and_never_without_one() {
    let read = |seconds| WebhookRow { read_at: Some(seconds_ago(seconds)), ..healthy("a") };
    assert_eq!(state_of(&read(180)), WebhookState::Healthy);
    assert_eq!(state_of(&read(181)), WebhookState::Stale);
    assert_eq!(WebhookState::of(&read(181), &Overview::default(), NOW), WebhookState::Healthy);
}

#[test]
fn what_is_broken_stands_first_and_the_longest_trouble_before_the_rest() {
    let longer = WebhookRow { failing_since: Some(seconds_ago(DAY)), ..failing("longer") };
    let page = page(&overview(vec![
        healthy("zulu"),
        healthy("Alpha"),
        inactive("inactive"),
        unread("unread"),
        stale("stale"),
        unreadable("unreadable"),
        lossy("lossy"),
        failing("failing"),
        longer,
        blocked("blocked"),
    ]));
    let order = ["blocked", "longer", "failing", "lossy", "unreadable", "stale", "unread", "inactive", "Alpha", "zulu"];
    let places: Vec<_> = order.map(|label| page.find(&format!("<bdi>{label}</bdi>"))).into();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
}

#[test]
fn the_headline_says_the_state_in_one_sentence() {
    let all = |webhooks: Vec<WebhookRow>| headline_of(&overview(webhooks));
    assert_eq!(all(vec![healthy("a"), healthy("b")]), "All 2 webhooks deliver");
    assert_eq!(all(vec![healthy("a")]), "The webhook delivers");
    assert_eq!(all(vec![healthy("a"), inactive("b")]), "The active webhook delivers, 1 switched off");
    assert_eq!(all(vec![inactive("a"), inactive("b")]), "All 2 webhooks are switched off");
    assert_eq!(all(vec![healthy("a"), unread("b")]), "1 webhook delivers, 1 not read yet");
    assert_eq!(all(vec![unread("a"), unread("b")]), "2 webhooks not read yet");
    assert_eq!(
        all(vec![blocked("a"), healthy("b"), healthy("c")]),
        "1 of 3 webhooks needs attention: 1 blocked, 3 events lost"
    );
    assert_eq!(
        all(vec![lossy("a"), failing("b"), unreadable("c"), stale("d")]),
        "All 4 webhooks need attention: 1 failing, 2 events lost, 1 log unreadable, 1 stale"
    );
    assert_eq!(all(vec![failing("a")]), "The webhook needs attention: 1 failing");
}

#[test]
fn nothing_to_show_has_its_own_sentences() {
    let nothing = |is_api_up| Overview { is_api_up, listed_at: None, ..overview(Vec::new()) };
    assert_eq!(headline_of(&nothing(None)), "The first poll is still running");
    assert_eq!(headline_of(&nothing(Some(true))), "There are no webhooks to watch");
    assert_eq!(headline_of(&nothing(Some(false))), "The Cotalker API cannot be read, and there is no data yet");
    assert!(page(&nothing(Some(false))).contains("The list of webhooks has not been read since the start."));
    assert!(page(&Overview::default()).contains("There is no data yet."));
}

#[test]
fn an_api_that_cannot_be_read_is_said_with_the_cause_and_since_when() {
    let down = Overview {
        is_api_up: Some(false),
        api_problem: Some("the API responded 401: the token is invalid".into()),
        listed_at: Some(seconds_ago(15 * MINUTE)),
        ..overview(vec![healthy("a"), healthy("b")])
    };
    assert_eq!(headline_of(&down), "The Cotalker API cannot be read. Last known: all 2 webhooks deliver");
    let page = page(&down);
    assert!(page.contains("The API responded 401: the token is invalid. The data is stale, and no count changes."));
    assert!(
        page.contains(r#"<time datetime="2026-03-01T02:44:58Z" title="2026-03-01 02:44:58 UTC">15 minutes ago</time>"#)
    );
}

#[test]
fn a_blocked_webhook_says_why_since_when_and_what_is_at_stake() {
    let page = page(&overview(vec![blocked("a")]));
    for expected in [
        "for 12 minutes, since 02:47 UTC",
        "The receiver does not respond (timeout). The last 5 attempts failed, the newest 40 s ago.",
        "all later events wait until the failed one is delivered or lost",
        "4 events are pending, the oldest for 11 minutes.",
        "3 events have been lost since counting started.",
        "Check that hooks.example.com is up and responds in time.",
        "Replay the lost events by hand.",
        "1,234",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn one_of_a_kind_is_told_in_the_singular() {
    let page = page(&overview(vec![WebhookRow { pending: 1, lost: 1, gaps: 1, ..blocked("a") }]));
    for expected in [
        "1 event is pending, for 11 minutes.",
        "1 event has been lost since counting started. Cotalker will not send it again.",
        "A poll had no overlap with the previous poll: entries may have been missed, and counts may be too low.",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn stale_data_is_called_stale() {
    let page = page(&Overview { listed_at: Some(seconds_ago(4 * MINUTE)), ..overview(vec![stale("a")]) });
    for expected in [
        "The data is stale: a poll is due every minute, but the list of webhooks was last read",
        "The data is stale: a poll is due every minute, but the log has not been read.",
        "last read 4 minutes ago, at 02:55 UTC",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn every_reason_has_a_sentence_and_a_remedy() {
    for &reason in FailureReason::ALL {
        for status in [None, Some(503)] {
            let failure = failure(0, reason, status).expect("a failure");
            assert!(
                !failure.reason.explain(failure.status).is_empty() && remedy(&failure, "").ends_with('.'),
                "{reason:?}"
            );
        }
    }
    let why = |reason: FailureReason, status| reason.explain(status);
    assert_eq!(why(FailureReason::Http5xx, Some(503)), "the receiver responded with 503");
    assert_eq!(why(FailureReason::Http4xx, Some(401)), "the receiver refused the event with 401");
    assert_eq!(why(FailureReason::CertificateExpired, None), "the receiver's certificate has expired");
}

#[test]
fn ages_in_logs_go_by_the_servers_clock_and_those_of_polls_by_the_local_one() {
    let ahead = Overview { server_ahead_millis: 600_000, ..overview(vec![healthy("a")]) };
    let page = page(&ahead);
    assert!(page.contains(">13 minutes ago</time>"), "the last success, 3 minutes before the local now");
    assert!(page.contains(">12 s ago</time>"), "the last poll");
}

#[test]
fn hostile_names_are_text_and_bounded() {
    let name = format!("<img src=x onerror=alert(1)>\u{202e}🎉{}", "w".repeat(100_000));
    let label = "\"><script>alert(1)</script>".to_owned();
    for make in [healthy as fn(&str) -> WebhookRow, blocked] {
        let webhook = WebhookRow { name: name.clone(), label: label.clone(), target_host: label.clone(), ..make("a") };
        let page = page(&overview(vec![webhook]));
        assert!(!page.contains("<script") && !page.contains("<img"));
        assert!(page.len() < 20_000, "{}", page.len());
    }
}

#[test]
fn further_webhooks_are_mentioned_and_the_footer_links() {
    let page = render(&Overview { dropped: 1, ..overview(vec![healthy("a")]) }, NOW, "/x\"y", "1.2.3");
    assert!(page.contains("1 further webhook is not watched"));
    for expected in ["/x&#34;y", "href=\"/-/healthy\"", "href=\"/-/ready\"", "1.2.3"] {
        assert!(page.contains(expected), "{expected}");
    }
    assert!(!page.contains("<script"));
}

#[test]
fn times_that_no_calendar_has_break_nothing() {
    for at in [UnixMillis::MIN, UnixMillis::MAX] {
        let webhook =
            WebhookRow { last_success: Some(at), failing_since: Some(at), pending_since: Some(at), ..blocked("a") };
        assert!(page(&overview(vec![webhook])).contains("unknown"));
    }
}

#[test]
fn spans_are_in_one_unit() {
    for (seconds, expected) in [
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 minute"),
        (3_599, "59 minutes"),
        (3_600, "1 hour"),
        (47 * 3_600, "47 hours"),
        (48 * 3_600, "2 days"),
        (4_000 * DAY, "4,000 days"),
    ] {
        assert_eq!(span(seconds * 1_000), expected);
    }
    assert_eq!((ago(-1), ago(1_500)), ("just now".into(), "1 s ago".into()));
    assert_eq!(
        (every(60_000), every(90_000), every(5_000)),
        ("every minute".into(), "every minute".into(), "every 5 s".into())
    );
}
