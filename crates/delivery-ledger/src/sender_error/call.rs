//! A failed call of the system, as Node.js words it: the call, the code, and often the address.
//!
//! Source: Node.js, `lib/internal/errors.js` (`UVException`, `UVExceptionWithHostPort`, `DNSException`), and their ancestors.

use super::table::{Says, TABLE};
use crate::reason::FailureReason;

/// `connect ETIMEDOUT 10.0.0.1:443`, `getaddrinfo ENOTFOUND host`, `read ECONNRESET`.
/// With an address a call is the sender's even where the table does not know the code: `other`. `dns` where a name was asked for.
pub(super) fn reason(line: &str) -> Option<FailureReason> {
    let line = without_local_address(line)?;
    let mut words = line.split(' ');
    let (call, code) = (words.next()?, words.next()?);
    if !is_code(code) {
        return None;
    }
    let addresses = words.clone().count();
    if !words.all(is_address) {
        return None;
    }
    match (call, addresses) {
        ("connect" | "read" | "write" | "shutdown", 0) => of_code(code),
        ("connect" | "bind", 1) => of_code(code).or(Some(FailureReason::Other)),
        // Node.js 8 and earlier named the host twice.
        ("getaddrinfo", 0..=2) => Some(FailureReason::Dns),
        (query, 1) if query.starts_with("query") => Some(FailureReason::Dns),
        _ => None,
    }
}

fn of_code(code: &str) -> Option<FailureReason> {
    match TABLE.iter().find(|(text, _)| *text == code) {
        // Alone, it is the code of clients' own timeouts; in a call it is the kernel's.
        Some(_) if code == "ECONNABORTED" => Some(FailureReason::Reset),
        Some(&(_, Says::Reason(reason))) => Some(reason),
        _ => None,
    }
}

/// The line without ` - Local (0.0.0.0:0)`, where Node.js says from where it called.
fn without_local_address(line: &str) -> Option<&str> {
    match line.split_once(" - Local (") {
        Some((error, local)) => local.strip_suffix(')').filter(|local| is_address(local)).map(|_| error),
        None => Some(line),
    }
}

/// Whether `word` is the name of an error number: `ECONNREFUSED`, `EAI_AGAIN`, or Windows's `UNKNOWN`.
fn is_code(word: &str) -> bool {
    word == "UNKNOWN"
        || word.len() > 2
            && word.starts_with('E')
            && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Whether `word` can be what Node.js puts behind the code: a host, `host:port`, `[v6]:port` or a bare IPv6 address; where the
/// sender took a URL for a host, that.
fn is_address(word: &str) -> bool {
    !word.is_empty()
        && !word.ends_with(':')
        && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '[' | ']' | '%' | '/'))
}
