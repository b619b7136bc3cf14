//! Fields that may hold anything. The API's documentation leaves open which can be missing, `null`, or a number in quotes,
//! so a field that cannot be read is a field without a value, and fails nothing around it.

use std::borrow::Cow;

use delivery_ledger::{ObjectId, UnixMillis};
use serde_json::Number;

/// Free text of a webhook is cut to so many characters: it becomes a label of every scrape. A convention.
const MAX_TEXT_CHARS: usize = 256;

/// A field that should hold one value and may hold anything.
#[derive(Debug, Default)]
pub(super) enum Scalar<'a> {
    /// Absent or `null`.
    #[default]
    Nothing,
    /// There, and no value of a scalar.
    Unreadable,
    Text(Cow<'a, str>),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

impl<'a> Scalar<'a> {
    /// What is written without quotes.
    pub(super) fn of_word(word: &'a [u8]) -> Self {
        match word {
            b"null" => Self::Nothing,
            b"true" => Self::Boolean(true),
            b"false" => Self::Boolean(false),
            _ => serde_json::from_slice::<Number>(word).map_or(Self::Unreadable, |number| {
                let float = || number.as_f64().map(Self::Float);
                number.as_i64().map(Self::Integer).or_else(float).unwrap_or(Self::Unreadable)
            }),
        }
    }

    pub(super) fn has_value(&self) -> bool {
        !matches!(self, Self::Nothing | Self::Unreadable)
    }

    /// Whether nothing is said: absent, `null`, or a text of nothing but white space.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::Unreadable | Self::Integer(_) | Self::Float(_) | Self::Boolean(_) => false,
        }
    }

    /// Its text, if it is text.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nothing | Self::Unreadable | Self::Integer(_) | Self::Float(_) | Self::Boolean(_) => None,
        }
    }

    /// Its text, or its number's.
    pub(super) fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string().into()),
            Self::Float(number) => Some(number.to_string().into()),
            Self::Nothing | Self::Unreadable | Self::Boolean(_) => None,
        }
    }

    /// Its text, cut to a length that a label can have.
    pub(super) fn short_text(&self) -> String {
        self.text().unwrap_or_default().chars().take(MAX_TEXT_CHARS).collect()
    }

    /// Its number, in quotes or not, if that is whole.
    pub(super) fn integer(&self) -> Option<i64> {
        let whole = |number: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within bounds that i64 holds")]
            (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
        };
        match self {
            Self::Integer(number) => Some(*number),
            Self::Float(number) => whole(*number),
            Self::Text(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
            }
            Self::Nothing | Self::Unreadable | Self::Boolean(_) => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Integer(number) => Some(*number != 0),
            Self::Text(text) => match text.trim() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            Self::Nothing | Self::Unreadable | Self::Float(_) => None,
        }
    }

    pub(super) fn object_id(&self) -> Option<ObjectId> {
        self.as_str()?.trim().parse().ok()
    }

    pub(super) fn time(&self) -> Option<UnixMillis> {
        match self {
            Self::Text(text) => read_time(text),
            Self::Integer(_) | Self::Float(_) => read_time(&self.integer()?.to_string()),
            Self::Nothing | Self::Unreadable | Self::Boolean(_) => None,
        }
    }
}

/// A point in time as the API may write it: ISO 8601 with or without a zone (then UTC), or milliseconds since the epoch.
fn read_time(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(UnixMillis::from_millis(timestamp.as_millisecond()));
    }
    if let Ok(civil) = text.parse::<jiff::civil::DateTime>() {
        let timestamp = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
        return Some(UnixMillis::from_millis(timestamp.as_millisecond()));
    }
    let millis = text.parse::<i64>().ok()?;
    // Anything below is seconds, or no date at all: 10^11 ms is March 1973.
    (millis >= 100_000_000_000).then(|| UnixMillis::from_millis(millis))
}
