//! What is shown of all webhooks, in blocks: what has not changed is shared with what was shown before.

use std::sync::{Arc, Weak};
use std::time::Duration;

use delivery_ledger::fleet::MemberView;
use delivery_ledger::{Figures, Ledger, Policy, UnixMillis, Webhook, WebhookId};

use crate::api::CallError;
use crate::exposition::{Block, DatedView, WebhookView};
use crate::snapshot::{Rows, WebhookRow};

/// The most webhooks of a block: what a change makes anew is some 500 KB of text, and 10,000 webhooks are 160 blocks. A
/// convention.
const LARGEST: usize = 64;

/// Neighbours that together are no more than this become one, so that there are few blocks however many webhooks go.
const SMALL: usize = LARGEST / 2;

type Member<'a> = MemberView<'a, CallError>;

/// What was shown last.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// In the order of the webhooks' ids; none is empty.
    groups: Vec<Group>,
}

/// Webhooks that follow one another, and what was made of them.
#[derive(Debug, Default)]
struct Group {
    webhooks: Vec<Shown>,
    lines: Arc<Block>,
    rows: Arc<[Arc<WebhookRow>]>,
    /// Whether what was made is of earlier times.
    is_outdated: bool,
}

/// A webhook as it was shown.
#[derive(Clone, Debug)]
struct Shown {
    /// While this is held, a ledger that changes becomes another allocation.
    ledger: Weak<Ledger>,
    webhook: Arc<Webhook>,
    is_up: Option<bool>,
    read_at: Option<UnixMillis>,
    interval: Duration,
    view: Arc<WebhookView>,
    row: Arc<WebhookRow>,
}

impl Picture {
    /// Takes in how all webhooks stand now. They come in the order of their ids.
    pub(super) fn follow<'a>(&mut self, members: impl Iterator<Item = Member<'a>>, policy: &Policy) {
        let mut members = members.peekable();
        let mut before = std::mem::take(&mut self.groups);
        if before.is_empty() {
            before.push(Group::default());
        }
        // A group takes in what comes before the next one begins.
        let ends: Vec<Option<WebhookId>> = before.iter().skip(1).map(Group::first).chain([None]).collect();
        for (mut group, end) in before.into_iter().zip(ends) {
            let is_in = |member: &Member<'_>| end.is_none_or(|end| member.webhook.id < end);
            group.follow(std::iter::from_fn(|| members.next_if(is_in)), policy);
            self.take_in(group);
        }
        self.groups.iter_mut().for_each(Group::bring_up_to_date);
    }

    /// Puts a group at the end: split if it has become too large, or together with the last one if both are small.
    fn take_in(&mut self, group: Group) {
        let size = group.webhooks.len();
        match self.groups.last_mut() {
            _ if size == 0 => {}
            Some(last) if last.webhooks.len() + size <= SMALL => {
                last.webhooks.extend(group.webhooks);
                last.is_outdated = true;
            }
            _ if size > LARGEST => {
                let parts = group.webhooks.chunks(size.div_ceil(size.div_ceil(LARGEST)));
                let parts = parts.map(|part| Group { webhooks: part.to_vec(), is_outdated: true, ..Group::default() });
                self.groups.extend(parts);
            }
            _ => self.groups.push(group),
        }
    }

    /// How many webhooks are shown, and how many of them are active.
    pub(super) fn sizes(&self) -> (usize, usize) {
        let sizes = self.groups.iter().map(|group| (group.webhooks.len(), group.lines.active()));
        sizes.fold((0, 0), |(all, active), (more, more_active)| (all + more, active + more_active))
    }

    /// What the metrics show of them.
    pub(super) fn blocks(&self) -> Vec<Arc<Block>> {
        self.groups.iter().map(|group| Arc::clone(&group.lines)).collect()
    }

    /// What the status page shows of them.
    pub(super) fn rows(&self) -> Rows {
        self.groups.iter().map(|group| Arc::clone(&group.rows)).collect()
    }
}

impl Group {
    fn first(&self) -> Option<WebhookId> {
        self.webhooks.first().map(|shown| shown.webhook.id)
    }

    fn follow<'a>(&mut self, members: impl Iterator<Item = Member<'a>>, policy: &Policy) {
        let mut before = std::mem::take(&mut self.webhooks).into_iter().peekable();
        for member in members {
            while before.next_if(|shown| shown.webhook.id < member.webhook.id).is_some() {
                self.is_outdated = true;
            }
            let before = before.next_if(|shown| shown.webhook.id == member.webhook.id);
            self.webhooks.push(match before {
                Some(shown) if shown.is(&member) => shown,
                before => {
                    self.is_outdated = true;
                    Shown::new(&member, before, policy)
                }
            });
        }
        self.is_outdated |= before.next().is_some();
    }

    fn bring_up_to_date(&mut self) {
        if std::mem::take(&mut self.is_outdated) {
            let views = self.webhooks.iter().map(|Shown { view, read_at, interval, .. }| DatedView {
                view: Arc::clone(view),
                read_at: *read_at,
                interval_millis: millis(*interval),
            });
            self.lines = Arc::new(Block::new(views.collect(), Some(&self.lines)));
            self.rows = self.webhooks.iter().map(|shown| Arc::clone(&shown.row)).collect();
        }
    }
}

impl Shown {
    fn new(member: &Member<'_>, before: Option<Self>, policy: &Policy) -> Self {
        let MemberView { webhook, ledger, is_up, read_at, .. } = member;
        let view = WebhookView::new(Arc::clone(webhook), Figures::of(ledger, policy), *is_up);
        // The same allocation says that no lines have to be made anew.
        let view = before.map(|before| before.view).filter(|before| **before == view).unwrap_or_else(|| Arc::new(view));
        let row = Arc::new(row(member, policy));
        Self {
            ledger: Arc::downgrade(ledger),
            webhook: Arc::clone(webhook),
            is_up: *is_up,
            read_at: *read_at,
            interval: member.interval,
            view,
            row,
        }
    }

    /// Whether this is how `member` stands.
    fn is(&self, member: &Member<'_>) -> bool {
        std::ptr::eq(self.ledger.as_ptr(), Arc::as_ptr(member.ledger))
            && Arc::ptr_eq(&self.webhook, member.webhook)
            && (self.is_up, self.read_at, self.interval) == (member.is_up, member.read_at, member.interval)
            && self.row.problem.as_ref() == member.problem
    }
}

fn millis(interval: Duration) -> i64 {
    i64::try_from(interval.as_millis()).unwrap_or(i64::MAX)
}

fn row(member: &Member<'_>, policy: &Policy) -> WebhookRow {
    let MemberView { webhook, ledger, .. } = member;
    let (standing, totals, events) = (ledger.standing(), ledger.totals(), ledger.events());
    WebhookRow {
        id: webhook.id.to_string(),
        label: webhook.label(),
        name: webhook.name.clone(),
        trigger: webhook.trigger.clone(),
        target_host: webhook.target_host.clone(),
        is_active: webhook.active,
        is_readable: member.is_up,
        problem: member.problem.cloned(),
        read_at: member.read_at,
        poll_interval_millis: millis(member.interval),
        is_blocked: ledger.is_blocked(policy),
        consecutive_failures: standing.consecutive_failures,
        failing_since: standing.failing_since,
        last_success: standing.last_success.map(|last| last.at),
        last_failure: standing.last_failure,
        attempts: totals.attempts,
        failures: totals.failures.iter().sum(),
        pending: events.pending(),
        pending_since: events.pending_since(),
        delivered: events.delivered(),
        lost: events.lost(),
        gaps: totals.gaps,
        retention: ledger.retention(),
        lost_events: Arc::clone(events.lost_events()),
        pending_events: Arc::clone(events.pending_events()),
        recent: Arc::clone(ledger.recent()),
    }
}

#[cfg(test)]
mod tests;
