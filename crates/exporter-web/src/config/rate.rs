//! `rate_limit`: how many requests are let through.

use std::time::Duration;

use super::sections::RateSection;
use super::values::given;
use crate::error::ConfigError;

const ALLOWED_INTERVAL: &str = "a duration such as 100ms or 1s, up to 24h, or 0 for no limit";
const ALLOWED_BURST: &str = "a whole number from 1 up";

/// Keeps sums of intervals far from overflowing. A convention.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// `burst` requests at once, and one more each `interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// More than zero, and a day at most.
    pub(crate) interval: Duration,
    /// 1 or more.
    pub(crate) burst: u32,
}

/// The rate of this section; `None` for no limit.
pub(super) fn rate(section: RateSection) -> Result<Option<Rate>, ConfigError> {
    let missing = |key: &str, needed: &str| Err(ConfigError::at(key, format_args!("missing; use {needed}")));
    let interval = given(section.interval);
    let burst = given(section.burst);
    let Some(interval) = interval else {
        return if burst.is_some() { missing("rate_limit.interval", ALLOWED_INTERVAL) } else { Ok(None) };
    };
    let duration = humantime::parse_duration(&interval).ok().filter(|duration| *duration <= LONGEST_INTERVAL);
    let duration = duration.ok_or_else(|| ConfigError::value("rate_limit.interval", &interval, ALLOWED_INTERVAL))?;
    if duration == Duration::ZERO {
        return Ok(None);
    }
    let Some(burst) = burst else { return missing("rate_limit.burst", ALLOWED_BURST) };
    let count = burst.parse::<u32>().ok().filter(|burst| *burst > 0);
    let burst = count.ok_or_else(|| ConfigError::value("rate_limit.burst", &burst, ALLOWED_BURST))?;
    Ok(Some(Rate { interval: duration, burst }))
}
