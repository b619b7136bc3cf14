//! The end of a page, which is another one at each scrape.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::gzip::{Deflated, Deflater};

/// The end of a page.
#[derive(Clone, Debug)]
pub struct Tail {
    /// What stays the same for some scrapes.
    pub settled: Arc<Settled>,
    /// What is new each time. It is not compressed.
    pub fresh: Vec<u8>,
}

impl Tail {
    /// All of it in one piece.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        [self.settled.text(), &*self.fresh].concat()
    }
}

impl From<Vec<u8>> for Tail {
    /// One that is new.
    fn from(fresh: Vec<u8>) -> Self {
        Self { settled: Arc::default(), fresh }
    }
}

/// A text that is compressed at most once, when somebody asks for that.
#[derive(Debug, Default)]
pub struct Settled {
    text: Bytes,
    deflated: OnceLock<Deflated>,
}

impl Settled {
    /// This text.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        Self { text: Bytes::copy_from_slice(text), deflated: OnceLock::new() }
    }

    /// As it is.
    #[must_use]
    pub fn text(&self) -> &Bytes {
        &self.text
    }

    /// Compressed.
    pub(super) fn deflated(&self) -> &Deflated {
        self.deflated.get_or_init(|| Deflater::default().deflate(&self.text))
    }
}
