//! How the API shows a webhook's log: everything that is not documented about it, to be chosen per webhook.

use std::collections::HashSet;
use std::hash::Hasher as _;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use serde_json::Value;
use siphasher::sip::SipHasher13;

use delivery_ledger::{AttemptId, ObjectId, UnixMillis};

use crate::payload;
use crate::world::{SimulatedWebhook, mix};

/// The order of a log's entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the panel shows them.
    #[default]
    NewestFirst,
    /// The other way round.
    OldestFirst,
    /// Any order; the same one while the log stays the same.
    Shuffled,
}

/// How one webhook's log is shown.
#[derive(Clone, Debug)]
pub struct LogShape {
    /// How many entries are shown: the newest ones. Hidden entries do not count, duplicates and extra ones neither.
    pub window: usize,
    /// Their order.
    pub order: Order,
    /// Shows every entry twice.
    pub duplicates: bool,
    /// Shows an event's last attempt only.
    pub final_attempts_only: bool,
    /// Leaves these entries out: what comes late, or vanishes and comes back.
    pub hidden: HashSet<AttemptId>,
    /// Leaves out what is younger than so many milliseconds: a replica that lags.
    pub lag_ms: i64,
    /// Further entries, right or wrong, shown as if they were the newest. `payload::entry_value` makes right ones.
    pub extra: Vec<Value>,
    /// The whole body instead of all this.
    pub body: Option<String>,
}

impl Default for LogShape {
    /// The newest 1,000 entries, newest first.
    fn default() -> Self {
        Self {
            window: 1_000,
            order: Order::default(),
            duplicates: false,
            final_attempts_only: false,
            hidden: HashSet::new(),
            lag_ms: 0,
            extra: Vec::new(),
            body: None,
        }
    }
}

/// One entry of a response.
#[derive(Clone, Debug)]
enum ShownEntry {
    /// The log entry with this number. Entries are written only while they are sent.
    Logged(u64),
    /// An extra entry, as text.
    Extra(String),
}

/// The entries of one response in their order: all that its content depends on.
#[derive(Debug)]
pub(crate) struct LogPlan {
    entries: Vec<ShownEntry>,
    next: usize,
    tag: u64,
}

impl LogPlan {
    pub(crate) fn of(shape: &LogShape, webhook: &SimulatedWebhook, now: UnixMillis, seed: u64) -> Self {
        let shown = webhook.newest_first().filter(|(_, attempt)| {
            (attempt.is_final || !shape.final_attempts_only)
                && !shape.hidden.contains(&attempt.id)
                && now.millis_since(attempt.at) >= shape.lag_ms
        });
        let mut entries: Vec<ShownEntry> =
            shape.extra.iter().map(|value| ShownEntry::Extra(value.to_string())).collect();
        entries.extend(shown.take(shape.window).map(|(number, _)| ShownEntry::Logged(number)));
        if shape.duplicates {
            entries = entries.into_iter().flat_map(|entry| [entry.clone(), entry]).collect();
        }
        match shape.order {
            Order::NewestFirst => {}
            Order::OldestFirst => entries.reverse(),
            Order::Shuffled => {
                let mut dice = StdRng::seed_from_u64(seed ^ hash(&entries));
                entries.shuffle(&mut dice);
            }
        }
        let (least, most) = webhook.spec.entry_bytes;
        let tag = hash(&entries) ^ seed ^ mix(u64::from(least) << 32 | u64::from(most));
        Self { entries, next: 0, tag }
    }

    /// A hash of all that the content depends on: for one webhook of one world, a log entry is known by its number.
    pub(crate) const fn tag(&self) -> u64 {
        self.tag
    }

    /// The next part of the body, some `size` bytes, from the opening to the closing bracket; `None` after the last.
    pub(crate) fn write_part(&mut self, webhook: &SimulatedWebhook, company: ObjectId, size: usize) -> Option<Vec<u8>> {
        if self.next > self.entries.len() {
            return None;
        }
        // Half of the largest entry as room for the last one.
        let mut out = Vec::with_capacity(size + 3_000);
        if self.next == 0 {
            out.push(b'[');
        }
        let mut is_first = self.next == 0;
        while out.len() < size {
            let Some(entry) = self.entries.get(self.next) else {
                out.push(b']');
                self.next += 1;
                break;
            };
            self.next += 1;
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            match entry {
                ShownEntry::Extra(text) => out.extend_from_slice(text.as_bytes()),
                ShownEntry::Logged(number) => match webhook.entry(*number) {
                    Some(attempt) => {
                        payload::write_entry(&mut out, attempt, webhook.id.0, company, webhook.spec.entry_bytes);
                    }
                    // Forgotten while the response was under way; no response of a test lasts that long.
                    None => out.extend_from_slice(b"null"),
                },
            }
        }
        Some(out)
    }

    /// Whether [`Self::write_part`] has given everything.
    pub(crate) const fn is_done(&self) -> bool {
        self.next > self.entries.len()
    }
}

fn hash(entries: &[ShownEntry]) -> u64 {
    let mut hasher = SipHasher13::new();
    for entry in entries {
        match entry {
            ShownEntry::Logged(number) => hasher.write_u64(*number),
            ShownEntry::Extra(text) => hasher.write(text.as_bytes()),
        }
    }
    hasher.finish()
}
