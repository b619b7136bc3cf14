//! The ledgers' metric families in the text format. (sketch)

use bytes::Bytes;

/// Rendered families.
#[derive(Debug, Default)]
pub struct Page {
    plain: Bytes,
}

impl Page {
    /// A page of this text.
    #[must_use]
    pub fn new(plain: Bytes) -> Self {
        Self { plain }
    }

    /// The families as text.
    #[must_use]
    pub fn plain(&self) -> &Bytes {
        &self.plain
    }
}
