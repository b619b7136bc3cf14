//! A rendered page, and its compressed twin.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::compression::Deflated;

/// Rendered families, compressed at most once.
#[derive(Debug, Default)]
pub struct Rendered {
    plain: Bytes,
    deflated: OnceLock<Deflated>,
}

impl Rendered {
    /// Families that have been rendered as this text.
    #[must_use]
    pub fn new(plain: Bytes) -> Self {
        Self { plain, deflated: OnceLock::new() }
    }

    /// The text.
    #[must_use]
    pub fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// The text compressed, if that has been done.
    #[must_use]
    pub fn deflated_already(&self) -> Option<&Deflated> {
        self.deflated.get()
    }

    /// The text compressed. The first call does that, which takes a tenth of a second for 100 MB: not for an async thread.
    #[must_use]
    pub fn deflated(&self) -> &Deflated {
        self.deflated.get_or_init(|| Deflated::of(&self.plain))
    }
}
