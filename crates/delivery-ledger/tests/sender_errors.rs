//! docs/specification.md, rule 6: which reason a text of the log gives, held against texts that senders and receivers write.
//!
//! - `sender-errors/cases.json`: sentences of Node.js HTTP clients with the reason that the specification demands of each, and
//!   receivers' own responses. Collected from the clients' sources and bug reports when rule 6 was written.
//! - `sender-errors/recorded.json`: what real clients printed when a delivery was made to fail, with the reason that is true
//!   because of how it was made to. Written by `scripts/record-sender-errors`; node is not needed here.

use std::collections::{BTreeMap, BTreeSet};

use delivery_ledger::Outcome;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    texts: Vec<Case>,
    controls: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
struct Case {
    text: String,
    want: String,
}

#[derive(Deserialize)]
struct Recording {
    nodes: BTreeMap<String, String>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    way: String,
    reason: String,
    /// What the receiver said, where it said something.
    status: Option<u16>,
    text: String,
    /// Field of the error → client → versions of Node.js.
    printed: BTreeMap<String, BTreeMap<String, String>>,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("sender-errors/cases.json")).expect("the cases are JSON")
}

fn recording() -> Recording {
    serde_json::from_str(include_str!("sender-errors/recorded.json")).expect("the recording is JSON")
}

/// The two ways in which the log tells that there was no response.
const NO_RESPONSE: [Option<u16>; 2] = [Some(409), None];

fn outcome(status: Option<u16>, text: &str) -> (&'static str, Option<u16>) {
    match Outcome::of(status, Some(text)) {
        Outcome::Failure { reason, status } => (reason.as_str(), status),
        Outcome::Success { .. } => panic!("{text:?} with {status:?} is a success"),
    }
}

/// A receiver's response: with 409 its own 409, without a usable status nothing that is known.
fn assert_is_the_receivers(text: &str) {
    assert_eq!(outcome(Some(409), text), ("http_4xx", Some(409)), "{text:?}");
    assert_eq!(outcome(None, text), ("other", None), "{text:?}");
}

/// The status that a sentence of the cases names, if its reason comes from one.
fn named_status(case: &Case) -> Option<u16> {
    let number = case.text.split([' ', ')']).find(|word| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit()));
    number.filter(|_| case.want.starts_with("http_"))?.parse().ok()
}

#[test]
fn the_cases_are_right_line_by_line() {
    let Cases { texts, controls } = cases();
    assert_eq!((texts.len(), controls.len()), (57, 5));
    for case in &texts {
        for status in NO_RESPONSE {
            assert_eq!(
                outcome(status, &case.text),
                (case.want.as_str(), named_status(case)),
                "{status:?} {:?}",
                case.text
            );
        }
    }
    for case in &controls {
        assert_eq!(case.want, "http_4xx");
        assert_is_the_receivers(&case.text);
    }
}

/// Texts of which the recording shows that the client prints them for several causes, or for one that it does not name, and
/// what is made of each. The end of the first line counts: a class or a wrapper may stand in front.
const CAUSE_NOT_TOLD: &[(&str, &str)] = &[
    // The built-in fetch keeps the cause of these two in `cause`.
    ("fetch failed", "other"),
    ("terminated", "reset"),
    // All tries of a name failed, and the error has no message of its own. An empty text is a receiver's empty body.
    ("", "http_4xx"),
    ("AggregateError", "other"),
    ("RequestError", "other"),
    ("failed, reason:", "other"),
    // needle says its own timeouts like this, and waits for the rest of a body that was cut until its timeout.
    ("socket hang up", "reset"),
    ("read timeout", "timeout"),
    // axios says its own timeout like this while it reads the body.
    ("stream has been aborted", "reset"),
    ("maxContentLength size of -1 exceeded", "reset"),
    // A client that gives up by a signal does not say that the signal was a timeout's.
    ("Request aborted", "other"),
    ("The operation was aborted.", "other"),
    // Servers that refuse a TLS handshake by closing, and clients that see the closing first.
    ("Client network socket disconnected before secure TLS connection was established", "reset"),
    ("other side closed", "reset"),
    // A malformed end of a chunked body.
    ("Premature close", "reset"),
    // superagent says a status by its phrase; this one a receiver says itself.
    ("Found", "http_4xx"),
    // Words that a receiver says itself.
    ("invalid X-Name header", "http_4xx"),
    ("ABORTED", "http_4xx"),
    // Codes that are given to several kinds of failure.
    ("ECONNRESET", "reset"),
    ("ERR_BAD_REQUEST", "other"),
    ("ERR_BAD_RESPONSE", "other"),
    ("ERR_NON_2XX_3XX_RESPONSE", "other"),
    ("ERR_STREAM_PREMATURE_CLOSE", "reset"),
    ("UND_ERR_ABORTED", "other"),
    ("UND_ERR_RESPONSE_STATUS_CODE", "other"),
    ("UND_ERR_SOCKET", "reset"),
];

fn cause_not_told(text: &str) -> Option<(&'static str, &'static str)> {
    let line = text.lines().next().unwrap_or_default().trim_end();
    CAUSE_NOT_TOLD.iter().copied().find(|(end, _)| {
        let before = line.strip_suffix(end);
        before.is_some_and(|before| before.is_empty() || (!end.is_empty() && before.ends_with(' ')))
    })
}

/// The phrases of the 400s, which superagent prints and every receiver may say: with 409 `http_4xx` as well.
fn is_phrase(row: &Row) -> bool {
    let line = row.text.lines().next().unwrap_or_default();
    row.reason == "http_4xx" && row.way.ends_with(line.trim_start_matches("Error: "))
}

#[test]
fn what_real_clients_print_gives_the_true_reason() {
    let mut used = BTreeSet::new();
    for row in &recording().rows {
        let Row { way, text, reason, status, .. } = row;
        let (got, code) = outcome(Some(409), text);
        match cause_not_told(text).filter(|_| got != reason) {
            Some((end, taken)) => {
                assert_eq!(got, taken, "{way}: {text:?}");
                used.insert(end);
            }
            None => assert_eq!(got, reason, "{way}: {text:?}"),
        }
        // The receiver's status is known only from a sentence that names it.
        match (got, code) {
            ("http_4xx", Some(409)) => {
                assert!(is_phrase(row) || cause_not_told(text).is_some(), "{way}: {text:?}");
                assert_eq!(outcome(None, text), ("other", None), "{way}: {text:?}");
            }
            _ => {
                assert!(code.is_none() || code == *status, "{way}: {text:?} {code:?}");
                assert_eq!(outcome(None, text), (got, code), "{way}: {text:?}");
            }
        }
    }
    let listed: BTreeSet<_> = CAUSE_NOT_TOLD.iter().map(|(end, _)| *end).collect();
    assert_eq!(used, listed, "a text whose cause is told has no place in the list");
}

#[test]
fn the_recording_has_every_client_fail_in_at_least_sixty_ways() {
    let Recording { nodes, rows } = recording();
    let mut ways: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        for client in row.printed.values().flat_map(BTreeMap::keys) {
            ways.entry(client.split(' ').next().unwrap_or_default()).or_default().insert(&row.way);
        }
    }
    let clients: Vec<_> = ways.keys().copied().collect();
    assert_eq!(clients, ["axios", "fetch", "got", "http", "needle", "node-fetch", "request", "superagent", "undici"]);
    assert!(ways.values().all(|ways| ways.len() >= 60), "{ways:?}");
    assert_eq!(nodes.len(), 4);
}

#[test]
fn a_cause_that_is_printed_with_the_error_is_found() {
    for (text, want) in [
        ("fetch failed: connect ECONNREFUSED 127.0.0.1:1", "refused"),
        ("TypeError: fetch failed: certificate has expired", "certificate_expired"),
        ("fetch failed (getaddrinfo ENOTFOUND hooks.acme.example)", "dns"),
        ("terminated: Body Timeout Error", "timeout"),
        (
            "TypeError: fetch failed\n    at node:internal/deps/undici/undici:13185:13 {\n  [cause]: AggregateError [ECONNREFUSED]: \n      at internalConnectMultiple (node:net:1117:18)",
            "refused",
        ),
        (
            "TypeError: terminated\n    at Fetch.onAborted (node:internal/deps/undici/undici:11132:53) {\n  [cause]: BodyTimeoutError: Body Timeout Error\n      at Timeout.onParserTimeout",
            "timeout",
        ),
        (
            "TypeError: fetch failed\ncaused by: Error: self-signed certificate; if the root CA is installed locally, try running Node.js with --use-system-ca",
            "tls",
        ),
        ("[Error: connect ETIMEDOUT 192.0.2.10:443]", "timeout"),
    ] {
        assert_eq!(outcome(Some(409), text), (want, None), "{text:?}");
    }
}

#[test]
fn what_a_receiver_says_with_its_own_409_is_the_receivers() {
    for text in [
        "",
        " ",
        "409",
        "409 Conflict",
        "Conflict",
        "conflict",
        "already exists",
        "Already processed.",
        "duplicate key value violates unique constraint \"events_pkey\"",
        "Not found",
        "Not Found",
        "Bad Request",
        "Unauthorized",
        "Forbidden",
        "Gone",
        "Too Many Requests",
        "timeout",
        "Timeout",
        "Request timeout",
        "Lock wait timeout exceeded; try restarting transaction",
        "timeout of 10 seconds exceeded",
        "Response timeout",
        "closed",
        "Connection closed",
        "reset",
        "ABORTED",
        "transaction aborted",
        "order canceled",
        "Event terminated",
        "other side closed the deal",
        "refused",
        "connect",
        "connect later",
        "read only",
        "read ERROR",
        "write conflict",
        "connect to the ERP failed",
        "connect ETIMEDOUT while calling the ERP",
        "write EPROTO failed for order 17",
        "getaddrinfo",
        "query E17 not allowed",
        "Error",
        "Error:",
        "Error: ",
        "Error: Conflict",
        "Error: order 17: socket hang up",
        "error: fetch failed",
        "ConflictError: version 3 is newer",
        "SequelizeUniqueConstraintError: Validation error",
        "ValidationError: \"event\" is required",
        "Error [ERR_ORDER_CLOSED]: closed",
        "ERR_CONFLICT",
        "ERR_DUPLICATE_EVENT",
        "E11000 duplicate key error collection",
        "EEXIST: file already exists, open '/tmp/17'",
        "CERTIFICATE_EXPIRED",
        "the client certificate has expired",
        "certificate has expired for order 17",
        "Certificate expired",
        "Invalid URL in field callback",
        "invalid Authorization header",
        "Request failed",
        "Request failed with status code",
        "Request failed with status code 4091",
        "Request failed with status code 502 at the ERP",
        "Response code 502",
        "status code 502",
        "tunnel closed",
        "request to the ERP failed, reason: connect ECONNREFUSED 192.0.2.10:443",
        "request to erp.example failed",
        "connect ECONNREFUSED 192.0.2.10:443; order 17 is kept",
        "order 17; connect ECONNREFUSED 192.0.2.10:443",
        "connect ECONNREFUSED 192.0.2.10:443, connect ECONNREFUSED 192.0.2.11:443",
        "order 17\nconnect ECONNREFUSED 192.0.2.10:443",
        "order 17\n[cause]: Error: connect ECONNREFUSED 192.0.2.10:443",
        "terminated: contract 17",
        "fetch failed: order 17",
        "fetch failed for order 17",
        "'fetch failed'",
        "`fetch failed`",
        "null",
        "true",
        "{}",
        "[]",
        "[\"timeout exceeded\"]",
        "[object Object]",
        r#"{"error":"connect ETIMEDOUT 192.0.2.10:443"}"#,
        r#"{"code":"ECONNREFUSED","message":"connect ECONNREFUSED 192.0.2.10:443"}"#,
        r#"{"message":"Request failed with status code 502","name":"AxiosError"}"#,
        r#"{"statusCode":409,"error":"Conflict","message":"socket hang up"}"#,
        "\"socket hang up\"",
        "<p>socket hang up</p>",
        "<html><body>409 Conflict</body></html>",
        "<!DOCTYPE html>\n<html>\n<title>fetch failed</title>\n</html>",
        "<error>certificate has expired</error>",
        "error: the SSL routines: failed",
        "error:order:SSL routines:17",
        "La orden ya existe",
        "超时",
    ] {
        assert_is_the_receivers(text);
    }
}

/// Wrappers in wrappers, tries without end, lines without end: each is read in a moment, or this test does not end.
#[test]
fn a_text_made_to_be_slow_is_not() {
    for unit in [
        "Error: ",
        "Error: fetch failed: ",
        "fetch failed: ",
        "terminated: fetch failed; ",
        "[",
        "; ",
        "a; ",
        "socket hang up; ",
        "socket hang up; Error: ",
        "request to a failed, reason: ",
        "Redirected request failed: ",
        "\n",
        "fetch failed\n[cause]: ",
    ] {
        for bytes in [60_000, 4_000_000] {
            let text = unit.repeat(bytes / unit.len());
            let _ = outcome(Some(409), &text);
            assert_is_the_receivers(&format!("order 17{text}"));
        }
    }
}

#[test]
fn a_certificate_with_a_hundred_names_is_still_a_certificates_error() {
    let names = vec![format!("DNS:{}.example", "n".repeat(200)); 100].join(", ");
    let text = format!(
        "Hostname/IP does not match certificate's altnames: Host: a.example. is not in the cert's altnames: {names}"
    );
    assert_eq!(outcome(Some(409), &text), ("tls", None));
}

/// What Node.js and its clients put around an error.
fn wrapped(wrapper: usize, text: &str, other: &str) -> String {
    match wrapper {
        0 => format!("Error: {text}"),
        1 => format!("TypeError: {text}"),
        2 => format!("AxiosError [ERR_NETWORK]: {text}"),
        3 => format!("request to https://hooks.acme.example/in?a=b failed, reason: {text}"),
        4 => format!("Invalid response body while trying to fetch https://hooks.acme.example/in: {text}"),
        5 => format!(
            "{text}\n    at TLSSocket.onConnectSecure (node:_tls_wrap:1674:34)\n    at TLSSocket.emit (node:events:518:28)"
        ),
        6 => format!("{text}; if the root CA is installed locally, try running Node.js with --use-system-ca"),
        7 => format!("{text}; {other}"),
        8 => format!(" {text} \n"),
        9 => format!("TypeError: fetch failed\n    at node:internal/deps/undici/undici:13185:13 {{\n  [cause]: {text}"),
        _ => format!("Redirected request failed: {text}"),
    }
}

fn sentence() -> impl Strategy<Value = Case> {
    prop::sample::select(cases().texts)
}

proptest! {
    #[test]
    fn a_wrapper_around_a_known_sentence_never_changes_the_reason(
        case in sentence(),
        others in prop::collection::vec(sentence(), 3),
        wrappers in prop::collection::vec(0_usize..=10, 0..=3),
    ) {
        let mut text = case.text.clone();
        for (&wrapper, other) in wrappers.iter().zip(&others) {
            text = wrapped(wrapper, &text, other.text.lines().next().unwrap_or_default().trim_end());
        }
        for status in NO_RESPONSE {
            prop_assert_eq!(outcome(status, &text), (case.want.as_str(), named_status(&case)), "{:?}", text);
        }
    }

    #[test]
    fn a_text_in_front_makes_a_sentence_the_receivers(case in sentence(), front in "[a-z]{1,12}( [a-z0-9#]{1,12}){1,4}(: | - |: \"|, | )") {
        let text = format!("{front}{}", case.text);
        prop_assert_eq!(outcome(Some(409), &text), ("http_4xx", Some(409)), "{:?}", text);
        prop_assert_eq!(outcome(None, &text), ("other", None), "{:?}", text);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}", wrapper in 0_usize..=10) {
        let _ = outcome(Some(409), &text);
        let _ = outcome(None, &wrapped(wrapper, &text, &text));
    }
}
