//! One webhook: its events, its queue, the delivery of it, and its log.
//!
//! Delivery is in strict order: the next event is sent only after the one before it is settled. A failed attempt is
//! tried again 30 s later, `retry` running 0…3; after that the event is lost. An attempt is logged, and dated, when it
//! *ends*.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use delivery_ledger::{Action, AttemptId, UnixMillis, WebhookId};

use super::dice::{Dice, mix};
use super::ids::{object_id, process_of};
use super::log::{LoggedAttempt, LoggedEvent};
use super::receiver::{ReceiverHost, Reply, Verdict};
use super::spec::WebhookSpec;
use super::trigger::Trigger;

/// The `retry` of an event's last attempt. Source: the documented example, whose last entry says 3.
pub const MAX_RETRY: u32 = 3;

/// How long after a failed attempt the next one starts, in milliseconds. Source: the API's documentation.
pub const RETRY_AFTER_MS: i64 = 30_000;

/// One webhook with its queue and log.
#[derive(Debug)]
pub(crate) struct SimulatedWebhook {
    pub(crate) id: WebhookId,
    pub(crate) spec: WebhookSpec,
    pub(crate) listed: bool,
    receiver_host: ReceiverHost,
    process: [u8; 5],
    happenings: Dice,
    deliveries: Dice,
    next_event_at: Option<UnixMillis>,
    next_turn_at: Option<UnixMillis>,
    queue: VecDeque<LoggedEvent>,
    sending: Option<Sending>,
    history: Vec<LoggedAttempt>,
    forgotten: u64,
    made_events: u64,
    made_ids: u32,
    texts: HashSet<Arc<str>>,
}

/// The event at the head of the queue.
#[derive(Debug)]
struct Sending {
    event: LoggedEvent,
    retry: u32,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Waiting { until: UnixMillis },
    Trying { until: UnixMillis, reply: Reply },
}

/// What happens next to a webhook. Of several at one moment the first in this order.
enum Step {
    Turn,
    Event,
    Delivery,
}

impl SimulatedWebhook {
    /// The webhook at this place in the company, which exists `since` then.
    pub(crate) fn new(seed: u64, place: usize, spec: WebhookSpec, since: UnixMillis) -> Self {
        let number = u64::try_from(place).unwrap_or(u64::MAX);
        let own = mix(seed ^ mix(number.wrapping_add(1)));
        let counter = u32::try_from(place).unwrap_or(u32::MAX);
        let mut webhook = Self {
            id: WebhookId(object_id(since, process_of(seed, 0), counter.wrapping_add(1))),
            receiver_host: receiver_host(&spec.url, own),
            spec,
            listed: true,
            process: process_of(seed, number.wrapping_add(1)),
            happenings: Dice::new(own),
            deliveries: Dice::new(mix(own)),
            next_event_at: None,
            next_turn_at: None,
            queue: VecDeque::new(),
            sending: None,
            history: Vec::new(),
            forgotten: 0,
            made_events: 0,
            made_ids: 0,
            texts: HashSet::new(),
        };
        webhook.plan_event(since);
        webhook.plan_turn(since);
        webhook
    }

    /// Its log, oldest attempt first.
    pub(crate) fn history(&self) -> &[LoggedAttempt] {
        &self.history
    }

    /// How many events wait behind the one that is being sent.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// The log entry with this number, counted from the first one ever; `None` once it is forgotten.
    pub(crate) fn entry(&self, number: u64) -> Option<&LoggedAttempt> {
        usize::try_from(number.checked_sub(self.forgotten)?).ok().and_then(|index| self.history.get(index))
    }

    /// The log with each entry's number, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = (u64, &LoggedAttempt)> {
        let end = self.forgotten + u64::try_from(self.history.len()).unwrap_or(0);
        (self.forgotten..end).rev().zip(self.history.iter().rev())
    }

    /// Changes anything that can be chosen, as of now.
    pub(crate) fn change(&mut self, now: UnixMillis, change: impl FnOnce(&mut WebhookSpec)) {
        let before = (self.spec.every_ms, self.spec.active, self.spec.cycle);
        change(&mut self.spec);
        self.receiver_host.host = host_of(&self.spec.url);
        if before.0 != self.spec.every_ms {
            self.plan_event(now);
        }
        if before.1 != self.spec.active {
            self.wake(now);
        }
        if before.2 != self.spec.cycle || before.1 != self.spec.active {
            self.plan_turn(now);
        }
    }

    /// Lets time pass up to `now`.
    pub(crate) fn advance_to(&mut self, now: UnixMillis, history_limit: usize) {
        while let Some((at, step)) = self.next_step() {
            if at > now {
                break;
            }
            match step {
                Step::Turn => {
                    self.spec.active = !self.spec.active;
                    self.wake(at);
                    self.plan_turn(at);
                }
                Step::Event => {
                    self.happen(at, None);
                    self.plan_event(at);
                }
                Step::Delivery => self.deliver(at),
            }
        }
        // Half as much again, so that forgetting moves the rest rarely.
        if self.history.len() > history_limit.saturating_add(history_limit / 2) {
            let surplus = self.history.len() - history_limit;
            self.history.drain(..surplus);
            self.forgotten += u64::try_from(surplus).unwrap_or(u64::MAX);
        }
    }

    fn next_step(&self) -> Option<(UnixMillis, Step)> {
        let delivery_at = self.sending.as_ref().and_then(|sending| match sending.phase {
            Phase::Waiting { until } => self.spec.active.then_some(until),
            Phase::Trying { until, .. } => Some(until),
        });
        [(self.next_turn_at, Step::Turn), (self.next_event_at, Step::Event), (delivery_at, Step::Delivery)]
            .into_iter()
            .filter_map(|(at, step)| Some((at?, step)))
            .min_by_key(|(at, _)| *at)
    }

    fn plan_event(&mut self, now: UnixMillis) {
        let every = self.spec.every_ms;
        self.next_event_at =
            (every > 0).then(|| now.plus_millis(self.happenings.between(every / 2, every + every / 2).max(1)));
    }

    fn plan_turn(&mut self, now: UnixMillis) {
        self.next_turn_at = self
            .spec
            .cycle
            .map(|cycle| now.plus_millis(if self.spec.active { cycle.active_ms } else { cycle.resting_ms }.max(1)));
    }

    /// An attempt that fell due while the webhook rested starts when it rests no more.
    fn wake(&mut self, now: UnixMillis) {
        if let Some(Sending { phase: Phase::Waiting { until }, .. }) = &mut self.sending {
            *until = now.max(*until);
        }
    }

    /// Lets an event happen, of this action or a drawn one; none while it rests.
    pub(crate) fn happen(&mut self, at: UnixMillis, action: Option<Action>) {
        // Drawn even while the webhook rests: its events do not depend on when it does.
        let (choice, seed) = (self.happenings.between(0, 9), self.happenings.number());
        if !self.spec.active {
            return;
        }
        let action = action.unwrap_or(match (self.spec.trigger, choice) {
            (Trigger::Logout, _) => Action::Logout,
            (_, 0..=2) => Action::Create,
            (_, 3..=8) => Action::Edit,
            (_, _) => Action::Delete,
        });
        let number = self.made_events;
        self.made_events += 1;
        let subject = if action == Action::Create {
            object_id(at, self.process, 0x80_0000 | u32::try_from(number & 0x7f_ffff).unwrap_or(0))
        } else {
            // One of a few dozen that were there before: the same subject comes up in many events.
            let known = i64::try_from(seed % 48).unwrap_or(0);
            object_id(UnixMillis::from_secs(1_650_000_000 + known * 977), self.process, 0x80_0000)
        };
        let event = LoggedEvent { number, trigger: self.spec.trigger, action, created_at: at, subject, seed };
        self.queue.push_back(event);
        if self.sending.is_none() {
            self.send_next(at);
        }
    }

    fn send_next(&mut self, at: UnixMillis) {
        let waiting = Phase::Waiting { until: at };
        self.sending = self.queue.pop_front().map(|event| Sending { event, retry: 0, phase: waiting });
    }

    fn deliver(&mut self, at: UnixMillis) {
        let Some(Sending { event, retry, phase }) = self.sending.take() else { return };
        let Phase::Trying { reply, .. } = phase else {
            let reply = self.spec.receiver.reply(&self.receiver_host, &mut self.deliveries);
            let until = at.plus_millis(reply.takes_ms.max(1));
            self.sending = Some(Sending { event, retry, phase: Phase::Trying { until, reply } });
            return;
        };
        let is_final = reply.verdict == Verdict::Taken || retry >= MAX_RETRY;
        self.log(at, retry, event, reply, is_final);
        if is_final {
            self.send_next(at);
        } else {
            let phase = Phase::Waiting { until: at.plus_millis(RETRY_AFTER_MS) };
            self.sending = Some(Sending { event, retry: retry + 1, phase });
        }
    }

    fn log(&mut self, at: UnixMillis, retry: u32, event: LoggedEvent, reply: Reply, is_final: bool) {
        let id = AttemptId(object_id(at, self.process, self.made_ids & 0x7f_ffff));
        self.made_ids = self.made_ids.wrapping_add(1);
        // Few texts, many entries.
        let response = match self.texts.get(reply.response.as_str()) {
            Some(text) => Arc::clone(text),
            None => {
                let text: Arc<str> = reply.response.into();
                self.texts.insert(Arc::clone(&text));
                text
            }
        };
        self.history.push(LoggedAttempt {
            id,
            at,
            status: reply.status,
            retry,
            response,
            event,
            verdict: reply.verdict,
            is_final,
        });
    }
}

fn host_of(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn receiver_host(url: &str, own: u64) -> ReceiverHost {
    // TEST-NET-3 (RFC 5737): nobody's addresses.
    ReceiverHost { host: host_of(url), address: format!("203.0.113.{}", own % 254 + 1) }
}
