//! Fields that may hold anything. The API's documentation leaves open which can be missing, `null`, or a number in quotes,
//! so a field that cannot be read is a field without a value, and fails nothing around it.

use std::borrow::Cow;
use std::fmt;

use delivery_ledger::{ObjectId, UnixMillis};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Free text of a webhook is cut to so many characters: it becomes a label of every scrape. A convention.
const MAX_TEXT_CHARS: usize = 256;

/// A field that should hold one value and may hold anything.
#[derive(Default)]
pub(super) enum Scalar<'a> {
    /// Absent or `null`.
    #[default]
    Nothing,
    /// There, and no value of a scalar.
    Unreadable,
    Text(Cow<'a, str>),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

impl<'a> Scalar<'a> {
    /// Whether nothing is said: absent, `null`, or a text of nothing but white space.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::Unreadable | Self::Integer(_) | Self::Float(_) | Self::Boolean(_) => false,
        }
    }

    /// Its text, if it is text.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nothing | Self::Unreadable | Self::Integer(_) | Self::Float(_) | Self::Boolean(_) => None,
        }
    }

    /// Its text, or its number's.
    pub(super) fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string().into()),
            Self::Float(number) => Some(number.to_string().into()),
            Self::Nothing | Self::Unreadable | Self::Boolean(_) => None,
        }
    }

    /// Its text, cut to a length that a label can have.
    pub(super) fn short_text(&self) -> String {
        self.text().unwrap_or_default().chars().take(MAX_TEXT_CHARS).collect()
    }

    /// Its number, in quotes or not, if that is whole.
    pub(super) fn integer(&self) -> Option<i64> {
        let whole = |number: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within bounds that i64 holds")]
            (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
        };
        match self {
            Self::Integer(number) => Some(*number),
            Self::Float(number) => whole(*number),
            Self::Text(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
            }
            Self::Nothing | Self::Unreadable | Self::Boolean(_) => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Integer(number) => Some(*number != 0),
            Self::Text(text) => match text.trim() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            Self::Nothing | Self::Unreadable | Self::Float(_) => None,
        }
    }

    pub(super) fn object_id(&self) -> Option<ObjectId> {
        self.as_str()?.trim().parse().ok()
    }

    pub(super) fn time(&self) -> Option<UnixMillis> {
        match self {
            Self::Text(text) => read_time(text),
            Self::Integer(_) | Self::Float(_) => read_time(&self.integer()?.to_string()),
            Self::Nothing | Self::Unreadable | Self::Boolean(_) => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;

        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Integer(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(i64::try_from(number).map_or(Scalar::Unreadable, Scalar::Integer))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Float(number))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Boolean(value))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Nothing)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Unreadable)
            }

            /// A reference that the API filled in: the object instead of its id.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut id = Scalar::Unreadable;
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    if key == "_id" || key == "$oid" {
                        id = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(id)
            }
        }

        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// A field that should hold an object of `T` and may hold anything; what it does not name is skipped unread.
pub(super) enum Object<T> {
    /// The object.
    Read(T),
    /// A text, which may be an object as JSON.
    Text(String),
    /// Anything else, or nothing.
    Other,
}

impl<T> Object<T> {
    pub(super) fn none() -> Self {
        Self::Other
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object::Read)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Object::Other)
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Object::Text(text.to_owned()))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Object::Other)
            }
        }

        deserializer.deserialize_any(ObjectVisitor(std::marker::PhantomData))
    }
}

/// A point in time as the API may write it: ISO 8601 with or without a zone (then UTC), or milliseconds since the epoch.
fn read_time(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(UnixMillis::from_millis(timestamp.as_millisecond()));
    }
    if let Ok(civil) = text.parse::<jiff::civil::DateTime>() {
        let timestamp = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
        return Some(UnixMillis::from_millis(timestamp.as_millisecond()));
    }
    let millis = text.parse::<i64>().ok()?;
    // Anything below is seconds, or no date at all: 10^11 ms is March 1973.
    (millis >= 100_000_000_000).then(|| UnixMillis::from_millis(millis))
}
