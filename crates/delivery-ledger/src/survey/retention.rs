//! How long logs keep entries, as far as one look can say. What vanishes between two looks says it far better: see the
//! ledger's own retention.

use alloc::vec::Vec;

use crate::time::UnixMillis;

/// A shorter log than this is short because little has happened. A convention: no page of an API is known to be shorter.
const SHORTEST: u64 = 10;

/// Two logs at least have to agree: one may be as it is by chance.
const WITNESSES: usize = 2;

/// Logs that reach back equally far do so to within this part of it, in percent. A convention: an entry in a hundred.
const AGREEMENT_PERCENT: i64 = 1;

/// How far one log reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogExtent {
    /// Its entries, each once.
    pub entries: u64,
    /// How long before the server's time its oldest entry was made, in milliseconds; `None` if it has none.
    pub reaches_back_millis: Option<i64>,
    /// How long before the server's time the webhook was made, in milliseconds.
    pub webhook_age_millis: i64,
}

impl LogExtent {
    /// A log of so many entries, of a webhook made then.
    #[must_use]
    pub fn new(entries: u64, oldest: Option<UnixMillis>, webhook_made_at: UnixMillis, now: UnixMillis) -> Self {
        let reaches_back_millis = oldest.map(|oldest| now.millis_since(oldest).max(0));
        Self { entries, reaches_back_millis, webhook_age_millis: now.millis_since(webhook_made_at).max(0) }
    }

    /// Whether entries may have left it: it is long enough, and does not reach back to the webhook's beginning.
    fn may_be_cut(&self) -> bool {
        let is_cut = |back: i64| self.webhook_age_millis > back.saturating_add(back / 10);
        self.entries >= SHORTEST && self.reaches_back_millis.is_some_and(is_cut)
    }
}

/// What the extents of many logs suggest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// Nothing.
    Unknown,
    /// So many logs have exactly the same greatest number of entries: perhaps the newest `entries` are kept.
    Newest {
        /// How many entries.
        entries: u64,
        /// How many logs have so many.
        logs: u64,
    },
    /// So many logs of other lengths reach back equally far: perhaps the entries of this time are kept.
    Age {
        /// How far the one that reaches back furthest does, in milliseconds.
        millis: i64,
        /// How many logs do.
        logs: u64,
    },
}

/// What one look at all logs suggests of how long they keep entries.
#[must_use]
pub fn guess_retention(extents: &[LogExtent]) -> Guess {
    let cut: Vec<&LogExtent> = extents.iter().filter(|extent| extent.may_be_cut()).collect();
    let longest = cut.iter().map(|extent| extent.entries).max().unwrap_or_default();
    let is_longest_of_all = extents.iter().all(|extent| extent.entries <= longest);
    let full = cut.iter().filter(|extent| extent.entries == longest).count();
    if full >= WITNESSES && is_longest_of_all {
        return Guess::Newest { entries: longest, logs: number(full) };
    }
    let furthest = cut.iter().filter_map(|extent| extent.reaches_back_millis).max().unwrap_or_default();
    let agrees = |back: i64| furthest.saturating_sub(back) <= furthest / 100 * AGREEMENT_PERCENT;
    let agreeing = cut.iter().filter(|extent| extent.reaches_back_millis.is_some_and(agrees)).count();
    if agreeing >= WITNESSES {
        return Guess::Age { millis: furthest, logs: number(agreeing) };
    }
    Guess::Unknown
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
