//! The only place that reads the clock.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use delivery_ledger::UnixMillis;
use delivery_ledger::fleet::Now;

/// The local time: it dates what the exporter itself does. Counting uses the server's time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> UnixMillis {
    millis(SystemTime::now())
}

/// Both clocks of this process: its uptime, which is monotonic, and the local time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn moment() -> Now {
    static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
    Now { uptime: STARTED.elapsed(), wall: now() }
}

/// The time since the machine started, suspended or not: what a Lease is measured by. A process that was stopped, or whose
/// machine slept, finds that it has passed.
#[must_use]
pub fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
    // Elsewhere there are no pods to be suspended.
    #[cfg(not(target_os = "linux"))]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(CLOCK);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
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

/// `time` as the standard library's type; the epoch where that cannot hold it.
#[must_use]
pub fn system_time(time: UnixMillis) -> SystemTime {
    let since_epoch = Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(0));
    UNIX_EPOCH.checked_add(since_epoch).unwrap_or(UNIX_EPOCH)
}
