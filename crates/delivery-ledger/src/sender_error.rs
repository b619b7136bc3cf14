//! Whether a log's `response` is the sender's own error, and what went wrong then.
//!
//! The sender is a Node.js program, and nobody says with which HTTP client it sends. So every client's sentences count
//! (`table`), the words that clients and Node.js put around an error are taken off, and then the first line and the first of
//! several tries decide. A text that says anything else around an error only quotes it, and is the receiver's.
//!
//! The rule: docs/specification.md, rule 6. What real clients print is recorded by `scripts/record-sender-errors`.

mod call;
mod openssl;
mod pattern;
mod table;

use crate::reason::FailureReason;
use table::Says;

/// The sender's own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SenderError {
    /// What went wrong; `other` where the sender does not say.
    pub(crate) reason: FailureReason,
    /// The receiver's status code, where the sentence names it.
    pub(crate) status: Option<u16>,
}

/// The longest line that is read, in bytes: a certificate's 100 names of 253 letters (Let's Encrypt's limit), and as much again.
const LONGEST_LINE: usize = 65_536;

/// How many wrappers are taken off at most. Real ones are four deep: `TypeError: fetch failed`, its cause, the class, a hint.
const MOST_WRAPPERS: usize = 8;

/// What `text` says, if it is the sender's own error; `None` if it is a receiver's response.
pub(crate) fn read(text: &str) -> Option<SenderError> {
    lines(text, MOST_WRAPPERS)
}

fn lines(text: &str, wrappers: usize) -> Option<SenderError> {
    let text = text.trim();
    let (line, further) = text.split_once('\n').unwrap_or((text, ""));
    error(line, further, wrappers)
}

/// The error in `line`. `further` is what stands below it: only a cause in there is looked at.
fn error(line: &str, further: &str, wrappers: usize) -> Option<SenderError> {
    let wrappers = wrappers.checked_sub(1)?;
    let line = line.trim();
    if line.is_empty() || line.len() > LONGEST_LINE {
        return None;
    }
    sentence(line, further, wrappers)
        .or_else(|| several_tries(line, further, wrappers))
        .or_else(|| after_class(line, further, wrappers))
}

/// A failed call of the system, a line of OpenSSL, or one sentence of the table.
fn sentence(line: &str, further: &str, wrappers: usize) -> Option<SenderError> {
    let without_status = |reason| Some(SenderError { reason, status: None });
    if let Some(reason) = call::reason(line).or_else(|| openssl::reason(line)) {
        return without_status(reason);
    }
    table::TABLE.iter().find_map(|&(pattern, says)| {
        let found = pattern::find(pattern, line)?;
        let inner = || found.error.and_then(|inner| error(inner, further, wrappers));
        match says {
            Says::Reason(reason) => without_status(reason),
            Says::Status => found.status.map(named),
            Says::Phrase(status) => Some(named(status)),
            Says::Wrapped => inner().or_else(|| without_status(FailureReason::Other)),
            Says::WrappedIfKnown => inner(),
            Says::CauseBelow(reason) => {
                cause(further).and_then(|cause| lines(cause, wrappers)).or_else(|| without_status(reason))
            }
        }
    })
}

/// The receiver's status, named by the sender.
const fn named(status: u16) -> SenderError {
    SenderError { reason: FailureReason::of_status(status), status: Some(status) }
}

/// `connect ECONNREFUSED 192.0.2.10:443; connect ECONNREFUSED 2001:db8::10:443`: one error for each address that was tried, or
/// an error and Node.js's hint. Each has to be the sender's; the first decides.
fn several_tries(line: &str, further: &str, wrappers: usize) -> Option<SenderError> {
    let (first, others) = line.split_once("; ")?;
    let first = error(first, further, wrappers)?;
    others.split("; ").all(|other| error(other, "", wrappers).is_some()).then_some(first)
}

/// `Error: …`, `TypeError [ERR_INVALID_URL]: …`: how JavaScript prints an error's class, and Node.js its code. What follows has
/// to be the sender's, or the code has to be known (`AggregateError [ECONNREFUSED]:` has no message of its own).
fn after_class(line: &str, further: &str, wrappers: usize) -> Option<SenderError> {
    let (class, message) = line.split_once(':')?;
    let (class, code) = match class.split_once(" [") {
        Some((class, code)) => (class, Some(code.strip_suffix(']')?)),
        None => (class, None),
    };
    let is_class = class.ends_with("Error")
        && class.starts_with(|c: char| c.is_ascii_uppercase())
        && class.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_class || !(message.is_empty() || message.starts_with(' ')) {
        return None;
    }
    error(message, further, wrappers).or_else(|| sentence(code?, "", wrappers))
}

/// The cause that Node.js (`util.inspect`) and pony-cause print below an error.
fn cause(further: &str) -> Option<&str> {
    further.split_once("[cause]: ").or_else(|| further.split_once("caused by: ")).map(|(_, cause)| cause)
}
