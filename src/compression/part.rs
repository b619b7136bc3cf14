//! The large part of a page, in a form that a small part can follow.

use bytes::Bytes;

use super::encoding::Encoding;
use super::gzip::{Deflater, Member};
use super::tail::Tail;
use super::zstd::Framed;

/// A text in one of the encodings, such that further text can follow.
#[derive(Clone, Debug)]
pub enum Part {
    /// As it is, in pieces.
    Plain(Vec<Bytes>),
    /// The beginning of a gzip member.
    Gzip(Member),
    /// The beginning of a zstd frame.
    Zstd(Framed),
}

impl Part {
    /// Brings `text` into this encoding.
    #[must_use]
    pub fn of(text: Bytes, encoding: Encoding) -> Self {
        match encoding {
            Encoding::Identity => Self::Plain(vec![text]),
            Encoding::Gzip => {
                let mut member = Member::default();
                member.push(&Deflater::default().deflate(&text));
                Self::Gzip(member)
            }
            Encoding::Zstd => Framed::of(|to| to.write_all(&text)).map_or(Self::Plain(vec![text]), Self::Zstd),
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

    /// The same, ready to be sent many times: what is small is in one piece.
    #[must_use]
    pub fn joined(self) -> Self {
        match self {
            Self::Gzip(member) => Self::Gzip(member.joined()),
            Self::Plain(_) | Self::Zstd(_) => self,
        }
    }

    /// This text and `tail` after it, in the pieces to be sent. All but what is new of the tail are shared, not copied.
    #[must_use]
    pub fn followed_by(&self, tail: Tail) -> Vec<Bytes> {
        match self {
            Self::Plain(pieces) => {
                let mut pieces = pieces.clone();
                pieces.extend([tail.settled.text().clone(), tail.fresh.into()]);
                pieces
            }
            Self::Gzip(member) => member.clone().and(tail.settled.deflated()).followed_by(&tail.fresh),
            Self::Zstd(framed) => framed.followed_by(&tail.text()).into(),
        }
    }
}
