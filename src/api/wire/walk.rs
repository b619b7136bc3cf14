//! Walks over a JSON value by its masks: from quote to quote where members are looked at one by one, and from bracket to
//! bracket over what nobody needs.
//!
//! A walk gives up (`None`) at the end of the bytes, and at whatever it is not sure of. What it has passed until then it has
//! seen as [`super::scan::Cursor`] does: of an object that is looked at, every member is a key, a colon and a value; of a
//! value that is passed over, every bracket has its partner.

use std::ops::Range;

use crate::api::masks::{BLOCK_BYTES, Block, escaped, in_strings};

/// A value with more brackets inside one another is left to others. `Nesting` remembers the kinds of 64.
const DEEPEST: u32 = 48;

/// What tells braces from square brackets.
const IS_BRACE: u8 = b'{' & !b'[';

/// What tells opening from closing ones of both kinds.
const IS_OPENING: u8 = b'{' & !b'}';

// Its small steps are inlined by force: the walk lives in registers then, which halves what an entry costs.

/// Where a key stands, without its quotes.
pub(super) struct Key(Range<usize>);

/// A place in JSON text.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the block begins that `quotes` tells of.
    block: usize,
    /// The quotes of the block that are not escaped and not passed.
    quotes: u64,
    backslashes: u64,
    /// 1 if the byte behind the block is escaped.
    is_next_escaped: u64,
    /// Behind the last backslash so far.
    behind_backslash: usize,
}

impl<'a> Walk<'a> {
    /// Before the first byte.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut walk =
            Self { bytes, at: 0, block: 0, quotes: 0, backslashes: 0, is_next_escaped: 0, behind_backslash: 0 };
        if let Some(block) = Block::at(bytes, 0) {
            walk.enter(block);
        }
        walk
    }

    /// How many bytes are passed.
    pub(super) fn passed(&self) -> usize {
        self.at
    }

    #[inline(always)]
    fn enter(&mut self, block: Block) {
        self.backslashes = block.backslashes();
        self.quotes = block.quotes();
        if self.backslashes | self.is_next_escaped != 0 {
            self.quotes &= !escaped(self.backslashes, &mut self.is_next_escaped);
            self.behind_backslash = self.block + BLOCK_BYTES;
        }
    }

    #[inline(always)]
    fn next_block(&mut self) -> Option<Block> {
        self.block += BLOCK_BYTES;
        let block = Block::at(self.bytes, self.block)?;
        self.enter(block);
        Some(block)
    }

    #[inline(always)]
    fn next_quote(&mut self) -> Option<usize> {
        while self.quotes == 0 {
            self.next_block()?;
        }
        let bit = self.quotes.trailing_zeros() as usize;
        self.quotes &= self.quotes - 1;
        Some(self.block + bit)
    }

    /// The next byte that is no white space.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.bytes.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Option<()> {
        let is_it = self.peek()? == byte;
        self.at += 1;
        is_it.then_some(())
    }

    /// Passes over a text, which begins here, and says where it stands, quotes included.
    #[inline(always)]
    fn pass_text(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        // The opening one: no quote between two tokens is escaped, so it is the next one.
        self.next_quote()?;
        self.at = self.next_quote()? + 1;
        Some(start..self.at)
    }

    /// Takes a text, with its quotes.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        if self.peek()? != b'"' {
            return None;
        }
        let text = self.pass_text()?;
        self.bytes.get(text)
    }

    /// Goes into an object. Gives where its first key stands; `None` behind an empty object.
    #[inline(always)]
    pub(super) fn first_key(&mut self) -> Option<Option<Key>> {
        self.expect(b'{')?;
        if self.peek()? != b'}' {
            return self.key().map(Some);
        }
        self.at += 1;
        Some(None)
    }

    /// Goes on to the next member of an object, behind a value. Gives where its key stands; `None` behind the object.
    #[inline(always)]
    pub(super) fn next_key(&mut self) -> Option<Option<Key>> {
        // As it stands between most of them.
        if let Some([b',', b'"', ..]) = self.bytes.get(self.at..) {
            self.at += 1;
            return self.quoted_key().map(Some);
        }
        let sign = self.peek()?;
        self.at += 1;
        match sign {
            b',' => self.key().map(Some),
            b'}' => Some(None),
            _ => None,
        }
    }

    #[inline(always)]
    fn key(&mut self) -> Option<Key> {
        if self.peek()? != b'"' {
            return None;
        }
        self.quoted_key()
    }

    #[inline(always)]
    fn quoted_key(&mut self) -> Option<Key> {
        let text = self.pass_text()?;
        if self.behind_backslash > text.start && self.bytes.get(text.clone())?.contains(&b'\\') {
            return None;
        }
        self.expect(b':')?;
        Some(Key(text.start + 1..text.end - 1))
    }

    /// The name that stands there.
    #[inline(always)]
    pub(super) fn name(&self, key: Key) -> &'a [u8] {
        self.bytes.get(key.0).unwrap_or_default()
    }

    /// Whether that name stands there.
    #[inline(always)]
    pub(super) fn is_name(&self, key: Key, name: &[u8]) -> bool {
        key.0.len() == name.len() && self.name(key) == name
    }

    /// Takes a number, `true`, `false` or `null`, or what may stand in their place.
    #[inline(always)]
    pub(super) fn word(&mut self) -> Option<&'a [u8]> {
        self.peek()?;
        let start = self.at;
        while IS_WORD[usize::from(*self.bytes.get(self.at)?)] {
            self.at += 1;
        }
        self.bytes.get(start..self.at).filter(|word| !word.is_empty())
    }

    /// Passes over a value.
    #[inline(always)]
    pub(super) fn skip(&mut self) -> Option<()> {
        if self.peek()? != b'[' {
            return self.skip_item();
        }
        // Most arrays hold a few texts or nothing.
        self.at += 1;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.skip_item()?;
            let sign = self.peek()?;
            self.at += 1;
            match sign {
                b',' => {
                    self.peek()?;
                }
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Passes over a value, which begins here.
    #[inline(always)]
    fn skip_item(&mut self) -> Option<()> {
        match *self.bytes.get(self.at)? {
            b'"' => {
                self.pass_text()?;
            }
            // A copy, so that the walk itself can live in registers.
            b'{' | b'[' => *self = self.behind_brackets()?,
            _ => {
                self.word()?;
            }
        }
        Some(())
    }

    /// Behind a value that a bracket opens, which is the next byte.
    #[inline(never)]
    fn behind_brackets(self) -> Option<Self> {
        // A copy, so that it can live in registers.
        let mut this = self;
        let mut block = Block::at(this.bytes, this.block);
        while this.at >= this.block + BLOCK_BYTES {
            block = Some(this.next_block()?);
        }
        let mut ahead = u64::MAX << (this.at - this.block);
        // The kinds of the open brackets, the innermost one in the lowest bit.
        let (mut kinds, mut depth, mut is_inside) = (0_u64, 0, 0);
        loop {
            let strings = in_strings(this.quotes, &mut is_inside);
            // Only in a string a backslash escapes.
            if this.backslashes & !strings & ahead != 0 {
                return None;
            }
            let mut brackets = block?.brackets() & !strings & ahead;
            while brackets != 0 {
                let at = this.block + brackets.trailing_zeros() as usize;
                let bracket = *this.bytes.get(at)?;
                let kind = u64::from(bracket & IS_BRACE != 0);
                if bracket & IS_OPENING != 0 {
                    (kinds, depth) = (kinds << 1 | kind, depth + 1);
                    if depth > DEEPEST {
                        return None;
                    }
                } else {
                    if kinds & 1 != kind {
                        return None;
                    }
                    (kinds, depth) = (kinds >> 1, depth - 1);
                    if depth == 0 {
                        this.quotes &= u64::MAX << (at - this.block);
                        this.at = at + 1;
                        return Some(this);
                    }
                }
                brackets &= brackets - 1;
            }
            block = Some(this.next_block()?);
            ahead = u64::MAX;
        }
    }
}

/// The bytes of numbers and of the three words.
const IS_WORD: [bool; 256] = {
    let mut is_word = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        is_word[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        byte += 1;
    }
    is_word
};
