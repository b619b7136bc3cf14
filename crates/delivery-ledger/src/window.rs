//! What is known of how a log lets go of entries, and what that proves.
//!
//! Nobody documents how many entries a log holds. It may show the newest N, those of the last T hours, or all; N may
//! change. It is learnt from what vanishes between two responses:
//!
//! - A log of the newest N is as long after an old entry has left as it was before.
//! - A log of the last T hours may get shorter, or grow while old entries leave; and what has left was older than
//!   anything that is known to stay.
//!
//! A response without anything known proves that nothing was missed only if the log is known to be one of the last
//! T hours, and less than T has passed.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::time::UnixMillis;

/// So many entries of the last response are remembered, evenly spread. A convention: enough to tell how old what has
/// left was, at a few hundred bytes per webhook.
const SAMPLES: usize = 32;

/// Ages are compared with at most this slack, in milliseconds: a server that deletes what is overdue does so now and then.
/// A convention: MongoDB deletes expired documents once a minute.
const LONGEST_SLACK_MILLIS: i64 = 61_000;

/// The slack for an age: a tenth of it, and the second to which places are exact.
fn slack(age_millis: i64) -> i64 {
    (age_millis / 10 + 1_000).min(LONGEST_SLACK_MILLIS)
}

/// How a log lets go of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retention {
    /// None has left yet.
    #[default]
    Unknown,
    /// The newest so many stay.
    Newest(u64),
    /// Entries stay for at least so many milliseconds.
    ForMillis(i64),
}

/// What is remembered of the responses so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    retention: Retention,
    /// The greatest age at which an entry was there.
    longest_stay_millis: i64,
    last: Option<LastResponse>,
}

/// The last response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LastResponse {
    /// The server's time.
    at: UnixMillis,
    length: u64,
    /// Places of some of its entries, in order; the oldest and the newest are among them.
    places: Vec<UnixMillis>,
}

/// A response, as far as retention goes.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// The server's time.
    pub(crate) at: UnixMillis,
    /// How many entries it has, malformed ones included.
    pub(crate) length: u64,
    /// The places of its entries, in any order; none that is dated absurdly.
    pub(crate) places: Vec<UnixMillis>,
    /// Whether something in it is known.
    pub(crate) has_known: bool,
}

impl Retained {
    /// What is known after a response of this time and length, with this oldest entry; nothing if there was none.
    pub(crate) fn since(at: Option<UnixMillis>, length: Option<u64>, oldest: Option<UnixMillis>) -> Self {
        let last = at.zip(length).map(|(at, length)| LastResponse { at, length, places: oldest.into_iter().collect() });
        Self { last, ..Self::default() }
    }

    /// How the log lets go of entries, as far as that is known.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// Takes in a response, and says whether entries may have been missed since the last one.
    pub(crate) fn take_in(&mut self, mut shown: Shown) -> bool {
        shown.places.sort_unstable();
        let Some(last) = self.last.take() else {
            self.remember(shown);
            return false;
        };
        self.learn(&last, &shown);
        let is_gap = self.is_gap(&last, &shown);
        self.remember(shown);
        is_gap
    }

    /// Whether entries may have been missed between the two responses.
    fn is_gap(&self, last: &LastResponse, shown: &Shown) -> bool {
        if shown.has_known || (shown.length < 2 && last.length <= shown.length) {
            return false;
        }
        if shown.length > 0 && shown.places.is_empty() {
            // All that it shows is malformed or dated absurdly: it says nothing.
            return false;
        }
        let passed = shown.at.millis_since(last.at);
        match self.retention {
            Retention::ForMillis(stay) => passed.saturating_add(slack(stay)) >= stay,
            // The log was empty: everything since then is in it, unless it is full.
            Retention::Newest(newest) => last.length > 0 || shown.length >= newest,
            Retention::Unknown => last.length > 0,
        }
    }

    fn learn(&mut self, last: &LastResponse, shown: &Shown) {
        let oldest = shown.places.first().copied();
        // What stands before the oldest entry, or anything if there is none, has left; a hole further up is no leaving.
        let gone = |place: &&UnixMillis| oldest.is_none_or(|oldest| **place < oldest);
        let Some(youngest_gone) = last.places.iter().rfind(gone).copied() else { return };
        let age = shown.at.millis_since(youngest_gone);
        let stays_by_age = age >= self.longest_stay_millis - slack(self.longest_stay_millis);
        let is_of_one_length = shown.length == last.length;
        let was_cleared = shown.length == 0;
        if !stays_by_age {
            // It left younger than others stayed: it was pushed out, or the log has become shorter.
            self.retention = Retention::Newest(shown.length.max(1));
            self.longest_stay_millis = oldest.map_or(0, |oldest| shown.at.millis_since(oldest).max(0));
        } else if is_of_one_length && !matches!(self.retention, Retention::ForMillis(_)) {
            self.retention = Retention::Newest(shown.length);
        } else if !is_of_one_length && (shown.has_known || was_cleared) {
            self.retention = Retention::ForMillis(self.longest_stay_millis);
        }
    }

    fn remember(&mut self, shown: Shown) {
        if let Some(oldest) = shown.places.first() {
            self.longest_stay_millis = self.longest_stay_millis.max(shown.at.millis_since(*oldest));
        }
        if let Retention::ForMillis(stay) = &mut self.retention {
            *stay = self.longest_stay_millis;
        }
        let places = sampled(&shown.places);
        self.last = Some(LastResponse { at: shown.at, length: shown.length, places });
    }
}

/// Some of these, evenly spread, with the first and the last.
fn sampled(places: &[UnixMillis]) -> Vec<UnixMillis> {
    if places.len() <= SAMPLES {
        return places.to_vec();
    }
    let last = places.len() - 1;
    (0..SAMPLES).filter_map(|sample| places.get(sample * last / (SAMPLES - 1)).copied()).collect()
}
