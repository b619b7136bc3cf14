//! Points in time on the page, and the two clocks that they go by.

use delivery_ledger::UnixMillis;

use super::state::server_time;
use crate::snapshot::Overview;
use crate::words::{ago, format, span};

/// A point in time, in words, and exactly.
pub(super) struct Moment {
    pub(super) words: String,
    /// For machines.
    pub(super) iso: String,
    /// For people who want to compare it with a log.
    pub(super) utc: String,
}

pub(super) fn moment(at: UnixMillis, words: String) -> Moment {
    Moment { words, iso: format(at, "%Y-%m-%dT%H:%M:%SZ"), utc: format(at, "%Y-%m-%d %H:%M:%S UTC") }
}

/// The two clocks that ages go by.
pub(super) struct Clocks {
    /// The exporter's own, for what it did itself.
    pub(super) now: UnixMillis,
    /// The server's, for what stands in logs.
    pub(super) server_now: UnixMillis,
    /// The time between two polls.
    pub(super) poll_interval_millis: i64,
}

impl Clocks {
    pub(super) const fn of(overview: &Overview, now: UnixMillis) -> Self {
        Self { now, server_now: server_time(overview, now), poll_interval_millis: overview.poll_interval_millis }
    }

    pub(super) fn local_ago(&self, at: UnixMillis) -> Moment {
        moment(at, ago(self.now.millis_since(at)))
    }

    pub(super) fn server_ago(&self, at: UnixMillis) -> Moment {
        moment(at, ago(self.server_now.millis_since(at)))
    }

    /// `for 12 minutes, since 02:48 UTC`: a phone shows no tooltips.
    pub(super) fn server_since(&self, at: UnixMillis) -> Moment {
        let words = format!("for {}, since {}", span(self.server_now.millis_since(at)), self.clock_time(at));
        moment(at, words)
    }

    /// The time of day, and the day if it is another one than the server's today.
    pub(super) fn clock_time(&self, at: UnixMillis) -> String {
        let day = |at| format(at, "%Y-%m-%d");
        format(at, if day(at) == day(self.server_now) { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" })
    }
}
