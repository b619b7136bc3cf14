//! Points in time and durations.

use delivery_ledger::UnixMillis;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// The first millisecond of the year 0. Source: RFC 3339, section 1: no year before it can be written.
const YEAR_0: UnixMillis = UnixMillis::from_secs(-62_167_219_200);

/// A point in time as RFC 3339 in UTC, always with milliseconds, so that the order of texts is that of times; `null` where the
/// calendar has no such time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub UnixMillis);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let timestamp = Timestamp::from_millisecond(self.0.as_millis()).ok().filter(|_| self.0 >= YEAR_0);
        match timestamp {
            Some(timestamp) => serializer.collect_str(&format_args!("{timestamp:.3}")),
            None => serializer.serialize_none(),
        }
    }
}

/// A duration in milliseconds, written in seconds: a whole number where it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1_000 == 0 {
            return serializer.serialize_i64(self.0 / 1_000);
        }
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 ms, which is 285,000 years")]
        serializer.serialize_f64(self.0 as f64 / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &impl Serialize) -> String {
        serde_json::to_string(value).expect("JSON")
    }

    #[test]
    fn times_are_rfc_3339_and_null_where_that_has_none() {
        for (millis, expected) in [
            (1_651_781_080_084, "\"2022-05-05T20:04:40.084Z\""),
            (1_651_781_080_000, "\"2022-05-05T20:04:40.000Z\""),
            (YEAR_0.as_millis(), "\"0000-01-01T00:00:00.000Z\""),
            (YEAR_0.as_millis() - 1, "null"),
            (i64::MIN, "null"),
            (i64::MAX, "null"),
        ] {
            assert_eq!(written(&Time(UnixMillis::from_millis(millis))), expected);
        }
    }

    #[test]
    fn durations_are_seconds() {
        for (millis, expected) in [(60_000, "60"), (1_500, "1.5"), (-12, "-0.012"), (0, "0")] {
            assert_eq!(written(&Seconds(millis)), expected);
        }
    }
}
