//! All webhooks, and how the account stands.

use delivery_ledger::UnixMillis;
use serde::Serialize;

use super::webhook::WebhookSummary;
use crate::json::{Seconds, Time};
use crate::snapshot::Overview;

#[derive(Serialize)]
pub(super) struct WebhookList<'a> {
    /// By the exporter's clock.
    made_at: Time,
    /// Whether the last list could be read; `None` before the first.
    api_up: Option<bool>,
    api_problem: Option<String>,
    /// By the exporter's clock.
    listed_at: Option<Time>,
    poll_interval_seconds: Seconds,
    /// By how much the server's clock is ahead of the exporter's.
    server_ahead_seconds: Seconds,
    webhooks_dropped: u64,
    webhooks: Vec<WebhookSummary<'a>>,
}

impl<'a> WebhookList<'a> {
    pub(super) fn new(overview: &'a Overview, now: UnixMillis) -> Self {
        Self {
            made_at: Time(now),
            api_up: overview.is_api_up,
            api_problem: overview.api_problem.as_ref().map(|error| format!("{error}. {}", error.advice())),
            listed_at: overview.listed_at.map(Time),
            poll_interval_seconds: Seconds(overview.poll_interval_millis),
            server_ahead_seconds: Seconds(overview.server_ahead_millis),
            webhooks_dropped: overview.dropped,
            webhooks: overview.webhooks.iter().map(|row| WebhookSummary::new(row, overview, now)).collect(),
        }
    }
}
