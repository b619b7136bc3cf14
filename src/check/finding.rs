//! What one poll found.

use delivery_ledger::{FailureReason, Ledger, LogExtent, LogFacts, Policy, UnixMillis, Webhook, label_set};

use crate::api::{CallError, Revalidation, Transfer};
use crate::look::{ListFacts, Unreadable};

/// What one poll found.
#[derive(Debug)]
pub(super) struct Findings {
    /// What was read: the API's URL and the company.
    pub(super) identity: String,
    /// When, by the local clock.
    pub(super) at: UnixMillis,
    pub(super) policy: Policy,
    /// `None` if the list could not be read.
    pub(super) list: Option<ListFacts>,
    pub(super) webhooks: Vec<Finding>,
    /// Chosen webhooks that could not be read.
    pub(super) missing: Vec<Unreadable>,
    /// Why the API could not be read.
    pub(super) failure: Option<String>,
}

impl Findings {
    /// Everything that could not be read, webhook by webhook.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = (String, &CallError)> {
        let missing = self.missing.iter().map(|missing| (missing.label.clone(), &missing.cause));
        let logs = self.webhooks.iter();
        missing.chain(logs.filter_map(|finding| Some((finding.webhook.label(), finding.log.as_ref().err()?))))
    }

    /// The logs that could be read.
    pub(super) fn logs(&self) -> impl Iterator<Item = (&Webhook, &LogFound)> {
        self.webhooks.iter().filter_map(|finding| Some((&finding.webhook, finding.log.as_ref().ok()?)))
    }
}

/// One webhook, and what its log says.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) webhook: Webhook,
    pub(super) log: Result<LogFound, CallError>,
}

/// A log that could be read.
#[derive(Debug)]
pub(super) struct LogFound {
    pub(super) ledger: Ledger,
    pub(super) facts: LogFacts,
    pub(super) transfer: Transfer,
    pub(super) validator: Validator,
    /// The server's time.
    pub(super) now: UnixMillis,
}

impl LogFound {
    /// How far it reaches.
    pub(super) fn extent(&self, webhook: &Webhook) -> LogExtent {
        LogExtent::new(self.facts.attempts, self.facts.oldest, webhook.id.0.made_at(), self.now)
    }
}

label_set! {
    /// How a webhook stands.
    State {
        /// Its newest attempt failed, and may be retried.
        Blocked = "blocked",
        /// Its newest attempt failed.
        Failing = "failing",
        /// Its newest attempt succeeded.
        Delivering = "delivering",
        /// Its log has no attempt.
        Empty = "no_delivery",
        /// Its log cannot be read.
        Unreadable = "unreadable",
    }
}

/// How a webhook stands, and since what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) state: State,
    pub(super) last_attempt: Option<UnixMillis>,
    /// Why the newest attempt failed.
    pub(super) failure: Option<(FailureReason, Option<u16>)>,
}

impl Finding {
    pub(super) fn standing(&self, policy: &Policy) -> Standing {
        let Ok(LogFound { ledger, .. }) = &self.log else {
            return Standing { state: State::Unreadable, last_attempt: None, failure: None };
        };
        let standing = ledger.standing();
        let newest_failure = standing.newest_if_failed();
        let state = match newest_failure {
            _ if ledger.is_blocked(policy) => State::Blocked,
            Some(_) => State::Failing,
            None if standing.last_success.is_some() => State::Delivering,
            None => State::Empty,
        };
        let success = standing.last_success.map(|success| success.at);
        Standing {
            state,
            last_attempt: newest_failure.map(|failure| failure.at).or(success),
            failure: newest_failure.map(|failure| (failure.reason, failure.status)),
        }
    }
}

label_set! {
    /// What a log's `ETag` is good for.
    Validator {
        /// None was sent.
        None = "none",
        /// A conditional call brings 304.
        Honoured = "honoured",
        /// A conditional call brings the whole log again.
        Ignored = "ignored",
        /// One was sent, and the conditional call told nothing: the log had changed, or the call failed.
        Untested = "untested",
    }
}

impl Validator {
    /// What the conditional call of a log with an `ETag` showed.
    pub(super) fn of(called: &Result<Revalidation, CallError>) -> Self {
        match called {
            Ok(Revalidation::NotModified) => Self::Honoured,
            Ok(Revalidation::Ignored) => Self::Ignored,
            Ok(Revalidation::Changed) | Err(_) => Self::Untested,
        }
    }
}
