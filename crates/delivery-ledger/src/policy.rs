//! What Cotalker's documentation leaves open, as a choice of the user.

/// When an attempt is an event's last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A failed attempt with this `retry` or more is an event's last.
    pub max_retries: u32,
    /// A failed event without a further attempt for longer than so many milliseconds is lost.
    pub pending_timeout_millis: i64,
}
