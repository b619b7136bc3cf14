//! The vendor's types → core types.

use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, Outcome, Webhook, WebhookId, usable_status,
};

use super::host::target_host;
use super::lenient::Object;
use super::types::{WireAttempt, WireEvent, WireLogin, WireWebhook};
use crate::secret::Secret;

/// What one entry of a webhook's log turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEntry {
    /// An attempt of this webhook.
    Own(Attempt),
    /// An entry of another webhook.
    Foreign,
    /// No JSON object, or one without a usable `_id`.
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
    // The same time may be written in several ways; an unreadable one still tells events apart.
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

/// Reads one entry of the list, or the response of the by-id call; `None` if it is no object with a usable `_id`.
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

/// Reads the token in the response of the login; `None` if it has none.
#[must_use]
pub fn read_login(json: &[u8]) -> Option<Secret> {
    let Object(Some(login)) = serde_json::from_slice::<Object<WireLogin<'_>>>(json).ok()? else { return None };
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
