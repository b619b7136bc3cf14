//! The ledgers' families at one moment, rendered when somebody asks for them: in each format and encoding at most once.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::format::Format;
use super::page::Page;
use crate::compression::{Encoding, Part};

/// How many there have been in this process.
static MOMENTS: AtomicU64 = AtomicU64::new(0);

/// Families of one moment. A form that nobody asks for costs nothing.
pub struct Rendered {
    moment: u64,
    render: Box<dyn Fn(Format, Encoding) -> Part + Send + Sync>,
    forms: [[OnceLock<Part>; Encoding::ALL.len()]; Format::ALL.len()],
}

impl Rendered {
    /// Families that `render` renders.
    #[must_use]
    pub fn new(render: impl Fn(Format, Encoding) -> Part + Send + Sync + 'static) -> Self {
        let moment = MOMENTS.fetch_add(1, Ordering::Relaxed);
        Self { moment, render: Box::new(render), forms: Default::default() }
    }

    /// Goes up from one moment to the next.
    #[must_use]
    pub fn moment(&self) -> u64 {
        self.moment
    }

    /// Renders them in this form, unless that has been done. Takes as long as [`Page::part`]: not for an async thread.
    pub fn render(&self, format: Format, encoding: Encoding) -> &Part {
        self.forms[format.index()][encoding.index()].get_or_init(|| (self.render)(format, encoding))
    }

    /// Them in this form, if they have been rendered.
    #[must_use]
    pub fn ready(&self, format: Format, encoding: Encoding) -> Option<&Part> {
        self.forms[format.index()][encoding.index()].get()
    }
}

impl From<Page> for Rendered {
    fn from(page: Page) -> Self {
        Self::new(move |format, encoding| page.part(format, encoding).joined())
    }
}

impl Default for Rendered {
    /// No families.
    fn default() -> Self {
        Self::new(|_, encoding| Part::of(Bytes::new(), encoding))
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rendered").finish_non_exhaustive()
    }
}
