//! Facts in words.

use jiff::Timestamp;

use delivery_ledger::Failure;
use delivery_ledger::FailureReason;
use delivery_ledger::UnixMillis;

/// The most characters of a free text that are shown.
const LONGEST_TEXT: usize = 160;

/// Where to begin.
pub(crate) fn remedy(failure: &Failure, host: &str) -> String {
    let host = if host.is_empty() { String::from("the receiver") } else { clip(host) };
    match (failure.reason, failure.status) {
        (FailureReason::Http3xx, _) => String::from("Set the webhook's URL to where the redirect leads."),
        (FailureReason::Http4xx, Some(401 | 403)) => format!("Check the credentials that the webhook sends to {host}."),
        (FailureReason::Http4xx, Some(404 | 405 | 410)) => format!("Check the path in the webhook's URL on {host}."),
        (FailureReason::Http4xx, Some(429)) => {
            format!("{host} receives more requests than it allows: raise its limit.")
        }
        (FailureReason::Http4xx | FailureReason::Http5xx | FailureReason::Reset, _) => {
            format!("Look into the log of the service on {host}.")
        }
        (FailureReason::Timeout, _) => format!("Check that {host} is up and answers in time."),
        (FailureReason::Dns, _) => format!("Check the DNS record of {host}."),
        (FailureReason::Refused, _) => format!("Check that the service on {host} is running."),
        (FailureReason::Unreachable, _) => format!("Check the network in front of {host}."),
        (FailureReason::CertificateExpired, _) => format!("Renew the certificate of {host}."),
        (FailureReason::Tls, _) => format!("Check the certificate chain and the TLS versions of {host}."),
        (FailureReason::Other, _) => String::from("Look at the newest entries of the webhook's log in Cotalker."),
    }
}

/// `at` in UTC; a time that no calendar has is not shown.
pub(crate) fn format(at: UnixMillis, pattern: &str) -> String {
    Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| String::from("unknown"), |at| at.strftime(pattern).to_string())
}

pub(crate) fn ago(millis: i64) -> String {
    // The clocks of two machines: what lies ahead by a little has just been.
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

/// How often something happens that happens after each such span.
pub(crate) fn every(millis: i64) -> String {
    let span = span(millis);
    format!("every {}", span.strip_prefix("1 ").unwrap_or(&span))
}

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

pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// As much of a free text as a page can bear.
pub(crate) fn clip(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}
