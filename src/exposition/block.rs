//! Some webhooks in the order of their ids, and the lines that each family has of them: in each format and encoding made at
//! most once, when somebody asks for them.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::families::{FAMILIES, LedgerFamily};
use super::format::Format;
use super::view::DatedView;
use crate::compression::{Deflated, Deflater};

/// A block of webhooks. It never changes; the block that takes its place shares the lines that are still right.
#[derive(Debug)]
pub struct Block {
    webhooks: Vec<DatedView>,
    active: usize,
    /// By family, as in [`FAMILIES`].
    lines: Vec<Arc<Lines>>,
}

/// The lines of one family of one block. A form that nobody asks for costs nothing.
#[derive(Debug, Default)]
struct Lines {
    plain: [OnceLock<Bytes>; Format::ALL.len()],
    deflated: [OnceLock<Deflated>; Format::ALL.len()],
}

impl Block {
    /// A block of these webhooks, which takes the place of `before`. If they differ in nothing but when their logs were last
    /// read, and how often they are to be, no other lines are made anew.
    #[must_use]
    pub fn new(webhooks: Vec<DatedView>, before: Option<&Self>) -> Self {
        let before = before.filter(|before| {
            let mut both = before.webhooks.iter().zip(&webhooks);
            before.webhooks.len() == webhooks.len() && both.all(|(old, new)| Arc::ptr_eq(&old.view, &new.view))
        });
        let is_replanned = before.is_some_and(|before| {
            let mut both = before.webhooks.iter().zip(&webhooks);
            both.any(|(old, new)| old.interval_millis != new.interval_millis)
        });
        let changes = |family: &LedgerFamily| family.passes_with_time() || is_replanned && family.follows_plan();
        let lines = FAMILIES.iter().enumerate().map(|(index, family)| match before {
            Some(before) if !changes(family) => Arc::clone(&before.lines[index]),
            _ => Arc::default(),
        });
        let lines = lines.collect();
        let active = webhooks.iter().filter(|dated| dated.view.webhook.active).count();
        Self { webhooks, active, lines }
    }

    /// How many of its webhooks are active in Cotalker.
    #[must_use]
    pub const fn active(&self) -> usize {
        self.active
    }

    /// The lines of the family with this place in [`FAMILIES`]. `desk` is memory to work in, whatever is in it.
    pub(super) fn plain(&self, family: usize, format: Format, desk: &mut Vec<u8>) -> Bytes {
        let lines = &self.lines[family].plain[format.index()];
        lines.get_or_init(|| Bytes::copy_from_slice(self.write(family, format, desk))).clone()
    }

    /// The same, compressed. What has not been there is not kept as it is: whoever asks for a compressed page asks for no
    /// other.
    pub(super) fn deflated(
        &self,
        family: usize,
        format: Format,
        desk: &mut Vec<u8>,
        deflater: &mut Deflater,
    ) -> &Deflated {
        let lines = &self.lines[family].deflated[format.index()];
        lines.get_or_init(|| deflater.deflate(self.text(family, format, desk)))
    }

    /// The same as it is, in `desk` unless it has been there.
    pub(super) fn text<'a>(&'a self, family: usize, format: Format, desk: &'a mut Vec<u8>) -> &'a [u8] {
        match self.lines[family].plain[format.index()].get() {
            Some(lines) => lines,
            None => self.write(family, format, desk),
        }
    }

    fn write<'a>(&self, family: usize, format: Format, desk: &'a mut Vec<u8>) -> &'a [u8] {
        desk.clear();
        format.encode(desk, |sink| FAMILIES[family].go_on(&self.webhooks, sink));
        desk
    }
}

impl Default for Block {
    /// No webhooks.
    fn default() -> Self {
        Self::new(Vec::new(), None)
    }
}
