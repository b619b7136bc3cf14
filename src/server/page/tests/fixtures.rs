//! Webhooks in each state, and the pages that show them.

use std::sync::Arc;

use delivery_ledger::{Failure, FailureReason, Position, Retention, UnixMillis};
use http::{HeaderMap, StatusCode};

use super::super::{Links, PageQuery, View, WebhookState, write_status_page};
use crate::api::CallError;
use crate::snapshot::{Overview, Part, WebhookRow};
use crate::words::Language;

/// 2026-03-01 02:59:58 UTC.
pub(super) const NOW: UnixMillis = UnixMillis::from_secs(1_772_333_998);
pub(super) const MINUTE: i64 = 60;
pub(super) const DAY: i64 = 86_400;

pub(super) fn seconds_ago(seconds: i64) -> UnixMillis {
    NOW.plus_millis(-1_000 * seconds)
}

pub(super) fn failure(seconds: i64, reason: FailureReason, status: Option<u16>) -> Option<Failure> {
    {
        let at = seconds_ago(seconds);
        Some(Failure { position: Position::after(at), at, reason, status, retry: 1 })
    }
}

pub(super) fn status(code: u16) -> CallError {
    CallError::from_status(StatusCode::from_u16(code).expect("a status"))
}

pub(super) fn healthy(label: &str) -> WebhookRow {
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
        poll_interval_millis: 60_000,
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

pub(super) fn failing(label: &str) -> WebhookRow {
    WebhookRow {
        consecutive_failures: 5,
        failing_since: Some(seconds_ago(12 * MINUTE)),
        last_failure: failure(40, FailureReason::Timeout, None),
        ..healthy(label)
    }
}

pub(super) fn blocked(label: &str) -> WebhookRow {
    WebhookRow {
        is_blocked: true,
        pending: 4,
        pending_since: Some(seconds_ago(11 * MINUTE)),
        lost: 3,
        ..failing(label)
    }
}

pub(super) fn lossy(label: &str) -> WebhookRow {
    WebhookRow { lost: 2, last_failure: failure(7_300, FailureReason::Http5xx, Some(503)), ..healthy(label) }
}

pub(super) fn unreadable(label: &str) -> WebhookRow {
    WebhookRow {
        is_readable: Some(false),
        problem: Some(status(403)),
        read_at: Some(seconds_ago(21 * MINUTE)),
        ..healthy(label)
    }
}

pub(super) fn stale(label: &str) -> WebhookRow {
    WebhookRow { read_at: Some(seconds_ago(4 * MINUTE)), ..healthy(label) }
}

pub(super) fn unread(label: &str) -> WebhookRow {
    WebhookRow { is_readable: None, read_at: None, ..healthy(label) }
}

pub(super) fn inactive(label: &str) -> WebhookRow {
    WebhookRow { is_active: false, ..healthy(label) }
}

pub(super) fn overview(webhooks: Vec<WebhookRow>) -> Overview {
    Overview {
        webhooks: webhooks.into(),
        dropped: 0,
        is_api_up: Some(true),
        api_problem: None,
        listed_at: Some(seconds_ago(12)),
        server_ahead_millis: 0,
        poll_interval_millis: 60_000,
        part: Part::Leads,
    }
}

pub(super) fn view(language: Language, query: &str) -> View {
    View {
        language,
        query: PageQuery::parse(query),
        links: Links::from_root(&HeaderMap::new()),
        now: NOW,
        telemetry_path: "/metrics".into(),
        version: "1.2.3",
    }
}

pub(super) fn page_for(overview: &Overview, view: &View) -> String {
    let mut page = String::new();
    write_status_page(overview, view, &mut page).expect("a page");
    page
}

pub(super) fn page(overview: &Overview) -> String {
    page_for(overview, &view(Language::English, ""))
}

pub(super) fn spanish_page(overview: &Overview) -> String {
    page_for(overview, &view(Language::Spanish, ""))
}

pub(super) fn filtered(overview: &Overview, query: &str) -> String {
    page_for(overview, &view(Language::English, query))
}

/// What stands between two texts.
#[track_caller]
pub(super) fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("no {start}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} after {start}")).0
}

pub(super) fn headline_of(overview: &Overview) -> String {
    between(&page(overview), "<h1>", "</h1>").into()
}

pub(super) fn headlines(webhooks: Vec<WebhookRow>) -> [String; 2] {
    let overview = overview(webhooks);
    [page(&overview), spanish_page(&overview)].map(|page| between(&page, "<h1>", "</h1>").into())
}

#[track_caller]
pub(super) fn assert_has(page: &str, expected: &[&str]) {
    for text in expected {
        assert!(page.contains(text), "{text:?} is missing in {page}");
    }
}

pub(super) fn state_of(webhook: &WebhookRow) -> WebhookState {
    WebhookState::of(webhook, &overview(Vec::new()), NOW)
}

/// The API responds with 401 to all calls since a quarter of an hour.
pub(super) fn api_down(webhooks: Vec<WebhookRow>) -> Overview {
    let webhooks = webhooks.into_iter().map(|webhook| WebhookRow {
        is_readable: Some(false),
        problem: Some(status(401)),
        read_at: Some(seconds_ago(15 * MINUTE)),
        ..webhook
    });
    Overview {
        is_api_up: Some(false),
        api_problem: Some(status(401)),
        listed_at: Some(seconds_ago(15 * MINUTE)),
        ..overview(webhooks.collect())
    }
}
