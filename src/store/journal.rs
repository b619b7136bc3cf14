//! What has changed since a checkpoint's file was written, as bytes: a file of frames, one for each commit.
//!
//! ```text
//! magic (8) │ version (4) │ generation (8) │ sequence (8) │ length of the body (8) │ CRC-32 of the body (4)
//!   │ CRC-32 of all that (4) │ body │ zeros up to a multiple of 4,096 bytes
//! body: records as in a checkpoint: the account, the ids of webhooks that are gone, the webhooks that have changed; then "END\n"
//! ```
//!
//! A frame holds whole records, so what later frames say holds whatever became of earlier ones. No block of the disk holds
//! parts of two frames: a write that is torn spoils nothing that was durable before, and a frame after a damaged one is
//! found by its place.
//!
//! A frame is durable before the next one is written. So one that is broken *before* another is damage. One that is broken
//! at the end is a write that never ended, and was never shown, if it lacks something: the file ends in it, or a sector of
//! it is zeros. Where nothing is lacking it was whole once: that is damage, too.

use bytes::{Buf as _, BufMut as _, Bytes};
use delivery_ledger::WebhookId;
use delivery_ledger::fleet::{AccountState, WebhookState};

use super::record::{RecordReader, Records, Unusable, VERSION, encode_record};

/// A multiple of what any disk or file system writes at once. Source: the page of x86-64 and arm64, and the sector of
/// today's disks.
pub const BLOCK: usize = 4_096;

/// The least that a disk writes or does not write as a whole.
const SECTOR: usize = 512;

const MAGIC: &[u8; 8] = b"CTWHJRNL";
const HEAD_BYTES: usize = 44;

/// No sector of a whole frame is zeros: not the last one either.
const END: &[u8; 4] = b"END\n";

/// What one commit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) account: AccountState,
    /// They are no longer kept.
    pub(super) gone: Vec<WebhookId>,
    pub(super) changed: Vec<WebhookState>,
}

/// The frame that makes `after` of `before`; `None` if they are the same.
pub(super) fn encode(
    generation: u64,
    sequence: u64,
    before: &Records,
    after: &Records,
) -> postcard::Result<Option<Vec<u8>>> {
    let gone: Vec<WebhookId> = before.webhooks.keys().filter(|id| !after.webhooks.contains_key(*id)).copied().collect();
    let changed =
        after.webhooks.iter().filter(|(id, record)| before.webhooks.get(*id).is_none_or(|old| !same(old, record)));
    let changed: Vec<&Bytes> = changed.map(|(_, record)| record).collect();
    if gone.is_empty() && changed.is_empty() && same(&before.account, &after.account) {
        return Ok(None);
    }
    let gone = encode_record(&gone)?;
    let pieces: Vec<&[u8]> =
        [&after.account, &gone].into_iter().chain(changed).map(|record| &record[..]).chain([&END[..]]).collect();
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let mut checksum = crc32fast::Hasher::new();
    pieces.iter().for_each(|piece| checksum.update(piece));

    let mut frame = Vec::with_capacity((HEAD_BYTES + length).next_multiple_of(BLOCK));
    frame.put_slice(MAGIC);
    frame.put_u32_le(VERSION);
    frame.put_u64_le(generation);
    frame.put_u64_le(sequence);
    frame.put_u64_le(u64::try_from(length).unwrap_or(u64::MAX));
    frame.put_u32_le(checksum.finalize());
    frame.put_u32_le(crc32fast::hash(&frame));
    pieces.iter().for_each(|piece| frame.put_slice(piece));
    frame.resize(frame.len().next_multiple_of(BLOCK), 0);
    Ok(Some(frame))
}

/// Whether two records are the same; those that share their bytes are not compared.
fn same(one: &Bytes, other: &Bytes) -> bool {
    (one.as_ptr() == other.as_ptr() && one.len() == other.len()) || one == other
}

/// What a journal holds, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Frame(Box<Frame>),
    /// One frame or more were there that cannot be read.
    Lost,
}

/// Reads the journal of a generation.
#[derive(Debug)]
pub(super) struct Entries<'bytes> {
    bytes: &'bytes [u8],
    generation: u64,
    place: usize,
    sequence: u64,
    /// Where what cannot be read begins, since the last frame.
    broken: Option<usize>,
}

impl<'bytes> Entries<'bytes> {
    pub(super) fn new(bytes: &'bytes [u8], generation: u64) -> Self {
        Self { bytes, generation, place: 0, sequence: 0, broken: None }
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    ///
    /// If a newer exporter wrote it.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Unusable> {
        while let Some(rest) = self.bytes.get(self.place..).filter(|rest| !rest.is_empty()) {
            let head = Head::read(rest).filter(|head| head.generation == self.generation);
            if let Some(Head { version, .. }) = head
                && version > VERSION
            {
                return Err(Unusable::Newer(version));
            }
            let Some((head, frame)) = head.and_then(|head| Some((head, head.frame(rest)?))) else {
                self.broken.get_or_insert(self.place);
                self.place += BLOCK;
                continue;
            };
            if self.broken.take().is_some() || head.sequence != self.sequence {
                // The frame itself comes next.
                self.sequence = head.sequence;
                return Ok(Some(Entry::Lost));
            }
            self.sequence += 1;
            self.place += head.frame_bytes().next_multiple_of(BLOCK);
            return Ok(Some(Entry::Frame(Box::new(frame))));
        }
        let tail = self.broken.take().and_then(|broken| self.bytes.get(broken..));
        Ok(tail.is_some_and(|tail| !is_torn(tail)).then_some(Entry::Lost))
    }
}

/// Whether a write that never ended can have left this at the end of a journal.
fn is_torn(tail: &[u8]) -> bool {
    let length = Head::read(tail).map_or(HEAD_BYTES, |head| head.frame_bytes());
    let Some(written) = tail.get(..length) else { return true };
    written.chunks(SECTOR).any(|sector| sector.iter().all(|byte| *byte == 0))
}

/// The head of a frame, whole.
#[derive(Clone, Copy, Debug)]
struct Head {
    version: u32,
    generation: u64,
    sequence: u64,
    length: usize,
    checksum: u32,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..HEAD_BYTES)?;
        let (mut fields, mut checksum) = head.split_at_checked(HEAD_BYTES - 4)?;
        if !head.starts_with(MAGIC) || checksum.get_u32_le() != crc32fast::hash(fields) {
            return None;
        }
        fields.advance(MAGIC.len());
        Some(Self {
            version: fields.get_u32_le(),
            generation: fields.get_u64_le(),
            sequence: fields.get_u64_le(),
            length: usize::try_from(fields.get_u64_le()).ok()?,
            checksum: fields.get_u32_le(),
        })
    }

    /// How long its frame is, without the zeros at the end.
    fn frame_bytes(self) -> usize {
        self.length.saturating_add(HEAD_BYTES)
    }

    fn frame(self, bytes: &[u8]) -> Option<Frame> {
        let body = bytes.get(HEAD_BYTES..self.frame_bytes())?;
        if crc32fast::hash(body) != self.checksum {
            return None;
        }
        let mut records = RecordReader(body.strip_suffix(END)?);
        let (account, gone) = (records.next().ok()??, records.next().ok()??);
        let mut changed = Vec::new();
        while let Some(webhook) = records.next().ok()? {
            changed.push(webhook);
        }
        Some(Frame { account, gone, changed })
    }
}
