//! The vendor's types → core types.

use delivery_ledger::{Attempt, AttemptId, Event, Outcome, Webhook, WebhookId, usable_status};

use super::event::Told;
use super::host::target_host;
use super::lenient::Scalar;
use super::scan::{Cursor, Given};
use super::types::{WireAttempt, WireEvent, WireWebhook, read_token};
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
    let Some(entry) = Cursor::whole(json, |cursor| WireAttempt::read(cursor, read_event)) else {
        return LogEntry::Malformed;
    };
    if entry.subscription.value().object_id().is_some_and(|id| WebhookId(id) != webhook) {
        return LogEntry::Foreign;
    }
    let Some(id) = entry.id.value().object_id() else { return LogEntry::Malformed };
    let is_under_way = !is_said(&entry.status) && !is_said(&entry.response);
    let status = entry.status.value().integer().and_then(usable_status);
    let attempt = Attempt {
        id: AttemptId(id),
        at: entry.created_at.value().time().unwrap_or_else(|| id.made_at()),
        outcome: Outcome::of(status, entry.response.value().as_str()),
        retry: entry.retry.value().integer().map_or(0, |retry| u32::try_from(retry.max(0)).unwrap_or(u32::MAX)),
        event: entry.event.value(),
    };
    if is_under_way { LogEntry::UnderWay(attempt) } else { LogEntry::Own(attempt) }
}

/// Whether a field says anything, readable or not.
fn is_said(field: &Given<Scalar<'_>>) -> bool {
    match field {
        Given::Never => false,
        Given::Once(value) => !value.is_empty(),
        Given::Twice => true,
    }
}

fn read_event(event: WireEvent<'_>) -> Option<Event> {
    let written_at = event.created_at.value();
    let created_at = written_at.time();
    let odd_time = written_at.text();
    let subject = event.data_id.value().or_else(|| event.user_id.value());
    let [company, event_type, action] =
        [event.company, event.event_type, event.action].map(|given| given.value().text());
    let told = Told {
        company: company.as_deref(),
        event_type: event_type.as_deref(),
        action: action.as_deref(),
        created_at,
        odd_time: odd_time.as_deref(),
        subject: subject.as_deref(),
    };
    told.event()
}

/// Reads one entry of the list, or the response of the by-id call; `None` if it is no object with a usable `_id`.
#[must_use]
pub fn read_webhook(json: &[u8]) -> Option<Webhook> {
    let webhook = Cursor::whole(json, WireWebhook::read)?;
    Some(Webhook {
        id: WebhookId(webhook.id.value().object_id()?),
        company: webhook.company.value().short_text(),
        code: webhook.code.value().short_text(),
        name: webhook.name.value().short_text(),
        trigger: webhook.trigger.value().short_text(),
        target_host: webhook.url.value().text().as_deref().map_or_else(String::new, target_host),
        active: webhook.is_active.value().boolean().unwrap_or(true),
    })
}

/// Reads the token in the response of the login; `None` if it has none.
#[must_use]
pub fn read_login(json: &[u8]) -> Option<Secret> {
    Cursor::whole(json, read_token)?.as_str().map(Secret::new)
}

/// The key of the first array in the object that `head` begins with; `None` if it shows none. `head` may break off
/// anywhere.
#[must_use]
pub fn wrapping_key(head: &[u8]) -> Option<String> {
    let mut wrapping = None;
    let mut find = |cursor: &mut Cursor<'_>| {
        cursor.members(|key, cursor| {
            if cursor.peek()? == b'[' {
                wrapping = Some(String::from_utf8_lossy(key).into_owned());
                // All that was looked for is found.
                return None;
            }
            cursor.skip()
        })
    };
    let _ = Cursor::whole(head, |cursor| find(cursor));
    wrapping
}

#[cfg(test)]
mod tests {
    use delivery_ledger::{Action, EventKey, EventType, FailureReason, UnixMillis};

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
        assert_eq!(event.subject.map(|subject| subject.to_string()).as_deref(), Some("62742b7562f37034d9399914"));
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
            r#","createdAt":"\ud83d","status":1e999,"retry":"\ud83d","response":"","event":"{","subscription":"\ud83d""#,
            r#","createdAt":1e99,"status":2x,"retry":-1,"response":" ","event":{},"subscription":{}"#,
            r#","status":true,"retry":1.5,"response":[],"event":7,"subscription":"other""#,
            r#","status":200,"status":200,"retry":3,"retry":3,"event":{"type":"COTTask"}"#,
        ] {
            let attempt = own(&format!(r#"{{"_id":"62742dd824c886d54e60f02b"{rest}}}"#));
            assert_eq!(attempt.at, UnixMillis::from_secs(1_651_781_080), "{rest}");
            assert_eq!(attempt.outcome, Outcome::Failure { reason: FailureReason::Other, status: None }, "{rest}");
            assert_eq!((attempt.retry, attempt.event), (0, None), "{rest}");
        }
    }

    #[test]
    fn a_response_that_cannot_be_read_has_ended_the_attempt() {
        for response in [r#""\ud83d""#, r#""connect ETIMEDOUT \ud83d""#, r#""\x""#, r#""a","response":"b""#] {
            for (status, expected) in [
                ("null", Outcome::Failure { reason: FailureReason::Other, status: None }),
                ("409", Outcome::Failure { reason: FailureReason::Http4xx, status: Some(409) }),
                ("503", Outcome::Failure { reason: FailureReason::Http5xx, status: Some(503) }),
                ("200", Outcome::Success { status: 200 }),
            ] {
                let json = format!(r#"{{"_id":"62742dd824c886d54e60f02b","status":{status},"response":{response}}}"#);
                assert_eq!(own(&json).outcome, expected, "{json}");
            }
        }
        let json = b"{\"_id\":\"62742dd824c886d54e60f02b\",\"response\":\"\xff\xfe\",\"x\":\"\xff\",\"\xff\":1}";
        assert!(matches!(read_log_entry(json, WEBHOOK.parse().expect("an id")), LogEntry::Own(_)));
    }

    #[test]
    fn what_is_not_needed_may_be_anything() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        for odd in [r#""\ud83d""#, "1e999", "123456789012345678901234567890", "NaN", r#"{"\udc00":"\ud83d"}"#, &deep] {
            let json = format!(
                r#"{{"a":{odd},"\ud83d":{odd},"a":1,"_id":"62742dd824c886d54e60f02b","status":200,
                "event":{{"x":{odd},"\ud83d":1,"createdAt":"t","data":{{"x":{odd},"\ud83d":{odd},"_id":"d"}}}}}}"#
            );
            assert_eq!(
                own(&json).event.map(|event| event.key),
                Some(EventKey::of([None, None, None, Some("t"), Some("d")])),
                "{}",
                &odd[..odd.len().min(30)]
            );
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
            r#"{"_id":"\ud83d"}"#,
            r#"{"_id":"62742dd824c886d54e60f02b","_id":"62742dd824c886d54e60f02b"}"#,
            r#"{"_id":"62742dd824c886d54e60f02b" "status":200}"#,
            r#"{"_id":"62742dd824c886d54e60f02b","status":200,}"#,
            r#"{"_id":{"$oid":{"$oid":{"$oid":"62742dd824c886d54e60f02b"}}}}"#,
        ] {
            assert_eq!(read(json), LogEntry::Malformed, "{json}");
        }
        for other in [r#""62685990d918fb5557f9f993""#, r#"{"$oid":"62685990D918fb5557f9f993"}"#] {
            let json = format!(r#"{{"_id":"62742dd824c886d54e60f02b","subscription":{other}}}"#);
            assert_eq!(read(&json), LogEntry::Foreign, "{json}");
        }
        for this in [
            format!(r#"{{"code":"a","_id":"{WEBHOOK}"}}"#),
            format!(r#"{{"code":"a","_id":{{"$oid":"{WEBHOOK}"}}}}"#),
            format!(r#""{}""#, WEBHOOK.to_uppercase()),
            r#""other""#.to_owned(),
            "7".to_owned(),
        ] {
            let json = format!(r#"{{"_id":"62742dd824c886d54e60f02b","status":200,"subscription":{this}}}"#);
            assert!(matches!(read(&json), LogEntry::Own(_)), "{json}");
        }
    }

    #[test]
    fn an_id_may_be_in_upper_case_or_extended_json() {
        for id in [
            r#""62742DD824C886D54E60F02B""#,
            r#"{"$oid":"62742dd824c886d54e60f02b"}"#,
            r#"" 62742dd824c886d54e60f02b""#,
        ] {
            let attempt = own(&format!(r#"{{"\u005fid":{id},"status":200}}"#));
            assert_eq!(attempt.id.to_string(), "62742dd824c886d54e60f02b", "{id}");
        }
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
            (r#"{"$date":"2022-05-05T20:04:40.084Z"}"#, 1_651_781_080_084),
            (r#"{"$date":{"$numberLong":"1651781080084"}}"#, 1_651_781_080_084),
        ] {
            let attempt = own(&format!(r#"{{"_id":"62742dd824c886d54e60f02b","status":200,"createdAt":{text}}}"#));
            assert_eq!(attempt.at.as_millis(), expected, "{text}");
        }
    }

    fn key(event: &str) -> EventKey {
        own(&format!(r#"{{"_id":"62742dd824c886d54e60f02b","status":200,"event":{event}}}"#))
            .event
            .expect("an event")
            .key
    }

    #[test]
    fn an_event_may_be_json_in_a_string() {
        let event = r#"{"company":"c","type":"COTTask","event":"edit","createdAt":"2022-05-05T20:04:40.084Z","data":{"_id":"t"}}"#;
        let quoted = |json: &str| serde_json::Value::from(json).to_string();
        assert_eq!(key(event), key(&quoted(event)));
        let data = quoted(r#"{"_id":{"$oid":"t"},"name":"\ud83d"}"#);
        let inner = event.replace(r#"{"_id":"t"}"#, &data);
        assert_eq!(key(event), key(&inner));
        assert_eq!(key(event), key(&quoted(&inner)));
        assert_ne!(key(event), key(&quoted(&event.replace(r#"{"_id":"t"}"#, &quoted("{} {\"_id\":\"t\"}")))));
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
        for rest in [r#"{} "#, "]", "x"] {
            assert_eq!(read_webhook(format!(r#"{{"_id":"{WEBHOOK}"}}{rest}"#).as_bytes()), None, "{rest}");
        }
        let odd = format!(
            "\u{feff}{{\"_id\":{{\"$oid\":\"{WEBHOOK}\"}},\"name\":\"\\ud83d\",\"code\":\"a\",\"code\":\"b\",\"x\":1e999}}"
        );
        let webhook = read_webhook(odd.as_bytes()).expect("a webhook");
        assert_eq!((webhook.label().as_str(), webhook.name.as_str()), (WEBHOOK, ""));
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
        assert_eq!(read_login(br#"{"token":"a","token":"b"}"#), None);
    }

    #[test]
    fn the_first_array_in_an_object_is_found_in_its_beginning() {
        for (head, expected) in [
            (r#"{"data":["#, Some("data")),
            (r#"{"total":3,"next":{"page":[1]},"rows" : [{"a":"b"#, Some("rows")),
            ("\u{feff}{\"data\":[]}", Some("data")),
            (r#"{"message":"no"}"#, None),
            (r#"{"data":"#, None),
            (r#"{"da"#, None),
            ("{", None),
        ] {
            assert_eq!(wrapping_key(head.as_bytes()).as_deref(), expected, "{head}");
        }
    }
}
