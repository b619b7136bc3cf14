//! The ids of the API's objects.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::UnixMillis;

/// A MongoDB ObjectId: 12 bytes, of which the first 4 are the big-endian Unix second of its making.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId([u8; 12]);

/// The text is no ObjectId.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an ObjectId is 24 hexadecimal digits")]
pub struct NotAnObjectId;

impl ObjectId {
    /// The smallest id.
    pub const MIN: Self = Self([0x00; 12]);
    /// The greatest id.
    pub const MAX: Self = Self([0xff; 12]);

    /// An id of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// The id's bytes, big-endian, as in its text.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 12] {
        self.0
    }

    /// When the id was made, to the second: what dates an entry without a readable `createdAt`.
    #[must_use]
    pub fn made_at(self) -> UnixMillis {
        let [a, b, c, d, ..] = self.0;
        UnixMillis::from_secs(i64::from(u32::from_be_bytes([a, b, c, d])))
    }
}

/// In [`DIGITS`], of a byte that is no hexadecimal digit.
const NO_DIGIT: u8 = 0x80;

/// What each byte is worth as a hexadecimal digit.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

impl FromStr for ObjectId {
    type Err = NotAnObjectId;

    /// Takes exactly 24 hexadecimal digits, in either case.
    fn from_str(text: &str) -> Result<Self, NotAnObjectId> {
        let digits: &[u8; 24] = text.as_bytes().try_into().map_err(|_| NotAnObjectId)?;
        let (mut bytes, mut all) = ([0; 12], 0);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let &[high, low] = pair else { return Err(NotAnObjectId) };
            let (high, low) = (DIGITS[usize::from(high)], DIGITS[usize::from(low)]);
            all |= high | low;
            *byte = high << 4 | low;
        }
        // Once for all of them: each log entry has several ids.
        if all & NO_DIGIT != 0 {
            return Err(NotAnObjectId);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The `_id` of a webhook (the API also says "subscription").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WebhookId(pub ObjectId);

impl FromStr for WebhookId {
    type Err = NotAnObjectId;

    fn from_str(text: &str) -> Result<Self, NotAnObjectId> {
        text.parse().map(Self)
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The `_id` of a log entry: what makes an attempt countable exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId(pub ObjectId);

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The id of what an event happened to (`data._id`, or `userId`). Nothing but an ObjectId fits in, so that it can carry
/// nothing else of the event's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubjectId(pub ObjectId);

impl FromStr for SubjectId {
    type Err = NotAnObjectId;

    fn from_str(text: &str) -> Result<Self, NotAnObjectId> {
        text.parse().map(Self)
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;
    use crate::time::UnixMillis;

    #[test]
    fn an_object_id_reads_its_own_text_and_knows_its_second() {
        let id: ObjectId = "62742DD824c886d54e60f02b".parse().expect("24 hex digits");
        assert_eq!(id.to_string(), "62742dd824c886d54e60f02b");
        assert_eq!(id.made_at(), UnixMillis::from_secs(1_651_781_080));
    }

    #[test]
    fn what_is_no_object_id_is_refused() {
        for text in [
            "",
            "62742dd824c886d54e60f02",
            "62742dd824c886d54e60f02g",
            "62742dd824c886d54e60f02b0",
            "é2742dd824c886d54e60f02",
        ] {
            assert_eq!(text.parse::<ObjectId>(), Err(NotAnObjectId), "{text}");
        }
    }
}
