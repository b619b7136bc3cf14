//! Reads plain entries, which nearly all are, in a single pass: each member once, written in the one way in which the API
//! writes it.
//!
//! [`super::read::read_log_entry`] reads whatever an entry may be. Here an entry is given up at the first thing that is not
//! plain, and left to that reader. So only one thing must hold: what is read here, it reads the same.
//!
//! Of the entry, its event, `data` and `extraData` each member is looked at: a key without escapes, a colon, a value. Of
//! values that nobody needs, texts must end, brackets must have their partners, and anything else must be made of letters,
//! digits and signs. The other reader asks for no more: numbers, escapes and UTF-8 in what is passed over are nothing to
//! either of them. Needed texts are decoded by the same function as there.

use delivery_ledger::{Attempt, AttemptId, Event, ObjectId, Outcome, UnixMillis, WebhookId, usable_status};

use super::event::Told;
use super::iso_time::read_iso_time;
use super::read::LogEntry;
use super::scan::decode;
use super::walk::Walk;

/// Longer numbers are left to others. All of nine digits fit in 32 bits.
const LONGEST_NUMBER: usize = 9;

/// Reads the entry of the log of `webhook` that `bytes` begin with, and says how long it is; `None` if it does not end in
/// them or is not plain.
#[must_use]
pub fn read_plain_entry(bytes: &[u8], webhook: WebhookId) -> Option<(LogEntry, usize)> {
    let mut walk = Walk::new(bytes);
    let (mut id, mut subscription, mut at, mut status, mut retry, mut response, mut event) =
        (None, None, None, None, None, None, None);
    let mut key = walk.first_key()?;
    while let Some(this) = key {
        match walk.name(this) {
            b"_id" => once(&mut id, object_id(&mut walk)?)?,
            b"subscription" => once(&mut subscription, object_id(&mut walk)?)?,
            b"createdAt" => once(&mut at, time(&mut walk)?)?,
            b"status" => once(&mut status, number(&mut walk)?)?,
            b"retry" => once(&mut retry, number(&mut walk)?)?,
            b"response" => once(&mut response, text(&mut walk)?)?,
            b"event" => once(&mut event, read_event(&mut walk)?)?,
            _ => walk.skip()?,
        }
        key = walk.next_key()?;
    }
    let length = walk.passed();
    if subscription.is_some_and(|id| WebhookId(id) != webhook) {
        return Some((LogEntry::Foreign, length));
    }
    // An entry with a number there is not under way.
    let status = usable_status(status?.into());
    let mut outcome = Outcome::of(status, None);
    // A success is one whatever was responded.
    if !outcome.is_success() {
        outcome = Outcome::of(status, response.flatten().and_then(decode).as_deref());
    }
    let attempt = Attempt { id: AttemptId(id?), at: at?, outcome, retry: retry.unwrap_or(0), event: event? };
    Some((LogEntry::Own(attempt), length))
}

/// Takes an event; `None` in it if nothing tells it from others.
fn read_event(walk: &mut Walk<'_>) -> Option<Option<Event>> {
    // A copy, so that it can live in registers.
    let mut inner = *walk;
    let (mut company, mut event_type, mut action, mut created_at, mut data_id, mut user_id) =
        (None, None, None, None, None, None);
    let mut key = inner.first_key()?;
    while let Some(this) = key {
        match inner.name(this) {
            b"company" => once(&mut company, text(&mut inner)?)?,
            b"type" => once(&mut event_type, text(&mut inner)?)?,
            b"event" => once(&mut action, text(&mut inner)?)?,
            b"createdAt" => once(&mut created_at, time(&mut inner)?)?,
            b"data" => once(&mut data_id, text_in(&mut inner, b"_id")?)?,
            b"extraData" => once(&mut user_id, text_in(&mut inner, b"userId")?)?,
            _ => inner.skip()?,
        }
        key = inner.next_key()?;
    }
    *walk = inner;
    let [company, event_type, action] = [company, event_type, action].map(|text| text.flatten().and_then(decode));
    let subject = data_id.flatten().and_then(decode).or_else(|| user_id.flatten().and_then(decode));
    let told = Told {
        company: company.as_deref(),
        event_type: event_type.as_deref(),
        action: action.as_deref(),
        created_at: Some(created_at?),
        odd_time: None,
        subject: subject.as_deref(),
    };
    Some(told.event())
}

/// The value of a key, which must not have one yet.
#[inline(always)]
fn once<T>(value: &mut Option<T>, given: T) -> Option<()> {
    value.replace(given).is_none().then_some(())
}

/// A text with its quotes, or `null`.
#[inline(always)]
fn text<'a>(walk: &mut Walk<'a>) -> Option<Option<&'a [u8]>> {
    match walk.peek()? {
        b'"' => walk.text().map(Some),
        _ => (walk.word()? == b"null").then_some(None),
    }
}

/// The text of one member of an object; the object, or the text, may be `null` or missing.
#[inline(always)]
fn text_in<'a>(walk: &mut Walk<'a>, name: &[u8]) -> Option<Option<&'a [u8]>> {
    if walk.peek()? != b'{' {
        return (walk.word()? == b"null").then_some(None);
    }
    let (behind, found) = text_in_object(*walk, name)?;
    *walk = behind;
    Some(found)
}

/// The same of what is an object. Most of an entry is passed here.
#[inline(never)]
fn text_in_object<'a>(walk: Walk<'a>, name: &[u8]) -> Option<(Walk<'a>, Option<&'a [u8]>)> {
    // A copy, so that it can live in registers.
    let mut walk = walk;
    let mut found = None;
    let mut key = walk.first_key()?;
    while let Some(this) = key {
        if walk.is_name(this, name) {
            once(&mut found, text(&mut walk)?)?;
        } else {
            walk.skip()?;
        }
        key = walk.next_key()?;
    }
    Some((walk, found.flatten()))
}

#[inline(always)]
fn object_id(walk: &mut Walk<'_>) -> Option<ObjectId> {
    let [b'"', digits @ .., b'"'] = walk.text()? else { return None };
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[inline(always)]
fn time(walk: &mut Walk<'_>) -> Option<UnixMillis> {
    let [b'"', time @ .., b'"'] = walk.text()? else { return None };
    read_iso_time(time.try_into().ok()?)
}

/// A whole number that is not negative.
#[inline(always)]
fn number(walk: &mut Walk<'_>) -> Option<u32> {
    let digits = walk.word()?;
    // JSON has no numbers that begin with zeros.
    if digits.len() > LONGEST_NUMBER || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    digits.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::super::read::read_log_entry;
    use super::*;

    const WEBHOOK: &str = "62685990d918fb5557f9f992";

    const PLAIN: &str = r#"{"_id":"62742dd824c886d54e60f02b","createdAt":"2022-05-05T20:04:40.084Z","status":409,"retry":3,"response":"socket hang up \"now\"","event":{"type":"COTTask","event":"edit","createdAt":"2022-05-05T19:54:29.924Z","extraData":null,"data":{"list":[1,["]"],{}],"_id":"62742b7562f37034d9399914","more":{"a":[]}}},"subscription":"62685990d918fb5557f9f992","__v":0}"#;

    fn read(json: &str) -> Option<(LogEntry, usize)> {
        read_plain_entry(json.as_bytes(), WEBHOOK.parse().expect("an id"))
    }

    #[test]
    fn a_plain_entry_is_read_up_to_its_end_as_any_entry_is() {
        let expected = read_log_entry(PLAIN.as_bytes(), WEBHOOK.parse().expect("an id"));
        for rest in ["", ",", "]", " ,{\"_id\":\"", "\\\"", &"\"".repeat(100)] {
            assert_eq!(read(&format!("{PLAIN}{rest}")), Some((expected.clone(), PLAIN.len())), "{rest}");
        }
        for end in 0..PLAIN.len() {
            assert_eq!(read(&PLAIN[..end]), None, "{}", &PLAIN[..end]);
        }
        let foreign = PLAIN.replace(WEBHOOK, "62685990d918fb5557f9f993");
        assert_eq!(read(&foreign), Some((LogEntry::Foreign, PLAIN.len())));
    }

    #[test]
    fn what_is_not_plain_is_left_to_others() {
        for (plain, odd) in [
            ("\"_id\":", "\"\\u005fid\":"),
            ("\"retry\":3", "\"retry\":3,\"retry\":3"),
            ("\"retry\":3", "\"retry\":\"3\""),
            ("\"retry\":3", "\"retry\":03"),
            ("\"retry\":3", "\"retry\":-0"),
            ("\"retry\":3", "\"retry\":3000000000"),
            ("\"retry\":3", "\"retry\":3 4"),
            ("\"retry\":3", "\"retry\":"),
            ("\"retry\":3", "\"x\":\\"),
            ("\"retry\":3", "\"x\":nul_l"),
            ("\"retry\":3", "\"x\":[1}]"),
            ("\"retry\":3", "\"x\":[{]"),
            ("\"retry\":3", "\"x\":[[\\\"]\"]]"),
            ("\"retry\":3", "\"x\":[[\\\"]]"),
            ("\"retry\":3,", "\"retry\":3"),
            ("409", "\"409\""),
            ("409", "null"),
            ("409", "4.09e2"),
            ("84Z\"", "84+00:00\""),
            ("19:54", "24:54"),
            ("\"response\":\"", "\"response\":{},\"x\":\""),
            ("\"list\":[1,", "\"list\":[1 "),
            ("\"list\":[1,", "\"li\\u0073t\":[1,"),
            ("\"_id\":\"62742b", "\"_id\":1,\"_id\":\"62742b"),
            ("\"62742b7562f37034d9399914\"", "{\"$oid\":\"62742b7562f37034d9399914\"}"),
            ("\"62742dd8", "\" 62742dd8"),
        ] {
            let json = PLAIN.replace(plain, odd);
            assert_ne!(json, PLAIN, "{plain}");
            assert_eq!(read(&json), None, "{json}");
        }
        // `Nesting` remembers what opened the outermost 64 brackets, and the walk over a value no more than that.
        for (levels, is_plain) in [(48, true), (49, false), (70, false)] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\"a\":", "]")] {
                let deep = format!("\"x\":[[{}1{}]],\"retry\":3", open.repeat(levels - 1), close.repeat(levels - 1));
                let json = PLAIN.replace("\"retry\":3", &deep);
                assert_eq!(read(&json).is_some(), is_plain && (open == "[") == (close == "]"), "{json}");
            }
        }
        let event = PLAIN.find("{\"type").expect("an event")..PLAIN.find(",\"subscription").expect("what is behind it");
        for odd in ["null", "\"{}\"", "[]", "{}", "{\"createdAt\":\"2022-05-05T19:54:29.924Z\",\"data\":\"{}\"}"] {
            let mut json = PLAIN.to_owned();
            json.replace_range(event.clone(), odd);
            assert_eq!(read(&json), None, "{json}");
        }
    }
}
