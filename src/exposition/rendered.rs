//! The ledgers' families, rendered when somebody asks for them: in each format and encoding at most once.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::format::Format;
use crate::compression::{Encoding, Part};

/// How many there have been in this process.
static MOMENTS: AtomicU64 = AtomicU64::new(0);

/// Families of one moment. A form that nobody asks for costs nothing.
pub struct Rendered {
    moment: u64,
    render: Box<dyn Fn(Format) -> Bytes + Send + Sync>,
    forms: [[OnceLock<Part>; Encoding::ALL.len()]; Format::ALL.len()],
}

impl Rendered {
    /// Families that `render` renders.
    #[must_use]
    pub fn new(render: impl Fn(Format) -> Bytes + Send + Sync + 'static) -> Self {
        let moment = MOMENTS.fetch_add(1, Ordering::Relaxed);
        Self { moment, render: Box::new(render), forms: Default::default() }
    }

    /// Goes up from one moment to the next. What is of the same moment shares its memory.
    #[must_use]
    pub fn moment(&self) -> u64 {
        self.moment
    }

    /// Them in this form. The first call takes as long as that takes, a tenth of a second for ten thousand webhooks: not
    /// for an async thread.
    #[must_use]
    pub fn part(&self, format: Format, encoding: Encoding) -> Part {
        let plain = || match self.ready(format, Encoding::Identity) {
            Some(Part::Plain(plain)) => plain,
            // Not kept: whoever asks for a compressed page asks for no other.
            _ => (self.render)(format),
        };
        self.forms[format.index()][encoding.index()].get_or_init(|| Part::of(plain(), encoding)).clone()
    }

    /// The same, if that has been done.
    #[must_use]
    pub fn ready(&self, format: Format, encoding: Encoding) -> Option<Part> {
        self.forms[format.index()][encoding.index()].get().cloned()
    }
}

impl Default for Rendered {
    /// No families.
    fn default() -> Self {
        Self::new(|_| Bytes::new())
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rendered").finish_non_exhaustive()
    }
}
