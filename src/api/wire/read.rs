//! The vendor's types → core types.

use std::borrow::Cow;

use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, Outcome, Webhook, WebhookId, usable_status,
};

use super::host::target_host;
use super::lenient::Object;
use super::repair::repair;
use super::types::{WireAttempt, WireData, WireEvent, WireLogin, WireWebhook};
use crate::secret::Secret;

/// What one entry of a webhook's log turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEntry {
    /// An attempt of this webhook.
    Own(Attempt),
    /// An attempt of which neither status nor response is known yet, as it counts if it is given up.
    UnderWay(Attempt),
    /// An entry of another webhook.
    Foreign,
    /// No JSON object, or one without a usable `_id`.
    Malformed,
}

/// Reads one entry of the log of `webhook`.
#[must_use]
pub fn read_log_entry(json: &[u8], webhook: WebhookId) -> LogEntry {
    match serde_json::from_slice(json) {
        Ok(entry) => read_entry(entry, webhook),
        // One odd field is enough for that; the entry counts all the same.
        Err(_) => match repair(json) {
            Some(json) => serde_json::from_slice(&json).map_or(LogEntry::Malformed, |entry| read_entry(entry, webhook)),
            None => LogEntry::Malformed,
        },
    }
}

fn read_entry(entry: Object<WireAttempt<'_>>, webhook: WebhookId) -> LogEntry {
    let Object::Read(entry) = entry else { return LogEntry::Malformed };
    let is_foreign = match entry.subscription.text().as_deref() {
        None | Some("") => false,
        Some(id) => id.parse() != Ok(webhook),
    };
    if is_foreign {
        return LogEntry::Foreign;
    }
    let Some(id) = entry.id.object_id() else { return LogEntry::Malformed };
    let is_under_way = entry.status.is_empty() && entry.response.is_empty();
    let attempt = Attempt {
        id: AttemptId(id),
        at: entry.created_at.time().unwrap_or_else(|| id.made_at()),
        outcome: Outcome::of(entry.status.integer().and_then(usable_status), entry.response.as_str()),
        retry: entry.retry.integer().map_or(0, |retry| u32::try_from(retry.max(0)).unwrap_or(u32::MAX)),
        event: read_event(entry.event),
    };
    if is_under_way { LogEntry::UnderWay(attempt) } else { LogEntry::Own(attempt) }
}

/// Reads an event, or JSON in a text; `None` if it is neither.
fn read_event(event: Object<WireEvent<'_>>) -> Option<Event> {
    match event {
        Object::Read(event) => Some(event_of(event)),
        Object::Text(text) => match serde_json::from_str(&text) {
            Ok(Object::Read(event)) => Some(event_of(event)),
            Ok(Object::Text(_) | Object::Other) | Err(_) => None,
        },
        Object::Other => None,
    }
}

/// The id of what an event happened to.
fn subject_of(data: Object<WireData<'_>>) -> Option<String> {
    match data {
        Object::Read(data) => data.id.text().map(Cow::into_owned),
        Object::Text(text) => match serde_json::from_str::<Object<WireData<'_>>>(&text) {
            Ok(Object::Read(data)) => data.id.text().map(Cow::into_owned),
            Ok(Object::Text(_) | Object::Other) | Err(_) => None,
        },
        Object::Other => None,
    }
}

fn event_of(event: WireEvent<'_>) -> Event {
    let created_at = event.created_at.time();
    // The same time may be written in several ways; an unreadable one still tells events apart.
    let created_at_text = created_at.map(|at| at.as_millis().to_string().into()).or_else(|| event.created_at.text());
    let user = match event.extra_data {
        Object::Read(extra) => extra.user_id.text(),
        Object::Text(_) | Object::Other => None,
    };
    let subject = subject_of(event.data).or_else(|| user.map(Cow::into_owned));
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

/// Reads one entry of the list, or the response of the by-id call; `None` if it is no object with a usable `_id`.
#[must_use]
pub fn read_webhook(json: &[u8]) -> Option<Webhook> {
    match serde_json::from_slice(json) {
        Ok(webhook) => webhook_of(webhook),
        Err(_) => webhook_of(serde_json::from_slice(&repair(json)?).ok()?),
    }
}

fn webhook_of(webhook: Object<WireWebhook<'_>>) -> Option<Webhook> {
    let Object::Read(webhook) = webhook else { return None };
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

/// Reads the token in the response of the login; `None` if it has none.
#[must_use]
pub fn read_login(json: &[u8]) -> Option<Secret> {
    let Object::Read(login) = serde_json::from_slice::<Object<WireLogin<'_>>>(json).ok()? else { return None };
    login.token.as_str().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use delivery_ledger::{FailureReason, UnixMillis};

    use super::*;

    const WEBHOOK: &str = "62685990d918fb5557f9f992";

    fn read(json: &str) -> LogEntry {
        read_log_entry(json.as_bytes(), WEBHOOK.parse().expect("an id"))
    }

    fn own(json: &str) -> Attempt {
        match read(json) {
            LogEntry::Own(attempt) | LogEntry::UnderWay(attempt) => attempt,
            other @ (LogEntry::Foreign | LogEntry::Malformed) => panic!("{other:?}: {json}"),
        }
    }

    /// The documented entry in short, with this text in the place of one field, and these bytes behind all of them.
    fn odd(field: &str, value: &[u8]) -> Attempt {
        let mut json = Vec::new();
        for (name, sound) in [
            ("_id", r#""62742dd824c886d54e60f02b""#),
            ("createdAt", r#""2022-05-05T20:04:40.084Z""#),
            ("status", "503"),
            ("retry", "3"),
            ("response", r#""broken""#),
            ("event", r#"{"type":"COTTask","event":"edit","createdAt":"2022-05-05T19:54:29.924Z","data":{"_id":"t"}}"#),
            ("subscription", r#""62685990d918fb5557f9f992""#),
            ("__v", "0"),
        ] {
            json.push(if json.is_empty() { b'{' } else { b',' });
            json.extend_from_slice(format!("\"{name}\":").as_bytes());
            json.extend_from_slice(if name == field { value } else { sound.as_bytes() });
        }
        json.push(b'}');
        match read_log_entry(&json, WEBHOOK.parse().expect("an id")) {
            LogEntry::Own(attempt) => attempt,
            other @ (LogEntry::UnderWay(_) | LogEntry::Foreign | LogEntry::Malformed) => {
                panic!("{other:?}: {}", String::from_utf8_lossy(&json))
            }
        }
    }

    #[test]
    fn an_entry_counts_whatever_is_odd_about_what_is_not_needed() {
        let sound = odd("__v", b"0");
        assert_eq!((sound.retry, sound.outcome.status()), (3, Some(503)));
        for (field, value) in [
            ("response", &br#""cut \ud83d""#[..]),
            ("response", b"\"\xff\xfe\""),
            ("response", br#"{"a":1,"a":2}"#),
            ("__v", br#""\ud83d""#),
            ("__v", b"1e999"),
            ("__v", br#"0,"__v":1,"\ud83d":2"#),
            ("subscription", br#""\ud83d""#),
        ] {
            assert_eq!(odd(field, value), sound, "{field}: {}", String::from_utf8_lossy(value));
        }
        let data = br#"{"type":"COTTask","event":"edit","createdAt":"2022-05-05T19:54:29.924Z","data":{"name":"\ud83d","\udc00":1,"_id":"t","x":"\xff"}}"#;

        assert_eq!(odd("event", data), sound, "what was cut in the event's data");
    }

    #[test]
    fn a_field_that_cannot_be_read_has_no_value() {
        assert_eq!(odd("status", br#""\ud83d""#).outcome, Outcome::of(None, Some("broken")));
        assert_eq!(odd("status", b"200,\"status\":503").outcome, Outcome::of(None, Some("broken")), "given twice");
        assert_eq!(odd("retry", br#"3,"retry":3"#).retry, 0);
        assert_eq!(odd("createdAt", br#""\ud83d""#).at, UnixMillis::from_secs(1_651_781_080), "the id dates it");
        assert_eq!(odd("event", br#""\ud83d""#).event, None);
        let twice = read_log_entry(
            br#"{"_id":"62742dd824c886d54e60f02b","_id":"62742dd824c886d54e60f02b"}"#,
            WEBHOOK.parse().expect("an id"),
        );
        assert_eq!(twice, LogEntry::Malformed, "only an unusable id makes it so");
    }

    #[test]
    fn an_event_as_json_in_a_text_is_read() {
        let sound = odd("__v", b"0");
        let text = br#""{\"type\":\"COTTask\",\"event\":\"edit\",\"createdAt\":\"2022-05-05T19:54:29.924Z\",\"data\":{\"_id\":\"t\"}}""#;
        assert_eq!(odd("event", text), sound);
        let text =
            br#"{"type":"COTTask","event":"edit","createdAt":"2022-05-05T19:54:29.924Z","data":"{\"_id\":\"t\"}"}"#;
        assert_eq!(odd("event", text), sound);
        for none in [&b"null"[..], b"7", b"[]", br#""text""#, br#""7""#] {
            assert_eq!(odd("event", none).event, None, "{}", String::from_utf8_lossy(none));
        }
    }

    #[test]
    fn an_entry_with_neither_status_nor_response_is_under_way() {
        for fields in ["", r#","status":null,"response":null"#, r#","response":"""#, r#","response":" ""#] {
            let entry = read(&format!(r#"{{"_id":"62742dd824c886d54e60f02b"{fields}}}"#));
            let LogEntry::UnderWay(attempt) = entry else { panic!("{entry:?}: {fields}") };
            assert_eq!(attempt.outcome, Outcome::of(None, None));
        }
        for fields in [r#","status":7"#, r#","status":503"#, r#","response":"x""#, r#","response":"\ud83d""#] {
            let entry = read(&format!(r#"{{"_id":"62742dd824c886d54e60f02b"{fields}}}"#));
            assert!(matches!(entry, LogEntry::Own(_)), "{entry:?}: {fields}");
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
    fn an_entry_with_nothing_but_an_id_is_dated_by_the_id_and_fails_if_it_is_given_up() {
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
    fn an_entry_without_a_usable_id_is_malformed_and_that_of_another_webhook_is_foreign() {
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
        assert!(matches!(read(&filled_in), LogEntry::UnderWay(_)));
        let upper_case = format!(r#"{{"_id":"62742dd824c886d54e60f02b","subscription":"{}"}}"#, WEBHOOK.to_uppercase());
        assert!(matches!(read(&upper_case), LogEntry::UnderWay(_)));
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
    fn a_webhook_needs_an_id_and_nothing_else() {
        let webhook = read_webhook(format!(r#"{{"_id":"{WEBHOOK}"}}"#).as_bytes()).expect("a webhook");
        assert_eq!((webhook.label().as_str(), webhook.active), (WEBHOOK, true));
        for json in ["{}", "null", "[]", r#"{"_id":7}"#, "<html>"] {
            assert_eq!(read_webhook(json.as_bytes()), None, "{json}");
        }
        for (active, expected) in [("true", true), ("false", false), ("\"false\"", false), ("0", false), ("null", true)]
        {
            let json = format!(
                r#"{{"_id":"{WEBHOOK}","isActive":{active},"code":"wo","name":"Ó","url":"https://a:b@c.example/s3cret","__v":0}}"#
            );
            let webhook = read_webhook(json.as_bytes()).expect("a webhook");
            assert_eq!((webhook.active, webhook.label().as_str(), webhook.name.as_str()), (expected, "wo", "Ó"));
            assert_eq!(webhook.target_host, "c.example");
        }
    }

    #[test]
    fn a_login_gives_a_token_that_does_not_show() {
        let token = read_login(br#"{"token":"eyJ","user":{}}"#).expect("a token");
        assert_eq!((token.expose(), format!("{token} {token:?}").as_str()), ("eyJ", "[redacted] [redacted]"));
        assert_eq!(read_login(b"{}"), None);
    }
}
