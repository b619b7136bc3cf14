//! The one place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::delivery::UnixMillis;

/// The local time. Counting goes by the server's time; this one dates what the exporter itself does.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> UnixMillis {
    millis(SystemTime::now())
}

/// `time` in whole milliseconds, rounded down; saturates.
#[must_use]
pub fn millis(time: SystemTime) -> UnixMillis {
    let millis = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
    };
    UnixMillis::from_millis(millis)
}
