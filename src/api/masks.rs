//! Where quotes, backslashes and brackets stand in a text, 64 bytes at once. A mask has a bit for each byte, the first one
//! in the lowest bit.

use wide::u8x64;

/// How many bytes a mask tells of.
pub(super) const BLOCK_BYTES: usize = 64;

/// The bits with an even number.
const EVEN: u64 = 0x5555_5555_5555_5555;

/// Of a letter, what tells its two cases apart, and `[` from `{`, and `]` from `}`.
const CASE: u8 = 0x20;

/// 64 bytes of a text. Behind its end there are zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block(u8x64);

impl Block {
    /// The bytes at `at`; `None` at the end of the text.
    #[inline(always)]
    pub(super) fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let rest = bytes.get(at..)?;
        if let Some(block) = rest.first_chunk::<BLOCK_BYTES>() {
            return Some(Self(u8x64::new(*block)));
        }
        let mut padded = [0; BLOCK_BYTES];
        padded[..rest.len()].copy_from_slice(rest);
        (!rest.is_empty()).then(|| Self(u8x64::new(padded)))
    }

    #[inline(always)]
    fn mask_of(self, byte: u8) -> u64 {
        self.0.simd_eq(u8x64::splat(byte)).to_bitmask()
    }

    /// All quotes, escaped or not.
    #[inline(always)]
    pub(super) fn quotes(self) -> u64 {
        self.mask_of(b'"')
    }

    /// All backslashes.
    #[inline(always)]
    pub(super) fn backslashes(self) -> u64 {
        self.mask_of(b'\\')
    }

    /// All brackets of both kinds, open and closed.
    #[inline(always)]
    pub(super) fn brackets(self) -> u64 {
        let folded = self.0 | u8x64::splat(CASE);
        (folded.simd_eq(u8x64::splat(b'{')) | folded.simd_eq(u8x64::splat(b'}'))).to_bitmask()
    }
}

/// The bytes that a backslash escapes. `is_first` is 1 if the byte before this mask escapes the first one, and says the same
/// of the next mask then.
#[inline(always)]
pub(super) fn escaped(backslashes: u64, is_first: &mut u64) -> u64 {
    // One that is escaped escapes nothing. Of a run, that is every second one.
    let runs = backslashes & !*is_first;
    let odd_starts = runs & !(runs << 1) & !EVEN;
    // The carry goes through the whole of a run, and leaves none of it.
    let odd_runs = runs & !runs.wrapping_add(odd_starts);
    let even_runs = runs & !odd_runs;
    let escaped = (odd_runs << 1 & EVEN) | (even_runs << 1 & !EVEN) | *is_first;
    *is_first = (runs & !escaped) >> 63;
    escaped
}

/// The bytes in strings, from each opening quote up to, but not including, the closing one. `is_inside` is all ones if the
/// mask begins in a string, and says the same of the next mask then.
#[inline(always)]
pub(super) fn in_strings(quotes: u64, is_inside: &mut u64) -> u64 {
    // Each bit becomes the parity of those up to it.
    let parity = [1, 2, 4, 8, 16, 32].into_iter().fold(quotes, |mask, shift| mask ^ mask << shift);
    let inside = parity ^ *is_inside;
    *is_inside = 0_u64.wrapping_sub(inside >> 63);
    inside
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, byte by byte: escaped, and in a string.
    fn told(text: &[u8]) -> Vec<(bool, bool)> {
        let (mut is_escaped, mut is_inside) = (false, false);
        let mut tell = |byte: u8| {
            let was_escaped = is_escaped;
            is_escaped = byte == b'\\' && !was_escaped;
            is_inside ^= byte == b'"' && !was_escaped;
            (was_escaped, is_inside)
        };
        text.iter().map(|byte| tell(*byte)).collect()
    }

    proptest! {
        #[test]
        fn masks_say_of_each_byte_what_it_is(
            text in prop::collection::vec(prop::sample::select(&b"\\\\\\\"{[}]a;\x1b\xdb"[..]), 0..300),
        ) {
            let (mut is_first_escaped, mut is_inside) = (0, 0);
            let mut masked = Vec::new();
            for at in (0..).step_by(BLOCK_BYTES) {
                let Some(block) = Block::at(&text, at) else { break };
                let escaped = escaped(block.backslashes(), &mut is_first_escaped);
                let inside = in_strings(block.quotes() & !escaped, &mut is_inside);
                masked.extend((0..64).map(|bit| (escaped >> bit & 1 == 1, inside >> bit & 1 == 1)));
                for (bit, byte) in text[at..].iter().take(BLOCK_BYTES).enumerate() {
                    prop_assert_eq!(block.brackets() >> bit & 1 == 1, b"{}[]".contains(byte));
                }
            }
            prop_assert_eq!(masked.len(), text.len().next_multiple_of(BLOCK_BYTES));
            masked.truncate(text.len());
            prop_assert_eq!(masked, told(&text));
        }
    }
}
