//! Points in time on the page, and the two clocks that they go by.

use delivery_ledger::UnixMillis;

use crate::snapshot::Overview;
use crate::webhook_state::server_time;
use crate::words::{Words, format};

/// A point in time, in words, and exactly.
pub(super) struct Moment {
    pub(super) words: String,
    /// For machines, and to be compared with a log.
    pub(super) iso: String,
}

pub(super) fn moment(at: UnixMillis, words: String) -> Moment {
    Moment { words, iso: format(at, "%Y-%m-%dT%H:%M:%SZ") }
}

/// The two clocks that ages go by, and the words for them.
#[derive(Clone, Copy)]
pub(super) struct Clocks {
    /// The exporter's own, for what it did itself.
    pub(super) now: UnixMillis,
    /// The server's, for what stands in logs.
    pub(super) server_now: UnixMillis,
    pub(super) words: &'static dyn Words,
}

impl Clocks {
    pub(super) const fn of(overview: &Overview, now: UnixMillis, words: &'static dyn Words) -> Self {
        let server_now = server_time(overview, now);
        Self { now, server_now, words }
    }

    /// How long ago something happened that the exporter did.
    pub(super) fn local_age(&self, at: UnixMillis) -> i64 {
        self.now.millis_since(at)
    }

    /// How long ago something happened that stands in a log.
    pub(super) fn server_age(&self, at: UnixMillis) -> i64 {
        self.server_now.millis_since(at)
    }

    pub(super) fn local_ago(&self, at: UnixMillis) -> Moment {
        moment(at, self.words.ago(self.local_age(at)))
    }

    pub(super) fn server_ago(&self, at: UnixMillis) -> Moment {
        moment(at, self.words.ago(self.server_age(at)))
    }

    /// `for 12 minutes, since 02:48`: a phone shows no tooltips.
    pub(super) fn server_since(&self, at: UnixMillis) -> Moment {
        moment(at, self.words.lasting(self.server_age(at), &self.clock_time(at)))
    }

    /// A time that stands in a log, to the second: what is to be compared with other logs.
    pub(super) fn exact_time(&self, at: UnixMillis) -> Moment {
        let pattern = if self.is_today(at) { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
        moment(at, format(at, pattern))
    }

    /// The time of day, and the day if it is another one than the server's today.
    pub(super) fn clock_time(&self, at: UnixMillis) -> String {
        format(at, if self.is_today(at) { "%H:%M" } else { "%Y-%m-%d %H:%M" })
    }

    fn is_today(&self, at: UnixMillis) -> bool {
        let day = |at| format(at, "%Y-%m-%d");
        day(at) == day(self.server_now)
    }
}
