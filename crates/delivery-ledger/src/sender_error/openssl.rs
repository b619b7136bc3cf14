//! A line of OpenSSL's error queue.

use crate::reason::FailureReason;

/// `140735:error:14094410:SSL routines:ssl3_read_bytes:…`, with or without the thread, alone or behind `write EPROTO`.
/// Source: OpenSSL, `ERR_error_string_n`; Node.js 8–26 print the queue's first line, 8–12 all of it.
pub(super) fn reason(line: &str) -> Option<FailureReason> {
    let is_hex = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
    let line = ["connect EPROTO ", "read EPROTO ", "write EPROTO "]
        .iter()
        .find_map(|call| line.strip_prefix(call))
        .unwrap_or(line);
    let queue = match line.split_once(':') {
        Some((thread, queue)) if is_hex(thread) => queue,
        _ => line,
    };
    let mut fields = queue.splitn(4, ':');
    let is_error = fields.next() == Some("error")
        && fields.next().is_some_and(|code| code.len() <= 8 && is_hex(code))
        && fields.next().is_some_and(|library| library.ends_with(" routines"))
        && fields.next().is_some();
    is_error.then_some(FailureReason::Tls)
}
