//! What is known of how a log lets go of entries, and what that proves.
//!
//! Nobody documents how many entries a log holds. It may show the newest N, those of the last T hours, or all; N may
//! change. It is learnt from what vanishes between two responses:
//!
//! - A log of the newest N is as long after an old entry has left as it was before.
//! - A log of the last T hours may get shorter, or grow while old entries leave; and what has left was older than
//!   anything that is known to stay.
//!
//! - Three times are proof, and once if it is empty: a log of the newest N that becomes shorter looks the same.
//! - What is there at an age at which others have left, or leaves at one at which others stayed, disproves T.
//! - What comes back had not left.
//!
//! A response without anything known proves that nothing was missed only if the log is known to be one of the last
//! T hours, less than T has passed, and it is shorter than the log is known to get.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::time::UnixMillis;

/// So many entries of the last response are remembered, evenly spread. A convention: enough to tell how old what has
/// left was, at a few hundred bytes per webhook.
const SAMPLES: usize = 32;

/// Ages are compared with at most this slack, in milliseconds: a server that deletes what is overdue does so now and then.
/// A convention: MongoDB deletes expired documents once a minute.
const LONGEST_SLACK_MILLIS: i64 = 61_000;

/// A log of the last T hours that shows fewer entries than this is not cut off at the newest N as well. A convention: no
/// page of an API is known to be shorter.
const SHORTEST_CAP: u64 = 10;

/// So often entries have to leave by age before a log is known to be one of the last T hours.
const PROOFS_OF_AGE: u8 = 3;

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

/// By which clock a log dates what is new in it. Only a log that is dated ahead as a whole shows, by an entry that is
/// dated ahead, how far it reaches back: in any other that is sorted by date, such an entry stays on top.
///
/// In a checkpoint, the first two are what a `false` and a `true` were: whether any date ever agreed with its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Dated {
    /// By another than the ids: no date has agreed with its id so far.
    #[default]
    Elsewhere,
    /// By that of the server: not all that was new in the last response with news was dated ahead.
    Now,
    /// All of that was dated ahead.
    AheadOnce,
    /// The same holds of the last two.
    AheadTwice,
    /// The same holds of three in a row, or of all so far.
    Ahead,
}

impl Dated {
    /// By which clock, after a response that has news.
    fn after(self, is_news_ahead: bool) -> Self {
        match (self, is_news_ahead) {
            (Self::Elsewhere, _) => Self::Elsewhere,
            (_, false) => Self::Now,
            (Self::Now, true) => Self::AheadOnce,
            (Self::AheadOnce, true) => Self::AheadTwice,
            (Self::AheadTwice | Self::Ahead, true) => Self::Ahead,
        }
    }

    /// Whether an entry that is dated ahead and known shows that nothing was missed.
    fn is_proof_of_overlap(self) -> bool {
        matches!(self, Self::Elsewhere | Self::Ahead)
    }
}

/// What is remembered of the responses so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    retention: Retention,
    /// The greatest age at which an entry was there.
    longest_stay_millis: i64,
    /// The smallest age at which an entry had left by age.
    shortest_leave_millis: Option<i64>,
    /// How often entries have left by age, without anything that spoke against it.
    left_by_age: u8,
    /// The length of the longest response.
    longest: u64,
    dated: Dated,
    last: Option<LastResponse>,
}

/// The last response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LastResponse {
    /// The server's time, or an earlier one if it was not certain.
    at: UnixMillis,
    length: u64,
    /// Places of some of its entries, in order; the oldest and the newest are among them.
    places: Vec<UnixMillis>,
}

/// A response, as far as retention goes.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// The server's time; `None` if it is not certain: then nothing is learnt of ages, and none proves anything.
    pub(crate) at: Option<UnixMillis>,
    /// How many entries it has, malformed ones included.
    pub(crate) length: u64,
    /// The places of its entries, in any order; none that is dated absurdly.
    pub(crate) places: Vec<UnixMillis>,
    /// The same of those that are told by another clock: they say nothing of how long entries stay, unless all are.
    pub(crate) disputed_places: Vec<UnixMillis>,
    /// Whether it has attempts, of any date: one that has only malformed entries says nothing.
    pub(crate) has_attempts: bool,
    /// Whether something in it is not dated ahead.
    pub(crate) has_present: bool,
    /// Whether something of that is known.
    pub(crate) has_known: bool,
    /// Whether something in it that is dated ahead, but not absurdly, is known.
    pub(crate) has_known_ahead: bool,
    /// Whether all that is new in it and not dated absurdly is dated ahead; `None` if nothing is.
    pub(crate) is_news_ahead: Option<bool>,
}

impl Retained {
    /// What is known after a response of this time and length, with this oldest entry; nothing if there was none.
    pub(crate) fn since(at: Option<UnixMillis>, length: Option<u64>, oldest: Option<UnixMillis>) -> Self {
        let last = at.zip(length).map(|(at, length)| LastResponse { at, length, places: oldest.into_iter().collect() });
        Self { longest: length.unwrap_or_default(), last, ..Self::default() }
    }

    /// How the log lets go of entries, as far as that is known.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// Takes in a response, and says whether entries may have been missed since the last one.
    pub(crate) fn take_in(&mut self, mut shown: Shown) -> bool {
        if shown.length > 0 && !shown.has_attempts && self.last.is_some() {
            // The next one that can be read is held against the last one that could.
            return false;
        }
        let is_ahead_proof = !shown.has_present && self.dated.is_proof_of_overlap();
        shown.has_known |= shown.has_known_ahead && is_ahead_proof;
        if self.dated == Dated::Elsewhere && !shown.places.is_empty() {
            // What was learnt from dates of another clock does not hold.
            let last = self.last.take().map(|last| LastResponse { places: Vec::new(), ..last });
            let dated = if shown.has_present { Dated::Now } else { Dated::Ahead };
            *self = Self { dated, longest: self.longest, last, ..Self::default() };
        } else if let Some(is_news_ahead) = shown.is_news_ahead {
            self.dated = self.dated.after(is_news_ahead);
        }
        if self.dated == Dated::Elsewhere {
            shown.places.append(&mut shown.disputed_places);
        }
        shown.places.sort_unstable();
        let Some(last) = self.last.take() else {
            self.remember(shown, UnixMillis::MIN);
            return false;
        };
        if shown.length == 0 && last.length > 0 && matches!(self.retention, Retention::Newest(_)) {
            // A log of the newest N that had entries does not become empty.
            self.retention = Retention::Unknown;
        }
        if let Some(now) = shown.at
            && (shown.length == 0 || !shown.places.is_empty())
        {
            self.learn(&last, &shown, now);
        }
        let is_gap = self.is_gap(&last, &shown);
        self.remember(shown, last.at);
        is_gap
    }

    /// Takes in that the log is still as it was in the last response, at this time of the server: nothing has left, and
    /// nothing has been missed until now. Nothing is learnt if the time is not certain.
    pub(crate) fn stays(&mut self, at: Option<UnixMillis>) {
        let (Some(now), Some(last)) = (at, &mut self.last) else { return };
        last.at = now;
        let Some(oldest) = last.places.first().copied() else { return };
        if self.outstays(Some(oldest), now) {
            self.forget_age(Some(oldest), now);
        }
        self.note_stay(oldest, now);
    }

    /// Whether entries may have been missed between the two responses.
    fn is_gap(&self, last: &LastResponse, shown: &Shown) -> bool {
        if shown.has_known || (shown.length < 2 && last.length <= shown.length) {
            return false;
        }
        let passed = shown.at.map_or(i64::MAX, |now| now.millis_since(last.at));
        match self.retention {
            Retention::ForMillis(stay) => {
                let is_short = shown.length < self.longest.max(SHORTEST_CAP);
                !is_short || passed.saturating_add(slack(stay)) >= stay
            }
            // The log was empty: everything since then is in it, unless it is full.
            Retention::Newest(newest) => last.length > 0 || shown.length >= newest,
            // A log that was always empty has not let go of any.
            Retention::Unknown => self.longest > 0,
        }
    }

    /// Learns from what has left since the last response.
    fn learn(&mut self, last: &LastResponse, shown: &Shown, now: UnixMillis) {
        let oldest = shown.places.first().copied();
        let is_back = match (oldest, last.places.first()) {
            (Some(oldest), Some(before)) => oldest < *before,
            _ => last.length == 0 && shown.has_known,
        };
        if is_back || self.outstays(oldest, now) {
            // What was taken for gone was a hole, or a replica that lags behind; or one is there at an age at which
            // others had left, so they did not leave by age.
            self.forget_age(oldest, now);
        }
        // What stands before the oldest entry, or anything if there is none, has left; a hole further up is no leaving.
        let gone = |place: &&UnixMillis| oldest.is_none_or(|oldest| **place < oldest);
        let Some(youngest_gone) = last.places.iter().rfind(gone).copied() else { return };
        let age = now.millis_since(youngest_gone);
        let stays_by_age = age >= self.longest_stay_millis - slack(self.longest_stay_millis);
        let is_of_one_length = shown.length == last.length;
        let was_cleared = shown.length == 0;
        if !stays_by_age {
            // It left younger than others stayed: it was pushed out, or the log has become shorter.
            self.forget_age(oldest, now);
            self.retention = Retention::Newest(shown.length.max(1));
            return;
        }
        self.shortest_leave_millis = Some(self.shortest_leave_millis.map_or(age, |shortest| shortest.min(age)));
        if is_of_one_length && !matches!(self.retention, Retention::ForMillis(_)) {
            self.retention = Retention::Newest(shown.length);
        } else if !is_of_one_length && (shown.has_known || was_cleared) {
            self.left_by_age = if was_cleared { PROOFS_OF_AGE } else { self.left_by_age.saturating_add(1) };
            if self.left_by_age >= PROOFS_OF_AGE {
                self.retention = Retention::ForMillis(self.longest_stay_millis);
            }
        }
    }

    /// Whether the oldest entry is there at an age at which others had left.
    fn outstays(&self, oldest: Option<UnixMillis>, now: UnixMillis) -> bool {
        let age = oldest.map(|oldest| now.millis_since(oldest));
        age.zip(self.shortest_leave_millis)
            .is_some_and(|(age, shortest)| age > shortest.saturating_add(slack(shortest)))
    }

    /// Takes back what was learnt of ages.
    fn forget_age(&mut self, oldest: Option<UnixMillis>, now: UnixMillis) {
        if matches!(self.retention, Retention::ForMillis(_)) {
            self.retention = Retention::Unknown;
        }
        self.left_by_age = 0;
        self.shortest_leave_millis = None;
        self.longest_stay_millis = oldest.map_or(0, |oldest| now.millis_since(oldest).max(0));
    }

    /// Takes in that the oldest entry is there.
    fn note_stay(&mut self, oldest: UnixMillis, now: UnixMillis) {
        self.longest_stay_millis = self.longest_stay_millis.max(now.millis_since(oldest));
        if let Retention::ForMillis(stay) = &mut self.retention {
            *stay = self.longest_stay_millis;
        }
    }

    fn remember(&mut self, shown: Shown, last_at: UnixMillis) {
        if let (Some(oldest), Some(now)) = (shown.places.first(), shown.at) {
            self.note_stay(*oldest, now);
        }
        self.longest = self.longest.max(shown.length);
        if let Retention::ForMillis(stay) = &mut self.retention {
            *stay = self.longest_stay_millis;
        }
        let places = sampled(&shown.places);
        self.last = Some(LastResponse { at: shown.at.unwrap_or(last_at), length: shown.length, places });
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
