//! A cause that needs attention: which webhooks have it, since when, what is at stake, and what to do.

use super::cause::{Affected, Cause};
use super::clocks::{Clocks, Moment, moment};
use super::entry::Entry;
use super::story::{Story, ToDo, brief, since, story};
use super::webhook::{Chip, Identity};
use crate::snapshot::{Overview, WebhookRow};
use crate::webhook_state::{Tone, WebhookState};
use crate::words::{Words, capitalised};

/// So many webhooks of one cause are shown at once. A convention: they fit on a phone beside the cause.
const MOST_AT_ONCE: usize = 5;

/// A cause that needs attention.
pub(super) struct Card {
    pub(super) chip: Chip,
    pub(super) who: Identity,
    /// The webhook, if there is only one.
    pub(super) webhook: Option<String>,
    pub(super) story: Story,
    pub(super) facts: Vec<Fact>,
    /// The webhooks, if there are several: those that are shown at once, and the rest.
    pub(super) members: Vec<Member>,
    pub(super) others: Vec<Member>,
    /// The words that the rest is folded behind.
    pub(super) more: String,
}

pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) when: Option<Moment>,
    pub(super) is_bad: bool,
}

/// One webhook of several that have the same cause.
pub(super) struct Member {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) name: String,
    /// What differs from the others.
    pub(super) parts: Vec<String>,
}

pub(super) fn card(affected: &Affected<'_>, clocks: &Clocks) -> Card {
    if affected.others.is_empty() { single(&affected.worst, clocks) } else { several(affected, clocks) }
}

/// The card of a webhook that is alone with its cause.
fn single(entry: &Entry<'_>, clocks: &Clocks) -> Card {
    let webhook = entry.webhook;
    Card {
        chip: Chip::of(entry.state, clocks.words),
        who: Identity::of(webhook),
        webhook: Some(webhook.id.clone()),
        story: story(entry, clocks),
        facts: facts(webhook, clocks),
        members: Vec::new(),
        others: Vec::new(),
        more: String::new(),
    }
}

/// The card of a cause that several webhooks have.
fn several(affected: &Affected<'_>, clocks: &Clocks) -> Card {
    let (words, labels, worst) = (clocks.words, clocks.words.labels(), affected.worst);
    let count = affected.count();
    let sum =
        |of: fn(&WebhookRow) -> u64| affected.entries().map(|entry| of(entry.webhook)).fold(0, u64::saturating_add);
    let (pending, lost) = (sum(|webhook| webhook.pending), sum(|webhook| webhook.lost));
    let mut sentences = Vec::new();
    let mut to_do = Vec::new();
    let title = match affected.cause {
        Cause::Deliveries { host, reason, status } => {
            sentences.push(format!("{}.", capitalised(&words.why(reason, status))));
            to_do.push(ToDo::of(words.remedy(reason, status, host)));
            host.to_owned()
        }
        Cause::Lost => words.lost_of(count),
        Cause::Unreadable(problem) => {
            let cause = problem.map(|problem| words.cause(&problem.cause));
            sentences.push(words.logs_unreadable(count, cause.as_deref()));
            to_do.extend(problem.map(|problem| ToDo::of(words.advice(problem.advice))));
            words.logs_of(count)
        }
        Cause::Stale => {
            let longest = affected.entries().map(|entry| entry.webhook.poll_interval_millis).max();
            sentences.push(words.logs_stale(count, longest.unwrap_or_default()));
            to_do.push(ToDo::of(labels.check_exporter));
            words.logs_of(count)
        }
        // It is no other webhook's.
        Cause::Own(id) => id.to_owned(),
    };
    let is_of_deliveries = matches!(affected.cause, Cause::Deliveries { .. } | Cause::Lost);
    if worst.state == WebhookState::Blocked {
        sentences.push(labels.blocked_why.to_owned());
    }
    if is_of_deliveries && pending > 0 {
        let since = affected.entries().filter_map(|entry| entry.webhook.pending_since).min();
        sentences.push(words.events_pending(pending, since.map(|at| clocks.server_age(at))));
    }
    if is_of_deliveries && lost > 0 {
        sentences.push(words.events_lost(lost));
        to_do.push(ToDo::of(words.replay(lost)));
    }
    let name = match affected.cause {
        Cause::Deliveries { .. } => words.webhooks(count),
        Cause::Lost | Cause::Unreadable(_) | Cause::Stale | Cause::Own(_) => String::new(),
    };
    let mut members: Vec<Member> = affected.entries().map(|entry| member(entry, clocks)).collect();
    let others = members.split_off(members.len().min(MOST_AT_ONCE));
    Card {
        chip: Chip::of(worst.state, words),
        who: Identity { label: title, name, particulars: Vec::new() },
        webhook: None,
        story: Story { since: since(&worst, clocks), brief: brief_of(affected, lost, clocks), sentences, to_do },
        facts: Vec::new(),
        more: words.more(u64::try_from(others.len()).unwrap_or(u64::MAX)),
        members,
        others,
    }
}

fn brief_of(affected: &Affected<'_>, lost: u64, clocks: &Clocks) -> String {
    match affected.cause {
        Cause::Lost => clocks.words.lost(lost),
        Cause::Deliveries { .. } | Cause::Unreadable(_) | Cause::Stale | Cause::Own(_) => {
            brief(&affected.worst, clocks)
        }
    }
}

fn member(entry: &Entry<'_>, clocks: &Clocks) -> Member {
    let (webhook, words) = (entry.webhook, clocks.words);
    let mut parts: Vec<String> = since(entry, clocks).map(|since| since.words).into_iter().collect();
    if matches!(entry.state, WebhookState::Blocked | WebhookState::Failing) {
        parts.push(words.failed_in_a_row(webhook.consecutive_failures));
    }
    if let Some(failure) = webhook.last_failure.filter(|_| entry.state == WebhookState::Lost) {
        parts.push(words.why(failure.reason, failure.status));
    }
    if webhook.pending > 0 {
        parts.push(words.pending(webhook.pending));
    }
    if webhook.lost > 0 {
        parts.push(words.lost(webhook.lost));
    }
    let Identity { label, name, .. } = Identity::of(webhook);
    Member { id: webhook.id.clone(), label, name, parts }
}

/// The card of an API that cannot be read, which hides so many webhooks.
pub(super) fn api_card(overview: &Overview, hidden: u64, clocks: &Clocks) -> Option<Card> {
    if overview.is_api_up != Some(false) {
        return None;
    }
    let (words, labels) = (clocks.words, clocks.words.labels());
    let problem = overview.api_problem.as_ref();
    let cause = problem
        .map_or_else(|| labels.see_log.to_owned(), |problem| format!("{}.", capitalised(&words.cause(&problem.cause))));
    let read = match overview.listed_at {
        Some(at) => words.list_last_read(clocks.local_age(at)),
        None => labels.list_never_read.to_owned(),
    };
    let since = overview.listed_at.map(|at| moment(at, words.last_read(clocks.local_age(at), &clocks.clock_time(at))));
    let mut sentences = vec![cause, read];
    if hidden > 0 {
        sentences.push(words.logs_of_api(hidden));
    }
    Some(Card {
        chip: Chip { class: Tone::Bad.class(), symbol: "✕", word: labels.api_state },
        who: Identity { label: labels.api_title.to_owned(), name: String::new(), particulars: Vec::new() },
        webhook: None,
        story: Story {
            since,
            brief: String::new(),
            sentences,
            to_do: problem.map(|problem| ToDo::of(words.advice(problem.advice))).into_iter().collect(),
        },
        facts: Vec::new(),
        members: Vec::new(),
        others: Vec::new(),
        more: String::new(),
    })
}

pub(super) fn facts(webhook: &WebhookRow, clocks: &Clocks) -> Vec<Fact> {
    let words: &dyn Words = clocks.words;
    let labels = words.labels();
    let count = |name, number: u64, is_bad| Fact {
        name,
        value: words.number(number),
        when: None,
        is_bad: is_bad && number > 0,
    };
    let time = |name, when: Option<Moment>| Fact { name, value: labels.never.to_owned(), when, is_bad: false };
    vec![
        count(labels.attempts, webhook.attempts, false),
        count(labels.failed, webhook.failures, false),
        count(labels.delivered, webhook.delivered, false),
        count(labels.pending, webhook.pending, true),
        count(labels.lost, webhook.lost, true),
        time(labels.last_success, webhook.last_success.map(|at| clocks.server_ago(at))),
        time(labels.log_read, webhook.read_at.map(|at| clocks.local_ago(at))),
    ]
}
