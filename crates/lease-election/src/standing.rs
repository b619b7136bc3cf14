//! What a replica may do.

use core::time::Duration;

/// What a replica may do. Compare it with the clock right before doing anything: see [`Standing::at`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Another replica holds the Lease, as far as is known.
    Standby,
    /// This one does.
    Holder {
        /// Until then, by the clock that the election is given.
        until: Duration,
    },
    /// The Lease can be neither read nor renewed: act as if this one held it.
    Unsure {
        /// Until then.
        until: Duration,
    },
    /// The time is up, and it is not known yet what the Lease says: begin nothing.
    Checking,
}

impl Standing {
    /// What it has become at `now`.
    #[must_use]
    pub fn at(self, now: Duration) -> Self {
        match self {
            Self::Holder { until } | Self::Unsure { until } if until <= now => Self::Checking,
            Self::Standby | Self::Holder { .. } | Self::Unsure { .. } | Self::Checking => self,
        }
    }

    /// Whether to act as the holder, at the time of this standing.
    #[must_use]
    pub const fn leads(self) -> bool {
        matches!(self, Self::Holder { .. } | Self::Unsure { .. })
    }

    /// When it lapses; `None` if it does not.
    #[must_use]
    pub const fn until(self) -> Option<Duration> {
        match self {
            Self::Holder { until } | Self::Unsure { until } => Some(until),
            Self::Standby | Self::Checking => None,
        }
    }
}
