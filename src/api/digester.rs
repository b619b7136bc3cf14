//! Digests of a body as it comes, by which it is known should it come again.
//!
//! They are no proof against who knows the key, and need not be: it is another one in each process, and nobody sees a digest.

use delivery_ledger::fleet::BodyDigests;
use twox_hash::xxhash3_128::Hasher;

/// So many bytes have one digest. A convention: so few that a body that differs at once, as one with a new entry on top
/// does, is hardly held up, and so many that their digests take up nothing.
const BLOCK_BYTES: usize = 64 * 1024;

/// What the digests of a process are made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct DigestKey(u64);

impl DigestKey {
    pub(super) fn random() -> Self {
        Self(rand::random())
    }
}

/// Takes a body piece by piece.
pub(super) struct Digester {
    key: DigestKey,
    blocks: Vec<u128>,
    /// Of the block that has not ended.
    hasher: Hasher,
    in_block: usize,
    length: u64,
}

impl Digester {
    pub(super) fn new(key: DigestKey) -> Self {
        Self { key, blocks: Vec::new(), hasher: Hasher::with_seed(key.0), in_block: 0, length: 0 }
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        self.length = self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.in_block));
            self.hasher.write(now);
            self.in_block += now.len();
            bytes = rest;
            if self.in_block == BLOCK_BYTES {
                self.end_block();
            }
        }
    }

    fn end_block(&mut self) {
        self.blocks.push(self.hasher.finish_128());
        self.hasher = Hasher::with_seed(self.key.0);
        self.in_block = 0;
    }

    /// Whether what has come so far may be the beginning of the body that is known.
    pub(super) fn may_become(&self, known: &BodyDigests) -> bool {
        self.length <= known.length && known.blocks.starts_with(&self.blocks)
    }

    /// Whether what has come is the body that is known.
    pub(super) fn is(&self, known: &BodyDigests) -> bool {
        let last = (self.in_block > 0).then(|| self.hasher.finish_128());
        self.length == known.length && self.blocks.iter().chain(&last).eq(known.blocks.iter())
    }

    /// The digests of what has come, which has so many bytes after decompression.
    pub(super) fn finish(mut self, decoded_length: u64) -> BodyDigests {
        if self.in_block > 0 {
            self.end_block();
        }
        BodyDigests { blocks: self.blocks.into(), length: self.length, decoded_length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: DigestKey = DigestKey(7);

    fn digester(pieces: &[&[u8]]) -> Digester {
        let mut digester = Digester::new(KEY);
        pieces.iter().for_each(|piece| digester.update(piece));
        digester
    }

    #[test]
    fn a_body_is_known_however_it_is_cut_and_no_other_is() {
        let body: Vec<u8> = (0..=255).cycle().take(2 * BLOCK_BYTES + 1_000).collect();
        for length in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, body.len()] {
            let known = digester(&[&body[..length]]).finish(3);
            assert_eq!((known.length, known.decoded_length), (length as u64, 3));
            assert_eq!(known.blocks.len(), length.div_ceil(BLOCK_BYTES));
            for cut in [0, 1, length / 2, length.saturating_sub(1), length] {
                let cut = cut.min(length);
                let again = digester(&[&body[..cut], &body[cut..length]]);
                assert!(again.is(&known) && again.may_become(&known), "{length} bytes cut at {cut}");
                assert_eq!(digester(&[&body[..cut]]).is(&known), cut == length, "the first {cut} of {length} bytes");
                assert!(digester(&[&body[..cut]]).may_become(&known), "the first {cut} of {length} bytes");
            }
            let longer = digester(&[&body[..length], b"x"]);
            assert!(!longer.is(&known) && !longer.may_become(&known), "one byte more than {length}");
            for place in [0, length / 2, length.saturating_sub(1)].into_iter().filter(|place| *place < length) {
                let mut other = body[..length].to_vec();
                other[place] ^= 1;
                assert!(!digester(&[&other]).is(&known), "byte {place} of {length} differs");
            }
        }
    }

    #[test]
    fn a_block_that_differs_is_seen_at_its_end() {
        let body = vec![b'a'; 3 * BLOCK_BYTES];
        let known = digester(&[&body]).finish(0);
        let mut other = body;
        other[BLOCK_BYTES] = b'b';
        assert!(digester(&[&other[..2 * BLOCK_BYTES - 1]]).may_become(&known), "nothing is known of a part of a block");
        assert!(!digester(&[&other[..2 * BLOCK_BYTES]]).may_become(&known));
    }

    #[test]
    fn another_process_makes_other_digests() {
        let mut other = Digester::new(DigestKey(8));
        other.update(b"[]");
        assert!(!other.is(&digester(&[b"[]"]).finish(2)));
    }
}
