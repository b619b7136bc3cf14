//! One webhook, in short and with all that is known of it.

use delivery_ledger::UnixMillis;
use serde::Serialize;

use super::super::page::WebhookState;
use super::retention::LogRetention;
use crate::json::{AttemptJson, FailureJson, LostEventJson, PendingEventJson, Time};
use crate::snapshot::{Overview, WebhookRow};

/// Of more pending events than this, only the newest are listed: a response is bounded, whatever happens. As many as of the
/// lost ones: docs/specification.md, rule 11.
const MOST_PENDING: usize = delivery_ledger::MAX_LOST;

/// What the status page says of a webhook. Times are the server's unless said otherwise.
#[derive(Serialize)]
pub(super) struct WebhookSummary<'a> {
    id: &'a str,
    /// The code, or the id where it has none: as in the label of the metrics.
    webhook: &'a str,
    name: &'a str,
    trigger: &'a str,
    target_host: &'a str,
    active: bool,
    state: &'static str,
    /// Whether the log could be read last time; `None` before the first.
    readable: Option<bool>,
    problem: Option<String>,
    /// By the exporter's clock.
    read_at: Option<Time>,
    blocked: bool,
    consecutive_failures: u64,
    failing_since: Option<Time>,
    last_success_at: Option<Time>,
    last_failure: Option<FailureJson>,
    attempts: u64,
    failures: u64,
    delivered: u64,
    lost: u64,
    pending: u64,
    pending_since: Option<Time>,
    gaps: u64,
    log_retention: LogRetention,
}

impl<'a> WebhookSummary<'a> {
    pub(super) fn new(row: &'a WebhookRow, overview: &Overview, now: UnixMillis) -> Self {
        Self {
            id: &row.id,
            webhook: &row.label,
            name: &row.name,
            trigger: &row.trigger,
            target_host: &row.target_host,
            active: row.is_active,
            state: state(WebhookState::of(row, overview, now)),
            readable: row.is_readable,
            problem: row.problem.as_ref().map(ToString::to_string),
            read_at: row.read_at.map(Time),
            blocked: row.is_blocked,
            consecutive_failures: row.consecutive_failures,
            failing_since: row.failing_since.map(Time),
            last_success_at: row.last_success.map(Time),
            last_failure: row.last_failure.as_ref().map(FailureJson::from),
            attempts: row.attempts,
            failures: row.failures,
            delivered: row.delivered,
            lost: row.lost,
            pending: row.pending,
            pending_since: row.pending_since.map(Time),
            gaps: row.gaps,
            log_retention: row.retention.into(),
        }
    }
}

/// The same with the events to replay and the newest attempts, the newest first.
#[derive(Serialize)]
pub(super) struct WebhookDetails<'a> {
    /// By the exporter's clock.
    made_at: Time,
    #[serde(flatten)]
    summary: WebhookSummary<'a>,
    lost_events: Vec<LostEventJson>,
    pending_events: Vec<PendingEventJson>,
    recent_attempts: Vec<AttemptJson>,
}

impl<'a> WebhookDetails<'a> {
    pub(super) fn new(row: &'a WebhookRow, overview: &Overview, now: UnixMillis) -> Self {
        let pending = row.pending_events.newest_first().into_iter().take(MOST_PENDING);
        Self {
            made_at: Time(now),
            summary: WebhookSummary::new(row, overview, now),
            lost_events: row.lost_events.newest_first().into_iter().map(LostEventJson::from).collect(),
            pending_events: pending.map(PendingEventJson::from).collect(),
            recent_attempts: row.recent.newest_first().iter().map(AttemptJson::from).collect(),
        }
    }
}

/// The state as a word that never changes, unlike the one on the page.
const fn state(state: WebhookState) -> &'static str {
    match state {
        WebhookState::Blocked => "blocked",
        WebhookState::Failing => "failing",
        WebhookState::Lost => "lost",
        WebhookState::Unreadable => "unreadable",
        WebhookState::Stale => "stale",
        WebhookState::Unread => "unread",
        WebhookState::Inactive => "inactive",
        WebhookState::Healthy => "healthy",
    }
}
