//! The ledgers' part of a page, put together of the lines of blocks.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::block::Block;
use super::families::FAMILIES;
use super::format::Format;
use super::view::AccountView;
use crate::compression::{Deflater, Encoding, Framed, Member, Part};

/// The ledgers' families at one moment.
#[derive(Debug)]
pub struct Page {
    account: AccountView,
    blocks: Vec<Arc<Block>>,
}

/// What follows one another on a page.
enum Piece<'a> {
    /// Heads of families, and samples of the account: little, and made for each page.
    Own(Vec<u8>),
    /// The lines of a family of a block.
    Of(&'a Block, usize),
}

impl Page {
    /// The families of this account and these blocks. Webhooks come out in the order in which they are given.
    #[must_use]
    pub fn new(account: AccountView, blocks: Vec<Arc<Block>>) -> Self {
        Self { account, blocks }
    }

    /// All of it in this form. Takes a tenth of a second for ten thousand webhooks of which nothing is ready: not for an
    /// async thread.
    #[must_use]
    pub fn part(&self, format: Format, encoding: Encoding) -> Part {
        if self.blocks.len() <= 1 {
            // Rendering it anew takes less than a millisecond. One piece is sent faster than fifty, and compressed by itself a
            // family of few webhooks hardly becomes smaller.
            let mut text = Vec::new();
            // Writing into memory does not fail.
            let _ = self.write(format, &mut text);
            return Part::of(text.into(), encoding);
        }
        match encoding {
            Encoding::Identity => self.plain(format),
            Encoding::Gzip => self.gzip(format),
            Encoding::Zstd => Framed::of(|to| self.write(format, to)).map_or_else(|| self.plain(format), Part::Zstd),
        }
    }

    fn plain(&self, format: Format) -> Part {
        let mut desk = Vec::new();
        let pieces = self.pieces(format).into_iter().map(|piece| match piece {
            Piece::Own(text) => Bytes::from(text),
            Piece::Of(block, family) => block.plain(family, format, &mut desk),
        });
        Part::Plain(pieces.collect())
    }

    fn gzip(&self, format: Format) -> Part {
        let (mut desk, mut deflater, mut member) = (Vec::new(), Deflater::default(), Member::default());
        for piece in self.pieces(format) {
            match piece {
                Piece::Own(text) => member.push(&deflater.deflate(&text)),
                Piece::Of(block, family) => member.push(block.deflated(family, format, &mut desk, &mut deflater)),
            }
        }
        Part::Gzip(member)
    }

    fn write(&self, format: Format, to: &mut dyn io::Write) -> io::Result<()> {
        let mut desk = Vec::new();
        for piece in self.pieces(format) {
            match piece {
                Piece::Own(text) => to.write_all(&text)?,
                Piece::Of(block, family) => to.write_all(block.text(family, format, &mut desk))?,
            }
        }
        Ok(())
    }

    fn pieces(&self, format: Format) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        let mut own = Vec::new();
        for (index, family) in FAMILIES.iter().enumerate().filter(|(_, family)| family.is_shown(&self.account)) {
            format.encode(&mut own, |sink| family.begin(&self.account, sink));
            if family.is_per_webhook() {
                pieces.push(Piece::Own(std::mem::take(&mut own)));
                pieces.extend(self.blocks.iter().map(|block| Piece::Of(block, index)));
            }
        }
        pieces.push(Piece::Own(own));
        pieces
    }
}
