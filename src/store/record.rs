//! The checkpoint as bytes.
//!
//! ```text
//! magic (8) │ version (4) │ length (8) │ CRC-32 of version, length and body (4) │ body
//! body: records, each its length (4) and that many bytes; the first is the account, the others are webhooks
//! ```
//!
//! Numbers of the head are little-endian; records are in the `postcard` encoding of the types below. The head is the
//! same in every version, so that a newer state is told from a damaged one. To change anything that is serialised
//! (in the ledger's crate): copy the old types into a module beside `v1` there, read them when the head says so, raise
//! [`VERSION`], and keep the old fixtures beside a new one. The fixture's test turns red otherwise.

use bytes::{BufMut as _, Bytes, BytesMut};
use crc32fast::Hasher;
use serde::Serialize;
use serde::de::DeserializeOwned;

use delivery_ledger::fleet::{AccountState, WebhookState};
use delivery_ledger::{v1, v2};

/// The version that is written.
pub const VERSION: u32 = 3;

const MAGIC: &[u8; 8] = b"CTWHCKPT";
const HEAD_BYTES: usize = 24;

/// All that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// About all webhooks together.
    pub account: AccountState,
    /// About each.
    pub webhooks: Vec<WebhookState>,
}

/// Why bytes are no checkpoint that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is whole, and from a newer exporter.
    #[error("it is of version {0}, and this exporter knows none newer than {VERSION}")]
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
    Ok(bytes.into())
}

/// The head of a checkpoint of these records.
#[must_use]
pub fn head(records: &[Bytes]) -> Bytes {
    let length: usize = records.iter().map(Bytes::len).sum();
    let mut head = BytesMut::with_capacity(HEAD_BYTES);
    head.put_slice(MAGIC);
    head.put_u32_le(VERSION);
    head.put_u64_le(u64::try_from(length).unwrap_or(u64::MAX));
    let mut hasher = Hasher::new();
    hasher.update(&head[MAGIC.len()..]);
    records.iter().for_each(|record| hasher.update(record));
    head.put_u32_le(hasher.finalize());
    head.freeze()
}

/// Reads a checkpoint of any version that ever shipped.
///
/// # Errors
///
/// If it is damaged in any way, or newer than this exporter.
pub fn decode(bytes: &[u8]) -> Result<Checkpoint, Unusable> {
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
    match number(8) {
        VERSION => decode_records::<AccountState, WebhookState>(body),
        2 => decode_records::<AccountState, v2::WebhookState>(body),
        1 => decode_records::<v1::AccountState, v1::WebhookState>(body),
        version if version > VERSION => Err(Unusable::Newer(version)),
        _ => Err(Unusable::Damaged("it has no version")),
    }
}

fn decode_records<A, W>(mut body: &[u8]) -> Result<Checkpoint, Unusable>
where
    A: DeserializeOwned + Into<AccountState>,
    W: DeserializeOwned + Into<WebhookState>,
{
    const BROKEN: Unusable = Unusable::Damaged("a record cannot be read");
    let mut next = || -> Result<Option<&[u8]>, Unusable> {
        let Some((length, rest)) = body.split_first_chunk::<4>() else {
            return if body.is_empty() { Ok(None) } else { Err(BROKEN) };
        };
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| BROKEN)?;
        let (record, rest) = rest.split_at_checked(length).ok_or(BROKEN)?;
        body = rest;
        Ok(Some(record))
    };
    let account = next()?.ok_or(BROKEN)?;
    let account: A = postcard::from_bytes(account).map_err(|_| BROKEN)?;
    let mut webhooks = Vec::new();
    while let Some(record) = next()? {
        let webhook: W = postcard::from_bytes(record).map_err(|_| BROKEN)?;
        webhooks.push(webhook.into());
    }
    Ok(Checkpoint { account: account.into(), webhooks })
}
