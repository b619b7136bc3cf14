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

    /// What `write` hands to the encoder, as part of a page; `capacity` is about how many bytes that is.
    #[must_use]
    pub fn encode(self, capacity: usize, write: impl FnOnce(&mut dyn Sink)) -> Vec<u8> {
        match self {
            Self::Text => {
                let mut text = Text::with_capacity(capacity);
                write(&mut text);
                text.finish()
            }
            Self::OpenMetrics => {
                let mut text = OpenMetrics::with_capacity(capacity);
                write(&mut text);
                text.finish()
            }
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
