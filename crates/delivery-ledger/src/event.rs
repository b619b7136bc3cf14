//! What an attempt delivers: one thing that happened in Cotalker, and what tells it from another.

use core::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::id::SubjectId;
use crate::label_set;
use crate::time::UnixMillis;

/// What an attempt delivers: one thing that happened in Cotalker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Tells one event from another.
    pub key: EventKey,
    /// What it happened to.
    pub event_type: EventType,
    /// What happened.
    pub action: Action,
    /// When it happened; `None` where the log does not say.
    pub created_at: Option<UnixMillis>,
    /// The id of what it happened to; `None` where the log gives none, or one that is no ObjectId.
    pub subject: Option<SubjectId>,
}

/// The identity of an event, which has no id of its own: a 128-bit digest of `company`, `type`, `event`, `createdAt`
/// and the id of its subject. A digest, so that nothing of the event can be read back from it; of a fixed algorithm and
/// key, so that it means the same after an upgrade. Two of a million events collide with a probability of 10⁻²⁷.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventKey([u8; 16]);

impl EventKey {
    /// The key of the event with these parts, each as its text; a missing part differs from an empty one.
    #[must_use]
    pub fn of(parts: [Option<&str>; 5]) -> Self {
        let mut hasher = SipHasher13::new();
        for part in parts {
            match part {
                // The length in front keeps ("ab", "c") and ("a", "bc") apart.
                Some(text) => {
                    hasher.write(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
                    hasher.write(text.as_bytes());
                }
                None => hasher.write(&u64::MAX.to_le_bytes()),
            }
        }
        Self(hasher.finish128().as_bytes())
    }

    /// A key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The key's bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

label_set! {
    /// What an event happened to (`COTEvent.type`).
    EventType {
        /// A work order.
        Task = "COTTask",
        /// A user.
        User = "COTUser",
        /// A form that was filled in.
        Survey = "COTSurvey",
        /// A property: an asset or an entry of a list.
        Property = "COTProperty",
        /// A note.
        Note = "COTNote",
        /// A session: a logout.
        Auth = "Auth",
        /// A type that this version does not know.
        Other = "other",
    }
}

label_set! {
    /// What happened to it (`COTEvent.event`).
    Action {
        /// It was made.
        Create = "create",
        /// It was changed.
        Edit = "edit",
        /// It was deleted.
        Delete = "delete",
        /// A user left.
        Logout = "logout",
        /// An action that this version does not know.
        Other = "other",
    }
}

impl EventType {
    /// The type with this text in the API.
    #[must_use]
    pub fn from_api(text: &str) -> Self {
        Self::ALL.iter().copied().find(|known| known.as_str() == text).unwrap_or(Self::Other)
    }
}

impl Action {
    /// The action with this text in the API.
    #[must_use]
    pub fn from_api(text: &str) -> Self {
        Self::ALL.iter().copied().find(|known| known.as_str() == text).unwrap_or(Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn event_keys_tell_where_a_part_ends_and_what_is_missing() {
        let key = |parts: [Option<&str>; 5]| EventKey::of(parts);
        assert_ne!(key([Some("ab"), Some("c"), None, None, None]), key([Some("a"), Some("bc"), None, None, None]));
        assert_ne!(key([Some(""), None, None, None, None]), key([None, None, None, None, None]));
    }

    #[test]
    fn event_keys_never_change_their_meaning() {
        // Written into state files: a change of the algorithm would make every remembered event a new one.
        let key = EventKey::of([Some("c"), Some("COTTask"), Some("edit"), Some("1651781080084"), Some("t")]);
        assert_eq!(key.to_bytes().map(|byte| format!("{byte:02x}")).concat(), EVENT_KEY_FIXTURE);
    }

    const EVENT_KEY_FIXTURE: &str = "43f1e0f80a3ef0421ba4b51d8ec5b0b1";
}
