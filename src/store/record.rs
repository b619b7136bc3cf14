//! The checkpoint as bytes.
//!
//! ```text
//! magic (8) │ version (4) │ length (8) │ CRC-32 of version, length and body (4) │ body
//! body: records, each its length (4) and that many bytes: the generation, the account, then each webhook
//! ```
//!
//! Numbers of the head are little-endian; records are in the `postcard` encoding of the types below. The head is the
//! same in every version, so that a newer state is told from a damaged one. What has changed since is in the
//! [`journal`](super::journal) of the same generation. To change anything that is serialised
//! (in the ledger's crate): copy the old types into a module beside `v1` there, read them when the head says so, raise
//! [`VERSION`], and keep the old fixtures beside a new one. The fixture's test turns red otherwise.

use std::collections::BTreeMap;

use bytes::{BufMut as _, Bytes, BytesMut};
use crc32fast::Hasher;
use serde::Serialize;
use serde::de::DeserializeOwned;

use delivery_ledger::fleet::{AccountState, WebhookState};
use delivery_ledger::{WebhookId, v1, v2};

/// The version that is written.
pub const VERSION: u32 = 4;

/// The version that had no journal, and so no generation.
const WITHOUT_JOURNAL: u32 = 3;

const MAGIC: &[u8; 8] = b"CTWHCKPT";
const HEAD_BYTES: usize = 24;

/// All that is kept, encoded: what a commit is told. Clones share the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// An [`encode_record`] of an [`AccountState`].
    pub account: Bytes,
    /// One of a [`WebhookState`] each.
    pub webhooks: BTreeMap<WebhookId, Bytes>,
}

impl Records {
    /// How many bytes they are.
    pub(super) fn length(&self) -> usize {
        self.account.len() + self.webhooks.values().map(Bytes::len).sum::<usize>()
    }
}

/// All that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// About all webhooks together.
    pub account: AccountState,
    /// About each.
    pub webhooks: Vec<WebhookState>,
}

/// A checkpoint's file: all that was kept when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Tells it from those before and after it; 0 for versions that had none.
    pub generation: u64,
    /// What was kept.
    pub checkpoint: Checkpoint,
}

/// Why bytes are no checkpoint that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is whole, and from a newer exporter.
    #[error("checkpoint version {0} is newer than this exporter supports ({VERSION})")]
    Newer(u32),
    /// It is not what was written.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

/// The bytes of one record, to be kept for as long as it does not change.
///
/// # Errors
///
/// If it cannot be encoded, which no value of these types brings about.
pub fn encode_record(record: &impl Serialize) -> postcard::Result<Bytes> {
    let mut bytes = vec![0; 4];
    bytes = postcard::to_extend(record, bytes)?;
    let length = u32::try_from(bytes.len() - 4).map_err(|_| postcard::Error::SerializeBufferFull)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    // They are kept for as long as nothing changes, and had room to grow.
    bytes.shrink_to_fit();
    Ok(bytes.into())
}

/// The bytes of a checkpoint's file, in pieces.
///
/// # Errors
///
/// As [`encode_record`].
pub fn encode(generation: u64, records: &Records) -> postcard::Result<Vec<Bytes>> {
    let mut pieces = vec![Bytes::new(), encode_record(&generation)?, records.account.clone()];
    pieces.extend(records.webhooks.values().cloned());
    pieces[0] = head(&pieces);
    Ok(pieces)
}

fn head(body: &[Bytes]) -> Bytes {
    let length: usize = body.iter().map(Bytes::len).sum();
    let mut head = BytesMut::with_capacity(HEAD_BYTES);
    head.put_slice(MAGIC);
    head.put_u32_le(VERSION);
    head.put_u64_le(u64::try_from(length).unwrap_or(u64::MAX));
    let mut hasher = Hasher::new();
    hasher.update(&head[MAGIC.len()..]);
    body.iter().for_each(|piece| hasher.update(piece));
    head.put_u32_le(hasher.finalize());
    head.freeze()
}

/// Reads a checkpoint's file of any version that ever shipped.
///
/// # Errors
///
/// If it is damaged in any way, or newer than this exporter.
pub fn decode(bytes: &[u8]) -> Result<Snapshot, Unusable> {
    let (head, body) = bytes.split_at_checked(HEAD_BYTES).ok_or(Unusable::Damaged("it is too short"))?;
    let number =
        |from: usize| head.get(from..from + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    if !head.starts_with(MAGIC) {
        return Err(Unusable::Damaged("it does not begin like a checkpoint"));
    }
    let length = u64::from(number(12)) | u64::from(number(16)) << 32;
    if u64::try_from(body.len()) != Ok(length) {
        return Err(Unusable::Damaged("it is not as long as it says"));
    }
    let mut hasher = Hasher::new();
    hasher.update(&head[MAGIC.len()..HEAD_BYTES - 4]);
    hasher.update(body);
    if hasher.finalize() != number(20) {
        return Err(Unusable::Damaged("its checksum is wrong"));
    }
    let mut body = RecordReader(body);
    match number(8) {
        VERSION => {
            let generation = body.next()?.ok_or(BROKEN)?;
            Ok(Snapshot { generation, checkpoint: read_all::<AccountState, WebhookState>(body)? })
        }
        WITHOUT_JOURNAL => without_journal(read_all::<AccountState, WebhookState>(body)),
        2 => without_journal(read_all::<AccountState, v2::WebhookState>(body)),
        1 => without_journal(read_all::<v1::AccountState, v1::WebhookState>(body)),
        version if version > VERSION => Err(Unusable::Newer(version)),
        _ => Err(Unusable::Damaged("it has no version")),
    }
}

fn without_journal(checkpoint: Result<Checkpoint, Unusable>) -> Result<Snapshot, Unusable> {
    Ok(Snapshot { generation: 0, checkpoint: checkpoint? })
}

const BROKEN: Unusable = Unusable::Damaged("a record cannot be read");

/// Takes record after record.
pub(super) struct RecordReader<'bytes>(pub(super) &'bytes [u8]);

impl RecordReader<'_> {
    /// The next one; `None` at the end.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Unusable> {
        let Some((length, rest)) = self.0.split_first_chunk::<4>() else {
            return if self.0.is_empty() { Ok(None) } else { Err(BROKEN) };
        };
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| BROKEN)?;
        let (record, rest) = rest.split_at_checked(length).ok_or(BROKEN)?;
        self.0 = rest;
        postcard::from_bytes(record).map(Some).map_err(|_| BROKEN)
    }
}

fn read_all<A, W>(mut body: RecordReader<'_>) -> Result<Checkpoint, Unusable>
where
    A: DeserializeOwned + Into<AccountState>,
    W: DeserializeOwned + Into<WebhookState>,
{
    let account: A = body.next()?.ok_or(BROKEN)?;
    let mut webhooks = Vec::new();
    while let Some(webhook) = body.next::<W>()? {
        webhooks.push(webhook.into());
    }
    Ok(Checkpoint { account: account.into(), webhooks })
}
