//! Who is watched and what counts, done the slow way from docs/specification.md, rules 1, 3 and 10. The model keeps no
//! ledger: it knows how much of each log has been read, and where counting starts.

use std::collections::BTreeMap;
use std::time::Duration;

use delivery_ledger::{Attempt, History, UnixMillis, Webhook, WebhookId};

/// Rule 3: how long a malformed entry of the list stands for a webhook.
const MISSED: Duration = Duration::from_secs(60 * 60);

/// Rule 3: how long the counts of a webhook that vanished are kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Where counting starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CountsFrom {
    TheBeginning,
    /// Everything later than this.
    After(UnixMillis),
    /// This moment, and everything later.
    At(UnixMillis),
}

impl CountsFrom {
    fn counts(self, attempt: &Attempt) -> bool {
        match self {
            Self::TheBeginning => true,
            Self::After(end) => attempt.at > end,
            Self::At(start) => attempt.at >= start,
        }
    }
}

/// What is known of a webhook's log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    counts_from: CountsFrom,
    /// How many of its entries have been read.
    pub(crate) seen: usize,
    /// Counts that are older than what was shown stay out of sight until the log has been read.
    pub(crate) is_hidden: bool,
}

/// A watched webhook.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// Since when it is missing from a list with a malformed entry that may be it.
    missing_since: Option<Duration>,
    pub(crate) webhook: Webhook,
    pub(crate) known: Known,
    /// How the last call for its log in this process ended.
    pub(crate) is_up: Option<bool>,
    /// Since when it has been watched without a break: a call from before says nothing.
    pub(crate) since: u64,
    /// It is new: it is shown before its log is read.
    pub(crate) has_appeared: bool,
    /// Since when it has been there, if it appeared while the exporter ran: it is read from the next poll on.
    pub(crate) appeared_at: Option<Duration>,
}

impl Watched {
    /// How many attempts have to be shown, and how many of them failed.
    pub(crate) fn counts(&self, log: &[Attempt]) -> (u64, u64) {
        let counted = log[..self.known.seen].iter().filter(|attempt| self.known.counts_from.counts(attempt));
        counted.fold((0, 0), |(all, failed), attempt| (all + 1, failed + u64::from(!attempt.outcome.is_success())))
    }
}

/// What the exporter has to know.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    history: History,
    limit: usize,
    admitted: &'static str,
    pub(crate) watched: BTreeMap<WebhookId, Watched>,
    gone: BTreeMap<WebhookId, (Known, Duration)>,
    /// The `Date` of the last list that worked.
    pub(crate) previous_list: Option<UnixMillis>,
    /// That of the state that this process started with, until a list has worked.
    restored_list: Option<UnixMillis>,
    pub(crate) is_list_up: Option<bool>,
    pub(crate) dropped: usize,
    pub(crate) malformed: usize,
    /// Malformed entries of the list that stand for no watched webhook.
    strangers: usize,
    /// The earliest `Date` of the calls by id that worked in this poll.
    described_at: Option<UnixMillis>,
    breaks: u64,
}

impl Model {
    pub(crate) fn new(history: History, limit: usize, admitted: &'static str) -> Self {
        Self {
            history,
            limit,
            admitted,
            watched: BTreeMap::new(),
            gone: BTreeMap::new(),
            previous_list: None,
            restored_list: None,
            is_list_up: None,
            dropped: 0,
            malformed: 0,
            strangers: 0,
            described_at: None,
            breaks: 0,
        }
    }

    /// The same of a process that finds no state.
    pub(crate) fn first_start(&self) -> Self {
        Self::new(self.history, self.limit, self.admitted)
    }

    /// Whether the filter lets this webhook through.
    pub(crate) fn admits(&self, code: &str) -> bool {
        code.starts_with(self.admitted)
    }

    /// The process ends, and another goes on from what was saved. `last_list` is what was saved of the list.
    pub(crate) fn restart(&mut self, last_list: Option<UnixMillis>, is_behind: bool) {
        (self.previous_list, self.restored_list) = (last_list, last_list);
        (self.is_list_up, self.dropped, self.malformed, self.described_at) = (None, 0, 0, None);
        self.strangers = 0;
        for watched in self.watched.values_mut() {
            (watched.is_up, watched.missing_since) = (None, None);
            (watched.has_appeared, watched.appeared_at) = (false, None);
            watched.known.is_hidden |= is_behind;
        }
        self.gone.values_mut().for_each(|(known, _)| known.is_hidden |= is_behind);
    }

    /// A list came that shows `entries`.
    pub(crate) fn listed(&mut self, entries: &[Webhook], malformed: usize, date: UnixMillis, clock: Duration) {
        let all: BTreeMap<WebhookId, &Webhook> =
            entries.iter().filter(|entry| self.admits(&entry.code)).map(|entry| (entry.id, entry)).collect();
        let selected: Vec<&Webhook> = all.into_values().collect();
        (self.dropped, self.malformed) = (selected.len().saturating_sub(self.limit), malformed);
        let selected = &selected[..selected.len().min(self.limit)];
        let is_selected = |id: &WebhookId| selected.iter().any(|webhook| webhook.id == *id);
        let missing: Vec<WebhookId> = self.watched.keys().copied().filter(|id| !is_selected(id)).collect();
        let appeared = selected.iter().filter(|webhook| !self.watched.contains_key(&webhook.id)).count();
        let may_be_there = malformed > self.strangers.saturating_sub(appeared);
        for id in missing {
            match self.watched.get_mut(&id) {
                Some(watched) if may_be_there => {
                    watched.missing_since.get_or_insert(clock);
                }
                _ => self.vanish(id, clock),
            }
        }
        for webhook in selected {
            self.is_there(webhook, date, clock);
        }
        // Not before: one that is back is missing no more.
        self.give_up_missing(clock);
        self.list_worked(date);
    }

    /// A malformed entry stands for a webhook that is missing for an hour at most.
    fn give_up_missing(&mut self, clock: Duration) {
        let is_over = |watched: &Watched| watched.missing_since.is_some_and(|since| clock - since >= MISSED);
        let over: Vec<WebhookId> =
            self.watched.iter().filter(|(_, watched)| is_over(watched)).map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| self.vanish(id, clock));
        let missing = self.watched.values().filter(|watched| watched.missing_since.is_some()).count();
        self.strangers = self.malformed.saturating_sub(missing);
    }

    /// The list is as it was.
    pub(crate) fn list_unchanged(&mut self, date: UnixMillis, clock: Duration) {
        self.give_up_missing(clock);
        self.list_came(date);
    }

    fn list_came(&mut self, date: UnixMillis) {
        (self.previous_list, self.is_list_up) = (Some(date), Some(true));
    }

    fn list_worked(&mut self, date: UnixMillis) {
        self.list_came(date);
        self.restored_list = None;
    }

    /// A webhook is to be watched.
    fn is_there(&mut self, webhook: &Webhook, date: UnixMillis, clock: Duration) {
        if let Some(watched) = self.watched.get_mut(&webhook.id) {
            watched.webhook = webhook.clone();
            watched.missing_since = None;
            return;
        }
        let kept = self.gone.remove(&webhook.id).filter(|(_, since)| clock - *since < KEPT);
        let is_new = kept.is_none() && self.previous_list.is_some();
        let known = kept.map_or_else(
            || Known { counts_from: self.baseline(webhook.id, date), seen: 0, is_hidden: false },
            |(known, _)| known,
        );
        self.breaks += 1;
        let (webhook, since) = (webhook.clone(), self.breaks);
        let watched = Watched {
            webhook,
            known,
            missing_since: None,
            is_up: None,
            since,
            has_appeared: is_new,
            appeared_at: is_new.then_some(clock),
        };
        self.watched.insert(watched.webhook.id, watched);
    }

    fn baseline(&self, id: WebhookId, date: UnixMillis) -> CountsFrom {
        let end_of_second = date.plus_millis(999);
        match (self.restored_list, self.previous_list, self.history) {
            // A first list after a restart.
            (Some(last), _, _) if id.0.made_at() < last => CountsFrom::After(end_of_second),
            (Some(_), _, _) => CountsFrom::TheBeginning,
            // It appears while the exporter runs.
            (None, Some(previous), _) => CountsFrom::At(previous),
            // A first start.
            (None, None, History::Ignore) => CountsFrom::After(end_of_second),
            (None, None, History::Count) => CountsFrom::TheBeginning,
        }
    }

    fn vanish(&mut self, id: WebhookId, clock: Duration) {
        if let Some(watched) = self.watched.remove(&id) {
            self.gone.insert(id, (watched.known, clock));
        }
    }

    /// The call by id shows this webhook.
    pub(crate) fn described(&mut self, webhook: &Webhook, date: UnixMillis, clock: Duration) {
        self.described_at = Some(self.described_at.map_or(date, |earliest| earliest.min(date)));
        self.is_list_up = Some(true);
        if self.admits(&webhook.code) {
            self.is_there(webhook, date, clock);
        } else {
            self.vanish(webhook.id, clock);
        }
    }

    /// The call by id says that there is no such webhook.
    pub(crate) fn is_gone(&mut self, id: WebhookId, clock: Duration) {
        self.vanish(id, clock);
    }

    /// A poll ended: of calls by id, those of one poll together are the list. Says whether it worked.
    pub(crate) fn poll_of_ids_ended(&mut self) -> bool {
        let described_at = self.described_at.take();
        described_at.into_iter().for_each(|date| self.list_worked(date));
        described_at.is_some()
    }

    /// A call for a log ended that began when the webhook had been watched since `since`; `seen` entries were read, or
    /// it failed. Says whether that is news: a webhook that went meanwhile is another matter.
    pub(crate) fn log_ended(&mut self, id: WebhookId, since: u64, seen: Option<usize>) -> bool {
        let Some(watched) = self.watched.get_mut(&id).filter(|watched| watched.since == since) else { return false };
        watched.is_up = Some(seen.is_some());
        if let Some(seen) = seen {
            (watched.known.seen, watched.known.is_hidden) = (seen, false);
        }
        true
    }
}
