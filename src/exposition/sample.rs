//! Samples, and the door that all of them go through on their way to a format.

use delivery_ledger::UnixMillis;

use super::family::Family;

/// The name and the value of a label, not escaped.
pub type Label<'a> = (&'a str, &'a str);

/// Takes families one after the other, each followed by all of its samples. An encoder is one.
///
/// It is called once per sample, up to a million times for a page, and so has no reason to allocate: all that a sample
/// consists of is lent to it.
pub trait Sink {
    /// Begins a family. The samples that follow are its samples, until the next one begins.
    fn family(&mut self, family: &Family<'_>);

    /// Goes on with a family that has begun in an earlier part of the page.
    fn resume(&mut self, family: &Family<'_>);

    /// Takes one sample, whose labels are `shared` and then `labels`. A histogram gives for each label set its buckets in
    /// ascending order, the infinite one included, then its sum and its count.
    fn sample(&mut self, shared: &Shared, labels: &[Label<'_>], point: Point);
}

/// What a sample says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Point {
    /// The value of a counter or a gauge.
    Value(Value),
    /// A bucket of a histogram.
    Bucket {
        /// Its upper bound, which is in it; infinite for the last one.
        upper: f64,
        /// How many observations are in it and in those below.
        cumulative: u64,
    },
    /// The sum of a histogram's observations.
    Sum(Value),
    /// The number of a histogram's observations.
    Count(u64),
}

/// A number that is written without loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Count(u64),
    /// A date or a duration in milliseconds, written in seconds.
    Millis(i64),
    /// Any number, written as short as it can be read back.
    Float(f64),
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Count(u64::from(value))
    }
}

impl From<UnixMillis> for Value {
    fn from(at: UnixMillis) -> Self {
        Self::Millis(at.as_millis())
    }
}

/// What many samples have in common: labels, spelled as the text formats (0.0.4 and OpenMetrics 1.0) both spell them, so
/// that they are escaped once and not sixty times; and since when their counters count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    labels: Vec<u8>,
    since: Option<UnixMillis>,
}

impl Shared {
    /// No labels, and counters that do not tell since when they count.
    pub const NONE: &'static Self = &Self { labels: Vec::new(), since: None };

    /// These labels, in this order.
    #[must_use]
    pub fn labels(labels: &[Label<'_>]) -> Self {
        let mut text = Vec::new();
        write_labels(&mut text, labels);
        Self { labels: text, since: None }
    }

    /// The same, and since when the counters with these labels count; `None` if that is not known.
    #[must_use]
    pub fn counting_since(self, since: Option<UnixMillis>) -> Self {
        Self { since, ..self }
    }

    /// `name="value",…`, without braces.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.labels
    }

    /// Since when the counters count: they were 0 then.
    #[must_use]
    pub fn since(&self) -> Option<UnixMillis> {
        self.since
    }
}

/// Writes `name="value",…` with the values escaped: backslash, line feed and quotation mark.
pub(super) fn write_labels(text: &mut Vec<u8>, labels: &[Label<'_>]) {
    for (index, (name, value)) in labels.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"=\"");
        escape(text, value, |byte| matches!(byte, b'\\' | b'\n' | b'"'));
        text.push(b'"');
    }
}

/// Writes `value` with a backslash before each special byte; a line feed becomes an `n`.
pub(super) fn escape(text: &mut Vec<u8>, value: &str, is_special: impl Fn(&u8) -> bool) {
    let mut rest = value.as_bytes();
    while let Some(plain) = rest.iter().position(&is_special) {
        text.extend_from_slice(&rest[..plain]);
        let special = if rest[plain] == b'\n' { b'n' } else { rest[plain] };
        text.extend_from_slice(&[b'\\', special]);
        rest = &rest[plain + 1..];
    }
    text.extend_from_slice(rest);
}
