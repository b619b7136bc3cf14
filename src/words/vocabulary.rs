//! What has to be said, in whatever language.

use delivery_ledger::{FailureReason, Retention};

use super::labels::Labels;
use super::span::Span;
use crate::api::{Advice, Cause};
use crate::webhook_state::WebhookState;

/// How everything stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Headline {
    /// Nothing is known yet.
    FirstPoll,
    /// The list is empty.
    NoWebhooks,
    /// Nothing could ever be read.
    NoData,
    /// This is known now.
    Known(Summary),
    /// This was known when the API could be read last.
    LastKnown(Summary),
}

/// How the webhooks stand, of which there is at least one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Summary {
    /// Some need attention.
    Trouble(Troubles),
    /// None does.
    Calm(Calm),
}

/// What is wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Troubles {
    /// All webhooks.
    pub(crate) all: u64,
    /// Those that need attention.
    pub(crate) broken: u64,
    /// Of these, by state.
    pub(crate) blocked: u64,
    pub(crate) failing: u64,
    pub(crate) unreadable: u64,
    pub(crate) stale: u64,
    /// Events that were lost lately.
    pub(crate) lost_events: u64,
}

/// Webhooks of which none needs attention, by state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calm {
    pub(crate) healthy: u64,
    pub(crate) unread: u64,
    pub(crate) inactive: u64,
}

/// What has to be said. Spans are in milliseconds; a sentence ends in a full stop, a part of one does not.
pub(crate) trait Words: Sync {
    /// What depends on nothing.
    fn labels(&self) -> &'static Labels;

    /// A number, grouped as the language does it.
    fn number(&self, number: u64) -> String;
    /// `3 minutes`.
    fn span(&self, span: Span) -> String;
    /// `3 minutes ago`.
    fn ago(&self, millis: i64) -> String;
    /// `every 5 s`: how often something happens that happens once in so many milliseconds.
    fn every(&self, millis: i64) -> String;
    /// `3 webhooks`.
    fn webhooks(&self, number: u64) -> String;

    /// A state in one or two words.
    fn state(&self, state: WebhookState) -> &'static str;
    /// The heading above webhooks of that state.
    fn section(&self, state: WebhookState) -> &'static str;
    /// How everything stands, in one sentence without a full stop.
    fn headline(&self, headline: &Headline) -> String;

    /// Why an attempt failed, as a part of a sentence.
    fn why(&self, reason: FailureReason, status: Option<u16>) -> String;
    /// What to do about it at the receiver `host`, which may be empty.
    fn remedy(&self, reason: FailureReason, status: Option<u16>, host: &str) -> String;
    /// Why a call of the API failed, as a part of a sentence.
    fn cause(&self, cause: &Cause) -> String;
    /// What to do about it.
    fn advice(&self, advice: Advice) -> &'static str;

    /// Of attempts that failed in a row: how many, and when the newest was made.
    fn attempts_failed(&self, attempts: u64, newest: i64) -> String;
    /// The same, as a part of a list.
    fn failed_in_a_row(&self, attempts: u64) -> String;
    /// Of events that wait for a further attempt: how many, and for how long the oldest does.
    fn events_pending(&self, events: u64, oldest: Option<i64>) -> String;
    /// The number of pending events, as a part of a list.
    fn pending(&self, events: u64) -> String;
    /// How many events were lost, and what that means.
    fn events_lost(&self, events: u64) -> String;
    /// The number of lost events, as a part of a list.
    fn lost(&self, events: u64) -> String;
    /// Deliveries work again after a failure for this reason.
    fn recovered(&self, why: &str) -> String;
    /// The last attempt of a webhook that is switched off failed for this reason.
    fn last_attempt_failed(&self, why: &str) -> String;
    /// What to do about lost events.
    fn replay(&self, events: u64) -> String;
    /// Polls without overlap, and what that means.
    fn gaps(&self, polls: u64) -> String;

    /// So many logs cannot be read, for this cause.
    fn logs_unreadable(&self, logs: u64, cause: Option<&str>) -> String;
    /// So many logs were not read though polls are due once in so many milliseconds.
    fn logs_stale(&self, logs: u64, interval: i64) -> String;
    /// The list was last read so long ago though polls are due once in so many milliseconds.
    fn list_stale(&self, interval: i64, read: i64) -> String;
    /// The list was last read so long ago, because the API cannot be read.
    fn list_last_read(&self, read: i64) -> String;
    /// The logs of so many webhooks cannot be read because of the API.
    fn logs_of_api(&self, logs: u64) -> String;
    /// Another replica polls each interval, and this one as often as this.
    fn stands_by(&self, interval_millis: i64) -> String;
    /// So many webhooks are not watched.
    fn over_limit(&self, webhooks: u64) -> String;

    /// For so long, since then, as a part of a sentence.
    fn lasting(&self, millis: i64, clock: &str) -> String;
    /// When something failed last, as a part of a sentence.
    fn last_failed(&self, millis: i64) -> String;
    /// When a log was last read, as a part of a sentence.
    fn last_read(&self, millis: i64, clock: &str) -> String;
    /// When the list was last read.
    fn list_read(&self, millis: i64) -> String;
    /// How often the page reloads.
    fn reloads(&self, seconds: u32) -> String;
    /// The link that makes it reload.
    fn reload(&self, seconds: u32) -> String;

    /// The title of a card about the lost events of several webhooks.
    fn lost_of(&self, webhooks: u64) -> String;
    /// The title of a card about the logs of several webhooks.
    fn logs_of(&self, webhooks: u64) -> String;
    /// So many further webhooks.
    fn more(&self, webhooks: u64) -> String;
    /// So many of all webhooks fit the filter.
    fn found(&self, found: u64, all: u64) -> String;
    /// How long a log keeps its entries.
    fn retention(&self, retention: Retention) -> String;
    /// An attempt succeeded with this status, as a part of a sentence.
    fn delivered_with(&self, status: u16) -> String;
    /// An event that is counted as lost was delivered after all, at this time.
    fn delivered_after_all(&self, at: &str) -> String;
    /// Of more of them than are listed, the newest are.
    fn listed(&self, listed: u64, all: u64) -> String;
}
