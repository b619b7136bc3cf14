//! One zstd frame of two parts.
//!
//! A frame is a header and blocks, of which the last one says so. The large part is compressed once, up to a flush, which
//! ends a block that is not the last. The small part follows as blocks that are not compressed: such a block refers to
//! nothing before it, so it may follow any other, and it costs no time on a scrape.
//! Source: RFC 8878, section 3.1.1.

use std::io::{self, Write as _};

use bytes::{BufMut as _, Bytes, BytesMut};
use zstd::stream::write::Encoder;

/// The text format repeats itself so much that a low level is enough, as for gzip.
const LEVEL: i32 = 1;

/// A frame header without a length, a checksum and a dictionary, and with a window of 512 KiB: what stands before blocks
/// that refer to nothing. Source: RFC 8878, section 3.1.1.1.
const HEADER: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0, 9 << 3];

/// The most that a block may hold. Source: RFC 8878, section 3.1.1.2.4.
const LARGEST_BLOCK: usize = 128 * 1024;

/// A text as the beginning of a zstd frame: header and blocks, none of them the last.
#[derive(Clone, Debug)]
pub struct Framed(Bytes);

impl Framed {
    /// Compresses what `write` writes, bit by bit; `None` if zstd cannot, for want of memory.
    #[must_use]
    pub fn of(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Option<Self> {
        let bytes = compress(write).ok()?;
        // Of nothing a flush makes nothing, not even a header.
        Some(Self(if bytes.is_empty() { Bytes::from_static(HEADER) } else { bytes }))
    }

    /// The pieces of the whole frame, with `tail` as its last text. The large one is shared, not copied.
    #[must_use]
    pub fn followed_by(&self, tail: &[u8]) -> [Bytes; 2] {
        let mut blocks = BytesMut::with_capacity(tail.len() + 3 * (tail.len() / LARGEST_BLOCK + 1));
        let mut rest = tail;
        loop {
            let (block, after) = rest.split_at(rest.len().min(LARGEST_BLOCK));
            // A block's header: whether it is the last (1 bit), its type (2 bits, 0 is "raw"), its size (21 bits).
            let header = (block.len() << 3) | usize::from(after.is_empty());
            blocks.put_uint_le(u64::try_from(header).unwrap_or_default(), 3);
            blocks.put_slice(block);
            rest = after;
            if rest.is_empty() {
                return [self.0.clone(), blocks.freeze()];
            }
        }
    }
}

fn compress(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> io::Result<Bytes> {
    let mut encoder = Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_contentsize(false)?;
    encoder.include_checksum(false)?;
    write(&mut encoder)?;
    encoder.flush()?;
    let mut bytes = std::mem::take(encoder.get_mut());
    bytes.shrink_to_fit();
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::super::noise::noise;
    use super::*;

    fn framed(text: &[u8]) -> Framed {
        Framed::of(|to| to.write_all(text)).expect("compressed")
    }

    /// What a client that knows only single frames makes of `pieces`.
    fn decoded(pieces: &[Bytes]) -> Vec<u8> {
        let whole = pieces.concat();
        let mut decoder = zstd::stream::read::Decoder::new(whole.as_slice()).expect("a decoder").single_frame();
        let mut text = Vec::new();
        io::Read::read_to_end(&mut decoder, &mut text).expect("a valid frame");
        let mut left = decoder.finish();
        assert!(io::BufRead::fill_buf(&mut left).expect("memory").is_empty(), "nothing after the frame");
        text
    }

    #[test]
    fn two_parts_are_one_frame_with_the_text_of_both() {
        let large = "cotalker_webhook_delivery_attempts_total{webhook=\"a\"} 12\n".repeat(50_000);
        for large in ["", "a", large.as_str()] {
            for small in ["", "process_cpu_seconds_total 1\n", large] {
                let pieces = framed(large.as_bytes()).followed_by(small.as_bytes());
                assert_eq!(decoded(&pieces), [large, small].concat().as_bytes());
            }
        }
    }

    #[test]
    fn what_does_not_compress_survives_as_well() {
        let noise = noise();
        for len in [1, LARGEST_BLOCK - 1, LARGEST_BLOCK, LARGEST_BLOCK + 1, noise.len()] {
            let pieces = framed(&noise[..len]).followed_by(&noise[..len]);
            assert_eq!(decoded(&pieces), [&noise[..len], &noise[..len]].concat());
        }
    }

    #[test]
    fn the_large_part_is_shared_between_responses() {
        let large = framed(b"text");
        assert_eq!(large.followed_by(b"1")[0].as_ptr(), large.followed_by(b"2")[0].as_ptr());
    }
}
