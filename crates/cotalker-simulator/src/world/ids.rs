//! Ids as MongoDB makes them.

use delivery_ledger::{ObjectId, UnixMillis};

use super::dice::mix;

/// The five middle bytes of the ids of process `number`, different for every number: MongoDB's "random value unique to
/// the machine and process".
pub(crate) fn process_of(seed: u64, number: u64) -> [u8; 5] {
    let [_, _, _, bytes @ ..] = (mix(seed) ^ number).to_be_bytes();
    bytes
}

/// The ObjectId of this second, process and counter.
pub(crate) fn object_id(at: UnixMillis, process: [u8; 5], counter: u32) -> ObjectId {
    let seconds = u32::try_from(at.as_millis().div_euclid(1_000)).unwrap_or(0);
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&seconds.to_be_bytes());
    bytes[4..9].copy_from_slice(&process);
    bytes[9..].copy_from_slice(&counter.to_be_bytes()[1..]);
    ObjectId::from_bytes(bytes)
}
