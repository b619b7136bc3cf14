//! The vendor's JSON → core types. Lenient by intent: the API's documentation leaves open which fields can be missing,
//! `null`, or a number in quotes. What could be a secret is skipped or cut down here, and goes no further.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use url::Url;

use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, ObjectId, UnixMillis, Webhook, WebhookId,
};
use delivery_ledger::{Outcome, usable_status};

/// Free text of a webhook is cut to so many characters: it becomes a label of every scrape. A convention.
const MAX_TEXT_CHARS: usize = 256;

/// What one entry of a webhook's log turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEntry {
    /// An attempt of this webhook.
    Own(Attempt),
    /// An entry of another webhook.
    Foreign,
    /// Nothing that makes sense: no JSON object, or no usable `_id`.
    Malformed,
}

/// Reads one entry of the log of `webhook`.
#[must_use]
pub fn read_log_entry(json: &[u8], webhook: WebhookId) -> LogEntry {
    let Ok(Object(Some(entry))) = serde_json::from_slice::<Object<WireAttempt<'_>>>(json) else {
        return LogEntry::Malformed;
    };
    let is_foreign = match entry.subscription.text().as_deref() {
        None | Some("") => false,
        Some(id) => id.parse() != Ok(webhook),
    };
    if is_foreign {
        return LogEntry::Foreign;
    }
    let Some(id) = entry.id.object_id() else { return LogEntry::Malformed };
    LogEntry::Own(Attempt {
        id: AttemptId(id),
        at: entry.created_at.time().unwrap_or_else(|| id.made_at()),
        outcome: Outcome::of(entry.status.integer().and_then(usable_status), entry.response.as_str()),
        retry: entry.retry.integer().map_or(0, |retry| u32::try_from(retry.max(0)).unwrap_or(u32::MAX)),
        event: entry.event.0.map(read_event),
    })
}

fn read_event(event: WireEvent<'_>) -> Event {
    let created_at = event.created_at.time();
    // The same instant may be spelt in several ways; an unreadable date still tells events apart.
    let created_at_text = created_at.map(|at| at.as_millis().to_string().into()).or_else(|| event.created_at.text());
    let subject = event.data.0.and_then(|data| data.id.text());
    let subject = subject.or_else(|| event.extra_data.0.and_then(|extra| extra.user_id.text()));
    let (company, event_type, action) = (event.company.text(), event.event_type.text(), event.action.text());
    Event {
        key: EventKey::of([
            company.as_deref(),
            event_type.as_deref(),
            action.as_deref(),
            created_at_text.as_deref(),
            subject.as_deref(),
        ]),
        event_type: event_type.as_deref().map_or(EventType::Other, EventType::from_api),
        action: action.as_deref().map_or(Action::Other, Action::from_api),
        created_at,
    }
}

/// Reads one entry of the list, or the answer of the by-id call; `None` if it is no object with a usable `_id`.
#[must_use]
pub fn read_webhook(json: &[u8]) -> Option<Webhook> {
    let Object(Some(webhook)) = serde_json::from_slice::<Object<WireWebhook<'_>>>(json).ok()? else { return None };
    Some(Webhook {
        id: WebhookId(webhook.id.object_id()?),
        company: webhook.company.short_text(),
        code: webhook.code.short_text(),
        name: webhook.name.short_text(),
        trigger: webhook.trigger.short_text(),
        target_host: webhook.url.text().as_deref().map_or_else(String::new, target_host),
        active: webhook.is_active.boolean().unwrap_or(true),
    })
}

/// Reads the answer of the login.
#[must_use]
pub fn read_login(json: &[u8]) -> Option<crate::secret::Secret> {
    let Object(Some(login)) = serde_json::from_slice::<Object<WireLogin<'_>>>(json).ok()? else { return None };
    login.token.as_str().map(crate::secret::Secret::new)
}

/// The host of a URL, and the port if the URL gives one; empty if it has none. Everything else of it may be a secret.
fn target_host(url: &str) -> String {
    let Ok(parsed) = Url::parse(url.trim()) else { return String::new() };
    let Some(host) = parsed.host_str().filter(|host| !host.is_empty()) else { return String::new() };
    // A scheme's own port is dropped by the parser; it is shown where the URL gives it.
    let given_default = parsed.port_or_known_default().filter(|port| {
        let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = behind_scheme.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        authority.trim().ends_with(&format!(":{port}"))
    });
    match parsed.port().or(given_default) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
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

#[derive(serde::Deserialize)]
struct WireAttempt<'a> {
    #[serde(rename = "_id", default, borrow)]
    id: Scalar<'a>,
    #[serde(default, borrow)]
    subscription: Scalar<'a>,
    #[serde(rename = "createdAt", default, borrow)]
    created_at: Scalar<'a>,
    #[serde(default, borrow)]
    status: Scalar<'a>,
    #[serde(default, borrow)]
    retry: Scalar<'a>,
    #[serde(default, borrow)]
    response: Scalar<'a>,
    #[serde(default = "Object::none", borrow)]
    event: Object<WireEvent<'a>>,
}

#[derive(serde::Deserialize)]
struct WireEvent<'a> {
    #[serde(default, borrow)]
    company: Scalar<'a>,
    #[serde(rename = "type", default, borrow)]
    event_type: Scalar<'a>,
    #[serde(rename = "event", default, borrow)]
    action: Scalar<'a>,
    #[serde(rename = "createdAt", default, borrow)]
    created_at: Scalar<'a>,
    #[serde(default = "Object::none", borrow)]
    data: Object<WireData<'a>>,
    #[serde(rename = "extraData", default = "Object::none", borrow)]
    extra_data: Object<WireExtraData<'a>>,
}

#[derive(serde::Deserialize)]
struct WireData<'a> {
    #[serde(rename = "_id", default, borrow)]
    id: Scalar<'a>,
}

#[derive(serde::Deserialize)]
struct WireExtraData<'a> {
    #[serde(rename = "userId", default, borrow)]
    user_id: Scalar<'a>,
}

#[derive(serde::Deserialize)]
struct WireWebhook<'a> {
    #[serde(rename = "_id", default, borrow)]
    id: Scalar<'a>,
    #[serde(default, borrow)]
    company: Scalar<'a>,
    #[serde(default, borrow)]
    code: Scalar<'a>,
    #[serde(default, borrow)]
    name: Scalar<'a>,
    #[serde(default, borrow)]
    trigger: Scalar<'a>,
    #[serde(default, borrow)]
    url: Scalar<'a>,
    #[serde(rename = "isActive", default, borrow)]
    is_active: Scalar<'a>,
}

#[derive(serde::Deserialize)]
struct WireLogin<'a> {
    #[serde(default, borrow)]
    token: Scalar<'a>,
}

/// A field that should hold one value and may hold anything.
#[derive(Default)]
enum Scalar<'a> {
    #[default]
    Nothing,
    Text(Cow<'a, str>),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

impl<'a> Scalar<'a> {
    /// Its text, if it is text.
    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nothing | Self::Integer(_) | Self::Float(_) | Self::Boolean(_) => None,
        }
    }

    /// Its text, or its number's.
    fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string().into()),
            Self::Float(number) => Some(number.to_string().into()),
            Self::Nothing | Self::Boolean(_) => None,
        }
    }

    /// Its text, cut to a length that a label can have.
    fn short_text(&self) -> String {
        self.text().unwrap_or_default().chars().take(MAX_TEXT_CHARS).collect()
    }

    /// Its number, in quotes or not, if that is whole.
    fn integer(&self) -> Option<i64> {
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
            Self::Nothing | Self::Boolean(_) => None,
        }
    }

    fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Integer(number) => Some(*number != 0),
            Self::Text(text) => match text.trim() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            Self::Nothing | Self::Float(_) => None,
        }
    }

    fn object_id(&self) -> Option<ObjectId> {
        self.as_str()?.trim().parse().ok()
    }

    fn time(&self) -> Option<UnixMillis> {
        match self {
            Self::Text(text) => read_time(text),
            Self::Integer(_) | Self::Float(_) => read_time(&self.integer()?.to_string()),
            Self::Nothing | Self::Boolean(_) => None,
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
                Ok(i64::try_from(number).map_or(Scalar::Nothing, Scalar::Integer))
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
                Ok(Scalar::Nothing)
            }

            /// A reference that the API filled in: the object instead of its id.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut id = Scalar::Nothing;
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
struct Object<T>(Option<T>);

impl<T> Object<T> {
    fn none() -> Self {
        Self(None)
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
                T::deserialize(MapAccessDeserializer::new(map)).map(|object| Object(Some(object)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Object(None))
            }

            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Object(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Object(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Object(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Object(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Object(None))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Object(None))
            }
        }

        deserializer.deserialize_any(ObjectVisitor(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use delivery_ledger::FailureReason;

    const WEBHOOK: &str = "62685990d918fb5557f9f992";

    fn read(json: &str) -> LogEntry {
        read_log_entry(json.as_bytes(), WEBHOOK.parse().expect("an id"))
    }

    fn own(json: &str) -> Attempt {
        match read(json) {
            LogEntry::Own(attempt) => attempt,
            other @ (LogEntry::Foreign | LogEntry::Malformed) => panic!("{other:?}: {json}"),
        }
    }

    #[test]
    fn the_documented_entry_is_a_timeout_on_the_last_retry() {
        let attempt = own(
            r#"{"_id":"62742dd824c886d54e60f02b","company":"625bcbdcc9a8e3a86dbf041c","createdAt":"2022-05-05T20:04:40.084Z",
            "status":409,"retry":3,"response":"connect ETIMEDOUT 67.225.146.248:443","event":{"company":"625bcbdcc9a8e3a86dbf041c",
            "type":"COTTask","extraData":null,"createdAt":"2022-05-05T19:54:29.924Z","data":{"_id":"62742b7562f37034d9399914",
            "answers":["62742b57612dc2ecc1219d98"]},"event":"create"},"subscription":"62685990d918fb5557f9f992","__v":0}"#,
        );
        assert_eq!(attempt.at, UnixMillis::from_millis(1_651_781_080_084));
        assert_eq!(attempt.outcome, Outcome::Failure { reason: FailureReason::Timeout, status: None });
        assert_eq!(attempt.retry, 3);
        let event = attempt.event.expect("an event");
        assert_eq!((event.event_type, event.action), (EventType::Task, Action::Create));
        assert_eq!(event.created_at, Some(UnixMillis::from_millis(1_651_780_469_924)));
    }

    #[test]
    fn numbers_in_quotes_are_numbers_and_whole_floats_too() {
        for (status, retry) in [("200", "1"), ("\"200\"", "\"1\""), ("200.0", "1.0"), ("\" 200 \"", "\"1.0\"")] {
            let attempt = own(&format!(r#"{{"_id":"62742dd824c886d54e60f02b","status":{status},"retry":{retry}}}"#));
            assert_eq!((attempt.outcome, attempt.retry), (Outcome::Success { status: 200 }, 1), "{status}");
        }
    }

    #[test]
    fn an_entry_with_nothing_but_an_id_is_a_failure_dated_by_the_id() {
        for rest in [
            "",
            r#","createdAt":null,"status":null,"retry":null,"response":null,"event":null,"subscription":null"#,
            r#","createdAt":"yesterday","status":"ok","retry":-4,"response":{"a":1},"event":[1],"subscription":"""#,
            r#","createdAt":12,"status":{},"retry":[],"response":7,"event":"x""#,
        ] {
            let attempt = own(&format!(r#"{{"_id":"62742dd824c886d54e60f02b"{rest}}}"#));
            assert_eq!(attempt.at, UnixMillis::from_secs(1_651_781_080), "{rest}");
            assert_eq!(attempt.outcome, Outcome::Failure { reason: FailureReason::Other, status: None }, "{rest}");
            assert_eq!((attempt.retry, attempt.event), (0, None), "{rest}");
        }
    }

    #[test]
    fn an_entry_without_a_usable_id_makes_no_sense_and_that_of_another_webhook_is_foreign() {
        for json in [
            "{}",
            "null",
            "7",
            "[]",
            "\"x\"",
            "{",
            r#"{"_id":null}"#,
            r#"{"_id":"xyz"}"#,
            r#"{"_id":12}"#,
            r#"{"_id":"62742dd824c886d54e60f02b","status":2x}"#,
        ] {
            assert_eq!(read(json), LogEntry::Malformed, "{json}");
        }
        for other in ["62685990d918fb5557f9f993", "other"] {
            assert_eq!(
                read(&format!(r#"{{"_id":"62742dd824c886d54e60f02b","subscription":"{other}"}}"#)),
                LogEntry::Foreign
            );
        }
        let filled_in =
            format!(r#"{{"_id":"62742dd824c886d54e60f02b","subscription":{{"code":"a","_id":"{WEBHOOK}"}}}}"#);
        assert!(matches!(read(&filled_in), LogEntry::Own(_)));
        let upper_case = format!(r#"{{"_id":"62742dd824c886d54e60f02b","subscription":"{}"}}"#, WEBHOOK.to_uppercase());
        assert!(matches!(read(&upper_case), LogEntry::Own(_)));
    }

    #[test]
    fn dates_may_be_odd() {
        for (text, expected) in [
            ("\"2022-05-05T20:04:40.084Z\"", 1_651_781_080_084),
            ("\"2022-05-05T16:04:40.084-04:00\"", 1_651_781_080_084),
            ("\"2022-05-05T20:04:40Z\"", 1_651_781_080_000),
            ("\"2022-05-05 20:04:40.084\"", 1_651_781_080_084),
            ("\"2022-05-05T20:04:40.084999Z\"", 1_651_781_080_084),
            ("1651781080084", 1_651_781_080_084),
            ("\"1651781080084\"", 1_651_781_080_084),
            ("1651781080084.0", 1_651_781_080_084),
        ] {
            let attempt = own(&format!(r#"{{"_id":"62742dd824c886d54e60f02b","createdAt":{text}}}"#));
            assert_eq!(attempt.at.as_millis(), expected, "{text}");
        }
    }

    fn key(event: &str) -> EventKey {
        own(&format!(r#"{{"_id":"62742dd824c886d54e60f02b","event":{event}}}"#)).event.expect("an event").key
    }

    #[test]
    fn an_event_is_told_by_company_type_action_time_and_subject_and_by_nothing_else() {
        let base = key(
            r#"{"company":"c","type":"COTTask","event":"edit","createdAt":"2022-05-05T20:04:40.084Z","data":{"_id":"t","x":1}}"#,
        );
        let same = key(
            r#"{"diff":{"a":{}},"extraData":null,"data":{"x":2,"_id":"t"},"createdAt":"2022-05-05T16:04:40.084-04:00","event":"edit","type":"COTTask","company":"c"}"#,
        );
        assert_eq!(base, same);
        for other in [
            r#"{"company":"d","type":"COTTask","event":"edit","createdAt":"2022-05-05T20:04:40.084Z","data":{"_id":"t"}}"#,
            r#"{"company":"c","type":"COTUser","event":"edit","createdAt":"2022-05-05T20:04:40.084Z","data":{"_id":"t"}}"#,
            r#"{"company":"c","type":"COTTask","event":"create","createdAt":"2022-05-05T20:04:40.084Z","data":{"_id":"t"}}"#,
            r#"{"company":"c","type":"COTTask","event":"edit","createdAt":"2022-05-05T20:04:40.085Z","data":{"_id":"t"}}"#,
            r#"{"company":"c","type":"COTTask","event":"edit","createdAt":"2022-05-05T20:04:40.084Z","data":{"_id":"u"}}"#,
            r#"{"company":"c","type":"COTTask","event":"edit","createdAt":"2022-05-05T20:04:40.084Z","data":null}"#,
        ] {
            assert_ne!(base, key(other), "{other}");
        }
        let logout = |user: &str| {
            key(&format!(
                r#"{{"type":"Auth","event":"logout","data":null,"extraData":{{"timestamp":1,"userId":"{user}"}}}}"#
            ))
        };
        assert_eq!(logout("a"), logout("a"));
        assert_ne!(logout("a"), logout("b"));
    }

    #[test]
    fn a_webhook_keeps_of_its_receivers_url_the_host_and_a_given_port() {
        for (url, expected) in [
            ("https://www.server.com", "www.server.com"),
            ("https://user:pass@hooks.acme.example:8443/in/s3cret?token=t#f", "hooks.acme.example:8443"),
            ("https://user:443@hooks.acme.example/x:443", "hooks.acme.example"),
            ("https://hooks.acme.example:443/", "hooks.acme.example:443"),
            ("http://[2001:db8::1]:80/a", "[2001:db8::1]:80"),
            ("HTTP://Hooks.ACME.example/a", "hooks.acme.example"),
            (" https://hooks.acme.example ", "hooks.acme.example"),
            ("https://user@pass@host.example", "host.example"),
            ("hooks.acme.example/s3cret", ""),
            ("mailto:s3cret@acme.example", ""),
            ("", ""),
            ("https://", ""),
        ] {
            let json = format!(r#"{{"_id":"{WEBHOOK}","url":"{url}"}}"#);
            assert_eq!(read_webhook(json.as_bytes()).expect("a webhook").target_host, expected, "{url}");
        }
    }

    #[test]
    fn a_webhook_needs_an_id_and_nothing_else() {
        let webhook = read_webhook(format!(r#"{{"_id":"{WEBHOOK}"}}"#).as_bytes()).expect("a webhook");
        assert_eq!((webhook.label().as_str(), webhook.active), (WEBHOOK, true));
        for json in ["{}", "null", "[]", r#"{"_id":7}"#, "<html>"] {
            assert_eq!(read_webhook(json.as_bytes()), None, "{json}");
        }
        for (active, expected) in [("true", true), ("false", false), ("\"false\"", false), ("0", false), ("null", true)]
        {
            let json = format!(r#"{{"_id":"{WEBHOOK}","isActive":{active},"code":"wo","name":"Ó","__v":0}}"#);
            let webhook = read_webhook(json.as_bytes()).expect("a webhook");
            assert_eq!((webhook.active, webhook.label().as_str(), webhook.name.as_str()), (expected, "wo", "Ó"));
        }
    }

    #[test]
    fn a_login_gives_a_token_that_does_not_show() {
        let token = read_login(br#"{"token":"eyJ","user":{}}"#).expect("a token");
        assert_eq!((token.expose(), format!("{token} {token:?}").as_str()), ("eyJ", "[redacted] [redacted]"));
        assert_eq!(read_login(b"{}"), None);
    }
}
