//! Facts in words, for people: the status page and `check`.

use jiff::Timestamp;

use delivery_ledger::Failure;
use delivery_ledger::FailureReason;
use delivery_ledger::UnixMillis;

/// The most characters of a free text that are shown: a line or two on a phone. A convention.
const LONGEST_TEXT: usize = 160;

/// What to do about a failure at the receiver `host`, in one sentence.
pub(crate) fn remedy(failure: &Failure, host: &str) -> String {
    let host = if host.is_empty() { String::from("the receiver") } else { clip(host) };
    match (failure.reason, failure.status) {
        (FailureReason::Http3xx, _) => String::from("Set the webhook's URL to the target of the redirect."),
        (FailureReason::Http4xx, Some(401 | 403)) => format!("Check the credentials that the webhook sends to {host}."),
        (FailureReason::Http4xx, Some(404 | 405 | 410)) => format!("Check the path in the webhook's URL on {host}."),
        (FailureReason::Http4xx, Some(429)) => {
            format!("{host} receives more requests than it allows: raise its limit.")
        }
        (FailureReason::Http4xx | FailureReason::Http5xx | FailureReason::Reset, _) => {
            format!("Check the log of the service on {host}.")
        }
        (FailureReason::Timeout, _) => format!("Check that {host} is up and responds in time."),
        (FailureReason::Dns, _) => format!("Check the DNS record of {host}."),
        (FailureReason::Refused, _) => format!("Check that the service on {host} is running."),
        (FailureReason::Unreachable, _) => format!("Check the network path to {host}."),
        (FailureReason::CertificateExpired, _) => format!("Renew the certificate of {host}."),
        (FailureReason::Tls, _) => format!("Check the certificate chain and the TLS versions of {host}."),
        (FailureReason::Other, _) => String::from("Check the newest entries of the webhook's log in Cotalker."),
    }
}

/// `at` in UTC by a `strftime` pattern; `unknown` where the calendar has no such time.
pub(crate) fn format(at: UnixMillis, pattern: &str) -> String {
    Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| String::from("unknown"), |at| at.strftime(pattern).to_string())
}

/// How long ago that is, in words.
pub(crate) fn ago(millis: i64) -> String {
    // The clocks of two machines differ: what seems to be in the future has just happened.
    if millis < 1_000 { String::from("just now") } else { format!("{} ago", span(millis)) }
}

/// A time span in one unit, rounded down: what matters is its size.
pub(crate) fn span(millis: i64) -> String {
    let seconds = u64::try_from(millis / 1_000).unwrap_or(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (minutes, hours) {
        (0, _) => format!("{seconds} s"),
        (1..60, _) => plural(minutes, "minute"),
        (_, 0..48) => plural(hours, "hour"),
        (_, _) => plural(days, "day"),
    }
}

/// `every minute`, `every 5 s`: how often something happens that happens once in so many milliseconds.
pub(crate) fn every(millis: i64) -> String {
    let span = span(millis);
    format!("every {}", span.strip_prefix("1 ").unwrap_or(&span))
}

/// `1 event`, `1,234 events`: a noun whose plural ends in `s`.
pub(crate) fn plural(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `text` with its first letter in upper case.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A free text, cut after [`LONGEST_TEXT`] characters.
pub(crate) fn clip(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}
