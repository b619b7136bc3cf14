//! How the API shows a webhook's log: everything that is not documented about it, to be chosen per webhook.

use std::collections::HashSet;
use std::hash::Hasher as _;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use serde_json::Value;
use siphasher::sip::SipHasher13;

use delivery_ledger::{AttemptId, ObjectId, UnixMillis};

use super::payload;
use super::world::{Webhook, mix};

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
    pub final_rows_only: bool,
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
            final_rows_only: false,
            hidden: HashSet::new(),
            lag_ms: 0,
            extra: Vec::new(),
            body: None,
        }
    }
}

/// One entry of an answer.
#[derive(Clone, Debug)]
enum Row {
    /// The log entry with this number. Entries are written only while they are sent.
    Logged(u64),
    /// An extra entry, as text.
    Extra(String),
}

/// The entries of one answer in their order: all that its content depends on.
#[derive(Debug)]
pub(super) struct Plan {
    rows: Vec<Row>,
    next: usize,
    tag: u64,
}

impl Plan {
    pub(super) fn of(shape: &LogShape, webhook: &Webhook, now: UnixMillis, seed: u64) -> Self {
        let shown = webhook.newest_first().filter(|(_, attempt)| {
            (attempt.is_final || !shape.final_rows_only)
                && !shape.hidden.contains(&attempt.id)
                && now.millis_since(attempt.at) >= shape.lag_ms
        });
        let mut rows: Vec<Row> = shape.extra.iter().map(|value| Row::Extra(value.to_string())).collect();
        rows.extend(shown.take(shape.window).map(|(number, _)| Row::Logged(number)));
        if shape.duplicates {
            rows = rows.into_iter().flat_map(|row| [row.clone(), row]).collect();
        }
        match shape.order {
            Order::NewestFirst => {}
            Order::OldestFirst => rows.reverse(),
            Order::Shuffled => {
                let mut dice = StdRng::seed_from_u64(seed ^ hash(&rows));
                rows.shuffle(&mut dice);
            }
        }
        let (least, most) = webhook.spec.entry_bytes;
        let tag = hash(&rows) ^ seed ^ mix(u64::from(least) << 32 | u64::from(most));
        Self { rows, next: 0, tag }
    }

    /// A hash of all that the content depends on: for one webhook of one world, a log entry is known by its number.
    pub(super) const fn tag(&self) -> u64 {
        self.tag
    }

    /// The next part of the body, some `size` bytes, from the opening to the closing bracket; `None` after the last.
    pub(super) fn write_part(&mut self, webhook: &Webhook, company: ObjectId, size: usize) -> Option<Vec<u8>> {
        if self.next > self.rows.len() {
            return None;
        }
        // Half of the largest entry as room for the last one.
        let mut out = Vec::with_capacity(size + 3_000);
        if self.next == 0 {
            out.push(b'[');
        }
        let mut is_first = self.next == 0;
        while out.len() < size {
            let Some(row) = self.rows.get(self.next) else {
                out.push(b']');
                self.next += 1;
                break;
            };
            self.next += 1;
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            match row {
                Row::Extra(text) => out.extend_from_slice(text.as_bytes()),
                Row::Logged(number) => match webhook.entry(*number) {
                    Some(attempt) => {
                        payload::write_entry(&mut out, attempt, webhook.id.0, company, webhook.spec.entry_bytes);
                    }
                    // Forgotten while the answer was under way; no answer of a test lasts that long.
                    None => out.extend_from_slice(b"null"),
                },
            }
        }
        Some(out)
    }

    /// Whether [`Self::write_part`] has given everything.
    pub(super) const fn is_done(&self) -> bool {
        self.next > self.rows.len()
    }
}

fn hash(rows: &[Row]) -> u64 {
    let mut hasher = SipHasher13::new();
    for row in rows {
        match row {
            Row::Logged(number) => hasher.write_u64(*number),
            Row::Extra(text) => hasher.write(text.as_bytes()),
        }
    }
    hasher.finish()
}
