//! Why one webhook needs attention and what is at stake, and what to do about it.

use super::clocks::{Clocks, Moment, moment};
use super::entry::Entry;
use super::webhook::remarks;
use crate::snapshot::WebhookRow;
use crate::webhook_state::WebhookState;
use crate::words::capitalised;

/// Why a webhook needs attention.
pub(super) struct Story {
    pub(super) since: Option<Moment>,
    /// The cause in a few words, where there is one.
    pub(super) brief: String,
    pub(super) sentences: Vec<String>,
    pub(super) to_do: Vec<ToDo>,
}

/// Something to do.
pub(super) struct ToDo {
    pub(super) text: String,
    /// Where on the page of the webhook there is more about it.
    pub(super) fragment: Option<&'static str>,
}

impl ToDo {
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), fragment: None }
    }
}

/// The place of the lost events on the page of a webhook.
pub(super) const LOST: &str = "lost";

/// When the trouble of a webhook began, or was seen last.
pub(super) fn since(entry: &Entry<'_>, clocks: &Clocks) -> Option<Moment> {
    let Entry { webhook, state, .. } = entry;
    match state {
        WebhookState::Blocked | WebhookState::Failing => webhook.failing_since.map(|at| clocks.server_since(at)),
        WebhookState::Lost => {
            let at = webhook.last_failure?.at;
            Some(moment(at, clocks.words.last_failed(clocks.server_age(at))))
        }
        WebhookState::Unreadable | WebhookState::Stale => {
            webhook.read_at.map(|at| moment(at, clocks.words.last_read(clocks.local_age(at), &clocks.clock_time(at))))
        }
        WebhookState::Unread | WebhookState::Inactive | WebhookState::Healthy => None,
    }
}

/// The cause in a few words; empty where there is none.
pub(super) fn brief(entry: &Entry<'_>, clocks: &Clocks) -> String {
    let Entry { webhook, state, .. } = entry;
    let words = clocks.words;
    match state {
        WebhookState::Blocked | WebhookState::Failing => {
            webhook.last_failure.map(|failure| words.why(failure.reason, failure.status)).unwrap_or_default()
        }
        WebhookState::Lost => words.lost(webhook.lost),
        WebhookState::Unreadable => {
            webhook.problem.as_ref().map(|problem| words.cause(&problem.cause)).unwrap_or_default()
        }
        WebhookState::Stale | WebhookState::Unread | WebhookState::Inactive | WebhookState::Healthy => String::new(),
    }
}

/// The whole story of one webhook.
pub(super) fn story(entry: &Entry<'_>, clocks: &Clocks) -> Story {
    let Entry { webhook, state, is_of_api } = *entry;
    let (words, labels) = (clocks.words, clocks.words.labels());
    let mut sentences = Vec::new();
    let mut to_do = Vec::new();

    let is_failing = matches!(state, WebhookState::Blocked | WebhookState::Failing);
    if let Some(failure) = webhook.last_failure.filter(|_| is_failing) {
        let why = capitalised(&words.why(failure.reason, failure.status));
        let age = clocks.server_age(failure.at);
        sentences.push(format!("{why}. {}", words.attempts_failed(webhook.consecutive_failures, age)));
        to_do.push(ToDo::of(words.remedy(failure.reason, failure.status, &webhook.target_host)));
    }
    if state == WebhookState::Blocked {
        sentences.push(labels.blocked_why.to_owned());
    }
    if webhook.pending > 0 {
        let oldest = webhook.pending_since.map(|at| clocks.server_age(at));
        sentences.push(words.events_pending(webhook.pending, oldest));
    }
    if webhook.lost > 0 {
        sentences.push(words.events_lost(webhook.lost));
        if let Some(failure) = webhook.last_failure.filter(|_| state == WebhookState::Lost) {
            sentences.push(words.recovered(&words.why(failure.reason, failure.status)));
        }
        to_do.push(ToDo { text: words.replay(webhook.lost), fragment: Some(LOST) });
    }
    if !is_of_api {
        tell_reading(webhook, state, clocks, &mut sentences, &mut to_do);
    }
    sentences.extend(remarks(webhook, words));
    if !webhook.is_active {
        sentences.push(labels.switched_off.to_owned());
    }
    Story { since: since(entry, clocks), brief: brief(entry, clocks), sentences, to_do }
}

/// What is wrong with reading its log.
fn tell_reading(
    webhook: &WebhookRow,
    state: WebhookState,
    clocks: &Clocks,
    sentences: &mut Vec<String>,
    to_do: &mut Vec<ToDo>,
) {
    let (words, labels) = (clocks.words, clocks.words.labels());
    match webhook.is_readable {
        Some(false) => {
            let cause = webhook.problem.as_ref().map(|problem| words.cause(&problem.cause));
            sentences.push(words.logs_unreadable(1, cause.as_deref()));
            to_do.extend(webhook.problem.as_ref().map(|problem| ToDo::of(words.advice(problem.advice))));
        }
        Some(true) if state == WebhookState::Stale => {
            sentences.push(words.logs_stale(1, webhook.poll_interval_millis));
            to_do.push(ToDo::of(labels.check_exporter));
        }
        Some(true) => {}
        None => sentences.push(labels.unread_since_start.to_owned()),
    }
}
