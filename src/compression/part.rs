//! The large part of a page, in a form that a small part can follow.

use bytes::Bytes;

use super::encoding::Encoding;
use super::gzip::Deflated;
use super::zstd::Framed;

/// A text in one of the encodings, such that further text can follow. A clone shares its bytes.
#[derive(Clone, Debug)]
pub enum Part {
    /// As it is.
    Plain(Bytes),
    /// The beginning of a gzip member.
    Gzip(Deflated),
    /// The beginning of a zstd frame.
    Zstd(Framed),
}

impl Part {
    /// Brings `text` into this encoding. Takes a tenth of a second for 100 MB: not for an async thread.
    #[must_use]
    pub fn of(text: Bytes, encoding: Encoding) -> Self {
        match encoding {
            Encoding::Identity => Self::Plain(text),
            Encoding::Gzip => Self::Gzip(Deflated::of(&text)),
            Encoding::Zstd => Framed::of(&text).map_or(Self::Plain(text), Self::Zstd),
        }
    }

    /// Its encoding.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match self {
            Self::Plain(_) => Encoding::Identity,
            Self::Gzip(_) => Encoding::Gzip,
            Self::Zstd(_) => Encoding::Zstd,
        }
    }

    /// This text and `tail` after it, in the pieces to be sent. The large one is shared, not copied.
    #[must_use]
    pub fn followed_by(&self, tail: Vec<u8>) -> Vec<Bytes> {
        match self {
            Self::Plain(text) => vec![text.clone(), tail.into()],
            Self::Gzip(deflated) => deflated.gzip_with(&tail).into(),
            Self::Zstd(framed) => framed.frame_with(&tail).into(),
        }
    }
}
