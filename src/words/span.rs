//! Time spans as they are told: in one unit.

/// A time span in one unit, rounded down: what matters is its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Seconds(u64),
    Minutes(u64),
    Hours(u64),
    Days(u64),
}

impl Span {
    /// A negative span is none.
    pub(crate) fn of_millis(millis: i64) -> Self {
        let seconds = u64::try_from(millis / 1_000).unwrap_or(0);
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        match (minutes, hours) {
            (0, _) => Self::Seconds(seconds),
            (1..60, _) => Self::Minutes(minutes),
            (_, 0..48) => Self::Hours(hours),
            (_, _) => Self::Days(days),
        }
    }

    /// What happened so long ago has just happened: the clocks of two machines differ, and it may seem to be in the
    /// future.
    pub(crate) const fn is_now(millis: i64) -> bool {
        millis < 1_000
    }
}
