//! The formats of a page.

use super::openmetrics::{self, OpenMetrics};
use super::sample::Sink;
use super::text::Text;

/// A format that a page can be written in. Another one is another line here, and its encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The Prometheus text format 0.0.4.
    Text,
    /// OpenMetrics 1.0 as text.
    OpenMetrics,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Text, Self::OpenMetrics];

    /// Its place in [`Format::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Writes at the end of `text` what `write` hands to the encoder, as part of a page.
    pub fn encode(self, text: &mut Vec<u8>, write: impl FnOnce(&mut dyn Sink)) {
        match self {
            Self::Text => write(&mut Text::new(text)),
            Self::OpenMetrics => write(&mut OpenMetrics::new(text)),
        }
    }

    /// What the last part of a page ends with.
    #[must_use]
    pub const fn end(self) -> &'static [u8] {
        match self {
            Self::Text => b"",
            Self::OpenMetrics => openmetrics::END,
        }
    }
}
