//! The fleet's plan of reads: which logs a poll reads, and what a new process has to know of the last one's turns.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::time::Duration;

use super::io::{CallFailure, Notice};
use super::machine::Fleet;
use super::member::Member;
use super::plan::{Candidate, Plan, Wish};
use super::poll::{Bounds, Poll};
use super::schedule;
use super::state::Turns;
use crate::id::WebhookId;
use crate::now::Now;
use crate::time::UnixMillis;

/// So many lengths of time that something has been waited for are kept apart at most: what is said of them then fits into
/// one block of the journal. A convention.
const MOST_TURNS: usize = 1_000;

/// Longer than this no log is said to have waited, so that sums are far from overflowing. A convention.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// How many intervals lie between two points of the uptime, to the nearest: polls start on time, but for moments.
fn intervals_between(since: i64, until: i64, interval: Duration) -> u32 {
    let interval = millis(interval).max(1);
    let passed = until.saturating_sub(since).saturating_add(interval / 2) / interval;
    u32::try_from(passed.max(0)).unwrap_or(u32::MAX)
}

impl<E: CallFailure> Fleet<E> {
    /// Plans anew. There is no plan where each poll reads all logs: because it can, because webhooks are chosen by id, or
    /// because the rate does not even allow one log in each interval.
    pub(super) fn make_plan(&mut self) {
        let budget = schedule::budget(self.calls_per_second, self.every);
        let reads_all = !self.settings.ids.is_empty() || self.interval_of_all() == self.every;
        let wishes = self.members.values().map(|member| Wish::of(&member.ledger, self.every));
        self.plan = budget.filter(|_| !reads_all).map(|budget| Plan::of(wishes, budget));
    }

    /// The time between two polls that read all logs, as the interval, the limit of the rate and the number of webhooks allow.
    fn interval_of_all(&self) -> Duration {
        let calls = match self.settings.ids.len() {
            0 => self.members.len().saturating_add(1),
            ids => ids.saturating_mul(2),
        };
        schedule::read_interval(calls, self.calls_per_second, self.every)
    }

    /// The longest time between two reads of a log that is planned. Calls that take long make it longer.
    #[must_use]
    pub fn read_interval(&self) -> Duration {
        self.plan.map_or_else(|| self.interval_of_all(), |plan| self.every.saturating_mul(plan.longest))
    }

    /// The time between two reads of this log that is planned.
    pub(super) fn planned_interval(&self, member: &Member<E>) -> Duration {
        match &self.plan {
            Some(plan) => self.every.saturating_mul(member.planned(plan, self.every)),
            None => self.interval_of_all(),
        }
    }

    /// Tells how long a log may wait if not all are read each interval, and when they are again. It does not depend on what
    /// webhooks do.
    pub(super) fn tell_read_interval(&mut self) {
        self.make_plan();
        let interval = self.plan.map_or_else(|| self.interval_of_all(), |plan| self.every.saturating_mul(plan.bound));
        if interval != self.told_read_interval {
            self.told_read_interval = interval;
            let webhooks = self.members.len().max(self.settings.ids.len());
            self.outbox.say(Notice::ReadInterval { webhooks, interval });
        }
    }

    /// Of the logs that could be read in this poll those that are; says of the others that they are put off.
    pub(super) fn choose(&mut self, due: Vec<WebhookId>) -> Vec<WebhookId> {
        self.make_plan();
        let Some(poll) = &mut self.poll else { return Vec::new() };
        for member in self.members.values_mut() {
            member.is_put_off = false;
        }
        let Some(plan) = self.plan else {
            poll.bounds = None;
            return due;
        };
        let (next, _) = schedule::next_tick(self.due, self.every, poll.started);
        let bounds = Bounds::before(next, self.every);
        poll.bounds = Some(bounds);
        poll.deadline = bounds.end;
        let started = millis(poll.started);
        let candidate = |id: &WebhookId| {
            let member = self.members.get(id)?;
            let waited = intervals_between(member.waits_since, started, self.every);
            let planned =
                Some(member.planned(&plan, self.every)).filter(|planned| *planned == 1 || !member.is_unknown());
            Some(Candidate { id: *id, waits_since: member.waits_since, waited, planned })
        };
        let candidates = due.iter().filter_map(candidate).collect();
        let chosen = plan.choose(candidates, plan.budget.saturating_sub(poll.lined_up));
        poll.lined_up = poll.lined_up.saturating_add(chosen.len());
        let now_read: BTreeSet<WebhookId> = chosen.iter().copied().collect();
        self.put_off(due.into_iter().filter(|id| !now_read.contains(id)));
        chosen
    }

    /// Takes in that these logs are left to a later poll.
    pub(super) fn put_off(&mut self, ids: impl Iterator<Item = WebhookId>) {
        for id in ids {
            if let Some(member) = self.members.get_mut(&id) {
                member.is_put_off = true;
            }
        }
    }

    /// Takes in that a log has its turn.
    pub(super) fn takes_turn(member: &mut Member<E>, poll: Option<&Poll>, uptime: Duration) {
        member.called_at = Some(uptime);
        member.waits_since = millis(poll.map_or(uptime, |poll| poll.started));
    }

    /// Writes down for how long each log has waited when a poll ends, for the next process.
    pub(super) fn note_turns(&mut self, poll: &Poll) {
        self.account.state.turns = if self.plan.is_some() { self.turns(millis(poll.started)) } else { Vec::new() };
    }

    fn turns(&self, started: i64) -> Vec<Turns> {
        // Of too many runs of webhooks fewer are made: as if those had waited longer that have not.
        (0..u32::BITS)
            .map(|coarseness| {
                let mut turns: Vec<Turns> = Vec::new();
                for member in self.members.values() {
                    let waited = intervals_between(member.waits_since, started, self.every);
                    let waited = waited.max(1).div_ceil(1 << coarseness) << coarseness;
                    match turns.last_mut() {
                        Some(Turns(webhooks, intervals)) if *intervals == waited => *webhooks += 1,
                        _ => turns.push(Turns(1, waited)),
                    }
                }
                turns
            })
            .find(|turns| turns.len() <= MOST_TURNS)
            .unwrap_or_default()
    }

    /// Takes over from the last process how long each log has waited: as it wrote that down, or since its log is said to
    /// have been read last, which may be long before it was.
    pub(super) fn restore_turns(&mut self, now: Now) {
        let uptime = millis(now.uptime);
        let since = |at: Option<UnixMillis>| {
            let waited = at.map_or(0, |at| now.wall.millis_since(at)).clamp(0, millis(LONGEST_WAIT));
            uptime.saturating_sub(waited)
        };
        let ended = since(self.account.state.list_read_at);
        let turns = &self.account.state.turns;
        let noted: usize = turns.iter().map(|Turns(webhooks, _)| usize::try_from(*webhooks).unwrap_or(0)).sum();
        let is_about_these = noted == self.members.len();
        let mut waits = turns.iter().filter(|_| is_about_these).flat_map(|Turns(webhooks, intervals)| {
            let waited = self.settings.interval.saturating_mul(*intervals).min(LONGEST_WAIT);
            core::iter::repeat_n(ended.saturating_sub(millis(waited)), usize::try_from(*webhooks).unwrap_or(0))
        });
        for member in self.members.values_mut() {
            member.waits_since = waits.next().unwrap_or_else(|| since(member.read_at));
        }
    }
}
