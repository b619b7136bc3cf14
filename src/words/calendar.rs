//! Points in time as the calendar has them, the same in all languages.

use delivery_ledger::UnixMillis;
use jiff::Timestamp;

/// `at` in UTC by a `strftime` pattern; `?` where the calendar has no such time.
pub(crate) fn format(at: UnixMillis, pattern: &str) -> String {
    Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| String::from("?"), |at| at.strftime(pattern).to_string())
}
