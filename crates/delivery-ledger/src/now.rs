//! The clocks of the machine that the exporter runs on.

use core::time::Duration;

use crate::time::UnixMillis;

/// Both local clocks at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Since some fixed moment of this process, by the monotonic clock: what durations are measured with.
    pub uptime: Duration,
    /// The local wall clock: what freshness is told by. Nothing is decided by it.
    pub wall: UnixMillis,
}
