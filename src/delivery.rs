//! The vocabulary of deliveries: what an attempt, an event and a webhook are, free of how the API spells them.

use std::fmt;
use std::hash::Hasher as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::outcome::Outcome;

/// A point in time: whole milliseconds since the Unix epoch, the resolution of the API's `createdAt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// Later than everything that the API can date.
    pub const MAX: Self = Self(i64::MAX);
    /// Earlier than everything that the API can date.
    pub const MIN: Self = Self(i64::MIN);

    /// The point `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The point `seconds` seconds after the epoch.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The same point `millis` later, or earlier if negative; saturates.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// How many milliseconds this point lies after `earlier`; negative if before; saturates.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The first millisecond of the second that this point lies in.
    #[must_use]
    pub const fn start_of_second(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(1_000)))
    }

    /// The last millisecond of the second that this point lies in.
    #[must_use]
    pub const fn end_of_second(self) -> Self {
        Self(self.start_of_second().0.saturating_add(999))
    }
}

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

impl FromStr for ObjectId {
    type Err = NotAnObjectId;

    /// Takes exactly 24 hexadecimal digits, in either case.
    fn from_str(text: &str) -> Result<Self, NotAnObjectId> {
        let digits: &[u8; 24] = text.as_bytes().try_into().map_err(|_| NotAnObjectId)?;
        let mut bytes = [0; 12];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let &[high, low] = pair else { return Err(NotAnObjectId) };
            let digit = |d: u8| char::from(d).to_digit(16).and_then(|d| u8::try_from(d).ok());
            let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                return Err(NotAnObjectId);
            };
            *byte = high << 4 | low;
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

/// Where an attempt stands in a webhook's history: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// When the attempt was made.
    pub at: UnixMillis,
    /// Tells attempts of one millisecond apart.
    pub id: AttemptId,
}

impl Position {
    /// Before every attempt.
    pub const START: Self = Self { at: UnixMillis::MIN, id: AttemptId(ObjectId::MIN) };

    /// After every attempt made at `at` or earlier.
    #[must_use]
    pub const fn after(at: UnixMillis) -> Self {
        Self { at, id: AttemptId(ObjectId::MAX) }
    }

    /// Before every attempt made at `at` or later.
    #[must_use]
    pub const fn before(at: UnixMillis) -> Self {
        Self { at, id: AttemptId(ObjectId::MIN) }
    }
}

/// One delivery attempt: one entry of a webhook's log, without anything that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The entry's `_id`.
    pub id: AttemptId,
    /// When the attempt was made.
    pub at: UnixMillis,
    /// How it ended.
    pub outcome: Outcome,
    /// How many times the event had been tried before; 0 where the log does not say.
    pub retry: u32,
    /// The event it carried; `None` where the entry holds no event at all.
    pub event: Option<Event>,
}

impl Attempt {
    /// Where it stands in the webhook's history.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { at: self.at, id: self.id }
    }
}

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

/// Makes a closed set of label values: an enum, all of its members in the order of the contract, and their texts.
macro_rules! label_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$member_meta:meta])* $member:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$member_meta])* $member,)+ }

        impl $name {
            /// Every member, in a fixed order: what a label of it can be.
            pub const ALL: &[Self] = &[$(Self::$member,)+];

            /// Its text in a label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$member => $text,)+ }
            }

            /// Its place in [`Self::ALL`].
            #[must_use]
            pub const fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use label_set;

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

/// A webhook as the list describes it, its receiver's URL already cut down to the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its `_id`.
    pub id: WebhookId,
    /// The company that it belongs to, as the API spells the id; may be empty.
    pub company: String,
    /// Its code, unique in the company and fixed once saved; may be empty.
    pub code: String,
    /// Its name, free text.
    pub name: String,
    /// What sets it off, such as `create-edit-delete-task`; may be empty.
    pub trigger: String,
    /// The receiver's host, and the port if the URL gives one; empty where the URL has no host.
    pub target_host: String,
    /// Whether it is switched on.
    pub active: bool,
}

impl Webhook {
    /// What it is called in labels and logs: its code, or its id where it has none.
    #[must_use]
    pub fn label(&self) -> String {
        if self.code.is_empty() { self.id.to_string() } else { self.code.clone() }
    }

    /// The kinds of event that its trigger can give; none for a trigger that this version does not know.
    /// Source: the API's documented triggers, `create-edit-delete-{user,task,survey,property,note}` and `logout-user`.
    #[must_use]
    pub fn expected_events(&self) -> Vec<(EventType, Action)> {
        let event_type = match self.trigger.as_str() {
            "create-edit-delete-task" => EventType::Task,
            "create-edit-delete-user" => EventType::User,
            "create-edit-delete-survey" => EventType::Survey,
            "create-edit-delete-property" => EventType::Property,
            "create-edit-delete-note" => EventType::Note,
            "logout-user" => return vec![(EventType::Auth, Action::Logout)],
            _ => return Vec::new(),
        };
        [Action::Create, Action::Edit, Action::Delete].map(|action| (event_type, action)).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
