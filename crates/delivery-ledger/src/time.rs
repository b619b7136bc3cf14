//! Points in time, as the API dates things.

use serde::{Deserialize, Serialize};

/// A point in time: whole milliseconds since the Unix epoch, the resolution of the API's `createdAt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// Later than everything that the API can date.
    pub const MAX: Self = Self(i64::MAX);
    /// Earlier than everything that the API can date.
    pub const MIN: Self = Self(i64::MIN);

    /// The point `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The point `seconds` seconds after the epoch.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The same point `millis` later, or earlier if negative; saturates.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// How many milliseconds this point lies after `earlier`; negative if before; saturates.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The first millisecond of the second that this point lies in.
    #[must_use]
    pub const fn start_of_second(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(1_000)))
    }

    /// The last millisecond of the second that this point lies in.
    #[must_use]
    pub const fn end_of_second(self) -> Self {
        Self(self.start_of_second().0.saturating_add(999))
    }
}

/// A point in time in a row of many: it may stand at any address, so that nothing is left free around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompactMillis([u8; 8]);

impl From<UnixMillis> for CompactMillis {
    fn from(at: UnixMillis) -> Self {
        Self(at.0.to_ne_bytes())
    }
}

impl From<CompactMillis> for UnixMillis {
    fn from(at: CompactMillis) -> Self {
        Self(i64::from_ne_bytes(at.0))
    }
}
