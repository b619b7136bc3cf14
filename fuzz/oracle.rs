//! What an entry is, said naively: the whole log is parsed by `serde_json`, and every rule is looked up in the tree.

use std::fmt;

use cotalker_webhook_exporter::api::wire::LogEntry;
use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, ObjectId, Outcome, UnixMillis, usable_status,
};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::document::{UNREADABLE, WEBHOOK};

/// The entries of the log, if `serde_json` can parse it, and the texts in it that look like JSON.
pub(crate) fn read(log: &[u8]) -> Option<Vec<LogEntry>> {
    let log = log.strip_prefix("\u{feff}".as_bytes()).unwrap_or(log);
    // `Tree` is what `Value` is, but for keys that are given twice.
    let value = serde_json::from_slice::<Value>(log);
    let tree = serde_json::from_slice::<Tree>(log);
    assert_eq!(value.is_ok(), tree.is_ok(), "{value:?} {tree:?}");
    match tree {
        Ok(tree) if tree.has_broken_json() => None,
        Ok(Tree::Array(entries)) => Some(entries.iter().map(entry).collect()),
        Ok(Tree::Scalar(_) | Tree::Object(_)) | Err(_) => None,
    }
}

fn entry(tree: &Tree) -> LogEntry {
    let Tree::Object(_) = tree else { return LogEntry::Malformed };
    let scalar = |name| tree.once(name).map_or(Value::Null, |value| stand_in(value, 2));
    let subscription = object_id(&scalar("subscription"));
    if subscription.is_some_and(|id| id.to_string() != WEBHOOK) {
        return LogEntry::Foreign;
    }
    let Some(id) = object_id(&scalar("_id")) else { return LogEntry::Malformed };
    let status = whole_number(&scalar("status")).and_then(usable_status);
    let responses = tree.all("response");
    let response = match responses[..] {
        [Tree::Scalar(Value::String(text))] if is_readable(text) => Some(text.as_str()),
        _ => None,
    };
    let is_said = |name, levels| match tree.all(name)[..] {
        [] | [Tree::Scalar(Value::Null)] => false,
        [Tree::Scalar(Value::String(text))] => !text.trim().is_empty(),
        [object] => stand_in(object, levels).as_str().is_none_or(|text| !text.trim().is_empty()),
        _ => true,
    };
    let retry = whole_number(&scalar("retry")).unwrap_or(0);
    let attempt = Attempt {
        id: AttemptId(id),
        at: time(&scalar("createdAt")).unwrap_or_else(|| id.made_at()),
        outcome: Outcome::of(status, response),
        retry: retry.clamp(0, i64::from(u32::MAX)).try_into().expect("within bounds"),
        event: tree.once("event").and_then(|tree| event(&unfolded(tree)?)),
    };
    if !is_said("status", 2) && !is_said("response", 0) { LogEntry::UnderWay(attempt) } else { LogEntry::Own(attempt) }
}

fn event(tree: &Tree) -> Option<Event> {
    let scalar = |tree: &Tree, name| tree.once(name).map_or(Value::Null, |value| stand_in(value, 2));
    let part = |name| text(&scalar(tree, name));
    let (company, event_type, action) = (part("company"), part("type"), part("event"));
    let created_at = time(&scalar(tree, "createdAt"));
    let written_at = created_at.map(|at| at.as_millis().to_string()).or_else(|| part("createdAt"));
    let inner = |name, member| text(&scalar(&tree.once(name).and_then(unfolded)?, member));
    let subject = inner("data", "_id").or_else(|| inner("extraData", "userId"));
    if written_at.is_none() && subject.is_none() {
        return None;
    }
    let parts = [&company, &event_type, &action, &written_at, &subject];
    Some(Event {
        key: EventKey::of(parts.map(Option::as_deref)),
        event_type: EventType::from_api(event_type.as_deref().unwrap_or_default()),
        action: Action::from_api(action.as_deref().unwrap_or_default()),
        created_at,
        subject: subject.and_then(|subject| subject.trim().parse().ok()),
    })
}

/// The object, or the object in the text.
fn unfolded(tree: &Tree) -> Option<Tree> {
    match tree {
        Tree::Object(members) => Some(Tree::Object(members.clone())),
        Tree::Scalar(Value::String(text)) if is_readable(text) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            serde_json::from_str(text).ok().filter(|tree| matches!(tree, Tree::Object(_)))
        }
        Tree::Scalar(_) | Tree::Array(_) => None,
    }
}

/// The value, or the one that the object stands for.
fn stand_in(tree: &Tree, levels: usize) -> Value {
    match tree {
        Tree::Scalar(Value::String(text)) if !is_readable(text) => Value::Null,
        Tree::Scalar(value) => value.clone(),
        Tree::Object(_) if levels > 0 => ["_id", "$oid", "$date", "$numberLong", "$numberInt", "$numberDouble"]
            .into_iter()
            .filter_map(|name| Some(stand_in(tree.once(name)?, levels - 1)))
            .find(|value| !value.is_null())
            .unwrap_or_default(),
        Tree::Object(_) | Tree::Array(_) => Value::Null,
    }
}

fn is_readable(text: &str) -> bool {
    !text.contains(UNREADABLE)
}

fn object_id(value: &Value) -> Option<ObjectId> {
    value.as_str()?.trim().parse().ok()
}

fn whole_number(value: &Value) -> Option<i64> {
    let float = match value {
        Value::Number(number) if number.is_i64() => return number.as_i64(),
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match text.trim().parse::<i64>() {
            Ok(number) => return Some(number),
            Err(_) => text.trim().parse().ok()?,
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    // Within these bounds `{float}` of a whole number is an integer's text.
    (float.abs() < 9e15).then(|| float.to_string().parse().ok()).flatten()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() => Some(number.to_string()),
        Value::Number(number) => number.as_f64().map(|float| float.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn time(value: &Value) -> Option<UnixMillis> {
    if let Some(text) = value.as_str() {
        let text = text.trim();
        let zoned = text.parse::<jiff::Timestamp>().ok();
        let civil = || jiff::tz::TimeZone::UTC.to_timestamp(text.parse().ok()?).ok();
        if let Some(at) = zoned.or_else(civil) {
            return Some(UnixMillis::from_millis(at.as_millisecond()));
        }
        return text.parse().ok().filter(|millis| *millis >= 100_000_000_000).map(UnixMillis::from_millis);
    }
    whole_number(value).filter(|millis| *millis >= 100_000_000_000).map(UnixMillis::from_millis)
}

/// JSON with every member of its objects.
#[derive(Clone, Debug)]
enum Tree {
    Scalar(Value),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// All values of a key.
    fn all(&self, name: &str) -> Vec<&Tree> {
        match self {
            Self::Object(members) => members.iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect(),
            Self::Scalar(_) | Self::Array(_) => Vec::new(),
        }
    }

    /// Whether a text looks like an object and `serde_json` cannot parse it: the reader may find more in it.
    fn has_broken_json(&self) -> bool {
        match self {
            Self::Scalar(Value::String(text)) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
                text.starts_with('{') && serde_json::from_str(text).map_or(true, |tree: Self| tree.has_broken_json())
            }
            Self::Scalar(_) => false,
            Self::Array(items) => items.iter().any(Self::has_broken_json),
            Self::Object(members) => members.iter().any(|(_, value)| value.has_broken_json()),
        }
    }

    /// The value of a key that is given once.
    fn once(&self, name: &str) -> Option<&Tree> {
        match self.all(name)[..] {
            [value] => Some(value),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TreeVisitor;

        impl<'de> Visitor<'de> for TreeVisitor {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Scalar(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Scalar(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Scalar(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Scalar(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Scalar(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::Scalar(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Tree::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Tree::Object(members))
            }
        }

        deserializer.deserialize_any(TreeVisitor)
    }
}
