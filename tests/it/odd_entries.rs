//! Entries with something in them that cannot be read: whatever it is, an attempt counts, and so does what it says.

use std::time::Duration;

use cotalker_webhook_exporter::api::credentials::Credentials;
use delivery_ledger::WebhookId;
use test_harness::{Daemon, MetricsPage, Setup};

use crate::responder::{Reaction, Responder, response};

/// A failed last attempt, with this JSON in the place of one member; a member of any other name comes behind the rest.
fn entry(name: &str, json: &[u8]) -> Vec<u8> {
    let mut members = vec![
        ("_id", br#""62742dd824c886d54e60f02b""#.to_vec()),
        ("createdAt", br#""2022-05-05T20:04:40.084Z""#.to_vec()),
        ("status", b"503".to_vec()),
        ("retry", b"3".to_vec()),
        ("response", br#""broken""#.to_vec()),
        (
            "event",
            br#"{"type":"COTTask","event":"edit","createdAt":"2022-05-05T19:54:29.924Z","data":{"_id":"t"}}"#.to_vec(),
        ),
    ];
    match members.iter_mut().find(|(known, _)| *known == name) {
        Some((_, value)) => *value = json.to_vec(),
        None => members.push((name, json.to_vec())),
    }
    let members: Vec<Vec<u8>> =
        members.iter().map(|(name, value)| [b"\"", name.as_bytes(), b"\":", value.as_slice()].concat()).collect();
    [b"{".as_slice(), &members.join(&b","[..]), b"}"].concat()
}

fn event(rest: &[u8]) -> Vec<u8> {
    let head = br#"{"type":"COTTask","event":"edit","createdAt":"2022-05-05T19:54:29.924Z","#;
    entry("event", &[head.as_slice(), rest, b"}"].concat())
}

fn id(number: usize) -> WebhookId {
    format!("62685990d918fb55{number:08x}").parse().expect("an id")
}

/// An exporter with time for long responses on a busy machine.
fn patient(responder: &Responder) -> Setup {
    Setup::at(&responder.base_url(), Credentials::Anonymous).api(|api| api.timeout = Duration::from_secs(300))
}

/// An exporter for an account whose webhooks have one of these logs each; all of them have names that cannot be read.
async fn daemon_of(logs: Vec<Vec<u8>>) -> (Responder, Daemon) {
    let list: Vec<String> = (0..logs.len())
        .map(|number| format!(r#"{{"_id":"{}","name":"cut \ud83d","code":"a","code":"b","x":1e999}}"#, id(number)))
        .collect();
    let list = format!("\u{feff}[{}]", list.join(","));
    let responder = Responder::start(move |_, head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let log = (0..logs.len()).find(|number| path.ends_with(&format!("/logs/{}", id(*number))));
        Reaction::Send(response("200 OK", &[], log.map_or(list.as_bytes(), |number| &logs[number])))
    })
    .await;
    let daemon = patient(&responder).start().await;
    (responder, daemon)
}

/// Its metrics once it has read all of them.
async fn page_of(logs: Vec<Vec<u8>>) -> MetricsPage {
    let webhooks = logs.len();
    let (_responder, daemon) = daemon_of(logs).await;
    // Long ones take longer than a poll.
    let all = f64::from(u32::try_from(webhooks).expect("few"));
    daemon.wait_for("all logs", |page| page.sum("cotalker_webhook_up", &[]) == Some(all)).await
}

fn log_of(entry: &[u8]) -> Vec<u8> {
    [b"[", entry, b"]"].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_counts_whatever_cannot_be_read_in_it() {
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let odd: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing odd", entry("__v", b"0"), "http_5xx"),
        ("half an emoji in the response", entry("response", br#""cut \ud83d""#), "http_5xx"),
        ("half an emoji in a key", entry("\\ud83d", b"1"), "http_5xx"),
        ("half an emoji in a value of the event's data", event(br#""data":{"name":"\ud83d","_id":"t"}"#), "http_5xx"),
        ("half an emoji in a key of the event's data", event(br#""data":{"\ud83d":1,"_id":"t"}"#), "http_5xx"),
        ("half an emoji in the date", entry("createdAt", br#""\ud83d""#), "http_5xx"),
        ("half an emoji in the webhook's id", entry("subscription", br#""\ud83d""#), "http_5xx"),
        ("bytes that are no UTF-8 in the response", entry("response", b"\"\xff\xfe\""), "http_5xx"),
        ("bytes that are no UTF-8 in the event", event(b"\"company\":\"\xff\",\"data\":{\"_id\":\"t\"}"), "http_5xx"),
        ("a key twice", entry("a", br#"1,"a":2"#), "http_5xx"),
        ("a needed key twice", entry("response", br#""a","response":"b""#), "http_5xx"),
        ("the status twice", entry("status", br#"503,"status":503"#), "other"),
        ("the event twice", entry("event", br#"{},"event":{}"#), "http_5xx"),
        ("a key of the event twice", event(br#""company":"a","company":"b","data":{"_id":"t"}"#), "http_5xx"),
        ("deep nesting", entry("a", &deep), "http_5xx"),
        ("deep nesting in a needed field", entry("response", &deep), "http_5xx"),
        ("a number out of range", entry("a", b"1e999"), "http_5xx"),
        ("a status out of range", entry("status", b"1e999"), "other"),
        ("a huge date", entry("createdAt", b"123456789012345678901234567890"), "http_5xx"),
        ("a status in quotes", entry("status", br#""503""#), "http_5xx"),
        ("a status in floating point", entry("status", b"5.03e2"), "http_5xx"),
        ("a status of the wrong type", entry("status", b"true"), "other"),
        ("a 409 whose response cannot be read", entry("status", b"409,\"response\":\"\xff\""), "http_4xx"),
        ("a retry in quotes", entry("retry", br#""3""#), "http_5xx"),
        ("no event", entry("event", b"null"), "http_5xx"),
        ("an event that is a number", entry("event", b"7"), "http_5xx"),
        ("an event of nothing", entry("event", b"{}"), "http_5xx"),
        ("an event in a text", entry("event", br#""{\"createdAt\":\"x\",\"data\":\"{}\"}""#), "http_5xx"),
        ("an id in extended JSON", entry("_id", br#"{"$oid":"62742dd824c886d54e60f02b"}"#), "http_5xx"),
        ("an id in upper case", entry("_id", br#""62742DD824C886D54E60F02B""#), "http_5xx"),
    ];
    let page = page_of(odd.iter().map(|(_, entry, _)| log_of(entry)).collect()).await;
    for (number, (what, _, reason)) in odd.iter().enumerate() {
        let of = |family| page.of(id(number), family);
        assert_eq!((of("delivery_attempts_total"), of("events_lost_total")), (Some(1.0), Some(1.0)), "{what}");
        let reason = format!("reason=\"{reason}\"");
        assert_eq!(page.with(id(number), "delivery_failures_total", &reason), Some(1.0), "{what}");
        assert_eq!((of("log_window_entries"), of("up")), (Some(1.0), Some(1.0)), "{what}");
    }
    assert_eq!(page.sum("cotalker_webhooks_malformed", &[]), Some(0.0));
}

/// Far larger than any text that has a value.
const LONG: usize = 40 * 1024 * 1024;

/// Larger than any entry that is kept as a whole.
const MANY: usize = 3 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_counts_however_long_it_is() {
    let text = [b"\"".as_slice(), &b"x".repeat(LONG), b"\""].concat();
    let members = br#""a":[1,{"_id":"no"}],"#.repeat(MANY / 20);
    let array = [b"[".as_slice(), &b"0,".repeat(MANY / 2), b"0]"].concat();
    let long: Vec<(&str, Vec<u8>)> = vec![
        ("a response", entry("response", &text)),
        ("a text in the event's data", event(&[br#""data":{"a":"#.as_slice(), &text, br#","_id":"t"}"#].concat())),
        ("members of the event's data", event(&[br#""data":{"#.as_slice(), &members, br#""_id":"t"}"#].concat())),
        ("an array in the event", event(&[br#""diff":"#.as_slice(), &array, br#","data":{"_id":"t"}"#].concat())),
        ("a member that nobody knows", entry("a", &array)),
    ];
    let page = page_of(long.iter().map(|(_, entry)| log_of(entry)).collect()).await;
    for (number, (what, entry)) in long.iter().enumerate() {
        assert!(entry.len() > MANY, "{what}");
        let of = |family| page.of(id(number), family);
        assert_eq!((of("delivery_attempts_total"), of("events_lost_total")), (Some(1.0), Some(1.0)), "{what}");
        for (family, labels) in [
            ("delivery_failures_total", "reason=\"http_5xx\""),
            ("events_total", "event_type=\"COTTask\",action=\"edit\""),
            ("log_window_entries", "result=\"failed\""),
        ] {
            assert_eq!(page.with(id(number), family, labels), Some(1.0), "{what}: {family}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_watched_however_long_its_description_is() {
    let long = "x".repeat(LONG);
    let list = format!(r#"[{{"description":"{long}","name":"{long}","code":"c","_id":"{}"}}]"#, id(0));
    let log = log_of(&entry("__v", b"0"));
    let responder = Responder::start(move |_, head| {
        let is_log = head.contains("/logs/");
        Reaction::Send(response("200 OK", &[], if is_log { &log } else { list.as_bytes() }))
    })
    .await;
    let daemon = patient(&responder).start().await;
    let page = daemon.wait_for("its log", |page| page.of(id(0), "up") == Some(1.0)).await;
    assert_eq!(page.with(id(0), "info", "webhook=\"c\",name=\"\""), Some(1.0));
    assert_eq!(page.of(id(0), "delivery_attempts_total"), Some(1.0));
    assert_eq!(page.sum("cotalker_webhooks_malformed", &[]), Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_read_by_its_id_is_watched_however_long_its_description_is() {
    let long = "x".repeat(LONG);
    let described = format!(r#"{{"description":"{long}","name":"{long}","code":"c","_id":"{}"}}"#, id(0));
    let log = log_of(&entry("__v", b"0"));
    let responder = Responder::start(move |_, head| {
        let is_log = head.contains("/logs/");
        Reaction::Send(response("200 OK", &[], if is_log { &log } else { described.as_bytes() }))
    })
    .await;
    let daemon = patient(&responder).poller(|poller| poller.ids = vec![id(0)]).start().await;
    let page = daemon.wait_for("its log", |page| page.of(id(0), "up") == Some(1.0)).await;
    assert_eq!(page.with(id(0), "info", "webhook=\"c\",name=\"\""), Some(1.0));
    assert_eq!(page.of(id(0), "delivery_attempts_total"), Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_unusable_id_makes_an_entry_malformed() {
    let odd: [(&str, &[u8]); 6] = [
        ("half an emoji", br#""\ud83d""#),
        ("twice", br#""62742dd824c886d54e60f02b","_id":"62742dd824c886d54e60f02b""#),
        ("no UTF-8", b"\"\xff2742dd824c886d54e60f02b\""),
        ("null", b"null"),
        ("a number", b"62742"),
        ("too short", br#""62742dd824c886d54e60f02""#),
    ];
    let log = |json: &[u8]| log_of(&[&entry("_id", json)[..], b",", &entry("__v", b"0")].concat());
    let page = page_of(odd.iter().map(|(_, json)| log(json)).collect()).await;
    for (number, (what, _)) in odd.iter().enumerate() {
        let entries = |result: &str| page.with(id(number), "log_window_entries", &format!("result=\"{result}\""));
        assert_eq!((entries("malformed"), entries("failed")), (Some(1.0), Some(1.0)), "{what}");
        assert_eq!(page.of(id(number), "delivery_attempts_total"), Some(1.0), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_nothing_tells_apart_are_each_one_of_their_own() {
    let one = |id: &str, event: &str| {
        format!(r#"{{"_id":"{id}","status":503,"retry":3,"response":"broken","event":{event}}}"#)
    };
    let log = |event: &str| {
        let entries = [one("62742dd824c886d54e60f02b", event), one("62742dd824c886d54e60f02c", event)];
        format!("[{}]", entries.join(",")).into_bytes()
    };
    let told = r#"{"type":"COTTask","event":"edit","createdAt":"2022-05-05T19:54:29.924Z","data":{"_id":"t"}}"#;
    let odd = ["{}", r#"{"type":"COTTask","event":"edit"}"#, r#"{"createdAt":"\ud83d","data":{"_id":"\ud83d"}}"#];
    let page = page_of(odd.into_iter().chain([told]).map(log).collect()).await;
    for (number, event) in odd.iter().enumerate() {
        assert_eq!(page.of(id(number), "events_lost_total"), Some(2.0), "{event}");
    }
    assert_eq!(page.of(id(odd.len()), "events_lost_total"), Some(1.0), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_is_no_array_of_sound_brackets_changes_nothing() {
    let sound = String::from_utf8(entry("__v", b"0")).expect("text");
    let odd = [
        format!("[{sound},{{\"a\":[1}}]]"),
        format!("[{sound},{{]"),
        format!("[{sound},1}}]"),
        format!("[{sound}"),
        format!("{{\"data\":[{sound}]}}"),
        format!("{{\"total\":1,\"rows\":[{sound}]}}"),
    ];
    let (_responder, daemon) = daemon_of(odd.iter().map(|log| log.clone().into_bytes()).collect()).await;
    let page = daemon.wait_for("a poll", |page| page.polls("partial") >= 1.0).await;
    for (number, log) in odd.iter().enumerate() {
        let of = |family| page.of(id(number), family);
        assert_eq!((of("up"), of("delivery_attempts_total")), (Some(0.0), Some(0.0)), "{log}");
    }
    assert_eq!(page.failures("logs"), ["malformed"]);
}
