//! A webhook that needs attention: why, since when, what is at stake, and what to do.

use super::clocks::{Clocks, Moment, moment};
use super::state::WebhookState;
use super::webhook::{Identity, remarks};
use crate::snapshot::WebhookRow;
use crate::words::{ago, capitalised, clip, every, grouped, plural, remedy, span};

/// A webhook that needs attention.
pub(super) struct AttentionCard {
    pub(super) state: WebhookState,
    pub(super) who: Identity,
    pub(super) since: Option<Moment>,
    pub(super) sentences: Vec<String>,
    pub(super) to_do: Vec<String>,
    pub(super) facts: Vec<Fact>,
}

pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) when: Option<Moment>,
    pub(super) is_bad: bool,
}

pub(super) fn card(state: WebhookState, webhook: &WebhookRow, clocks: &Clocks) -> AttentionCard {
    let since = match state {
        WebhookState::Blocked | WebhookState::Failing => webhook.failing_since.map(|at| clocks.server_since(at)),
        WebhookState::Lost => webhook.last_failure.map(|failure| {
            let at = failure.at;
            moment(at, format!("last failure {}", ago(clocks.server_now.millis_since(at))))
        }),
        WebhookState::Unreadable | WebhookState::Stale => webhook.read_at.map(|at| {
            moment(at, format!("last read {}, at {}", ago(clocks.now.millis_since(at)), clocks.clock_time(at)))
        }),
        WebhookState::Unread | WebhookState::Inactive | WebhookState::Healthy => None,
    };
    let (sentences, to_do) = story(state, webhook, clocks);
    AttentionCard { state, who: Identity::of(webhook), since, sentences, to_do, facts: facts(webhook, clocks) }
}

/// Why a webhook needs attention and what is at stake, and what to do about it.
fn story(state: WebhookState, webhook: &WebhookRow, clocks: &Clocks) -> (Vec<String>, Vec<String>) {
    let mut sentences = Vec::new();
    let mut to_do = Vec::new();
    let is_failing = matches!(state, WebhookState::Blocked | WebhookState::Failing);

    if let Some(failure) = webhook.last_failure.filter(|_| is_failing) {
        let last = ago(clocks.server_now.millis_since(failure.at));
        let why = capitalised(&failure.reason.explain(failure.status));
        sentences.push(match webhook.consecutive_failures {
            0 | 1 => format!("{why}. The last attempt failed {last}."),
            some => format!("{why}. The last {} attempts failed, the newest {last}.", grouped(some)),
        });
        to_do.push(remedy(&failure, &webhook.target_host));
    }
    if state == WebhookState::Blocked {
        sentences.push(String::from(
            "Cotalker delivers strictly in order: all later events wait until the failed one is delivered or lost.",
        ));
    }
    if webhook.pending > 0 {
        let (verb, oldest) = if webhook.pending == 1 { ("is", "") } else { ("are", "the oldest ") };
        let since = webhook
            .pending_since
            .map_or_else(String::new, |at| format!(", {oldest}for {}", span(clocks.server_now.millis_since(at))));
        sentences.push(format!("{} {verb} pending{since}.", plural(webhook.pending, "event")));
    }
    if webhook.lost > 0 {
        let (verb, them) = if webhook.lost == 1 { ("has", "it") } else { ("have", "them") };
        let lost = plural(webhook.lost, "event");
        sentences.push(format!("{lost} {verb} been lost since counting started. Cotalker will not send {them} again."));
        if state == WebhookState::Lost
            && let Some(failure) = webhook.last_failure
        {
            sentences.push(format!("Deliveries work again. Last failure: {}.", failure.reason.explain(failure.status)));
        }
        to_do.push(format!("Replay the lost {} by hand.", if webhook.lost == 1 { "event" } else { "events" }));
    }
    match webhook.is_readable {
        Some(false) => {
            let problem = webhook
                .problem
                .as_deref()
                .map_or_else(String::new, |problem| format!(": {}", clip(problem.trim_end_matches('.'))));
            sentences.push(format!("The log of this webhook cannot be read{problem}. No count changes until it can."));
        }
        Some(true) if state == WebhookState::Stale => {
            let interval = every(clocks.poll_interval_millis);
            sentences.push(format!("The data is stale: a poll is due {interval}, but the log has not been read."));
            to_do.push(String::from("Check the exporter's log."));
        }
        Some(true) => {}
        None => sentences.push(String::from("The log has not been read since the start. The data is from before.")),
    }
    sentences.extend(remarks(webhook));
    if !webhook.is_active {
        sentences.push(String::from("This webhook is switched off."));
    }
    (sentences, to_do)
}

fn facts(webhook: &WebhookRow, clocks: &Clocks) -> Vec<Fact> {
    let count = |name, number, is_bad| Fact { name, value: grouped(number), when: None, is_bad: is_bad && number > 0 };
    let time = |name, when: Option<Moment>| Fact { name, value: String::from("never"), when, is_bad: false };
    vec![
        count("Attempts", webhook.attempts, false),
        count("Failed", webhook.failures, false),
        count("Delivered", webhook.delivered, false),
        count("Pending", webhook.pending, true),
        count("Lost", webhook.lost, true),
        time("Last success", webhook.last_success.map(|at| clocks.server_ago(at))),
        time("Log read", webhook.read_at.map(|at| clocks.local_ago(at))),
    ]
}
