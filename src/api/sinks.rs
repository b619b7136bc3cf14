//! Bodies of responses, read while they come: no sink holds more of one than it needs.

use delivery_ledger::{Answer, Reading, Webhook, WebhookId};

use super::credentials::parse_token;
use super::error::CallError;
use super::fetched::Listing;
use super::stream::{Framed, Framer};
use super::wire::{LogEntry, read_log_entry, read_login, read_webhook};
use crate::secret::Secret;

/// The longest response that is one object: a webhook, a login. A convention: a hundred times the documented one.
const MAX_OBJECT_BYTES: usize = 256 * 1024;

/// Takes a body chunk by chunk.
pub(super) trait Sink {
    type Value;

    fn feed(&mut self, bytes: &[u8]) -> Result<(), CallError>;

    /// What the body says, once it has ended well.
    fn finish(self) -> Result<Self::Value, CallError>;
}

/// Frames an array, and remembers how the body starts: a wrong base URL often brings a web page.
#[derive(Default)]
struct ArrayFraming {
    framer: Framer,
    first_byte: Option<u8>,
}

impl ArrayFraming {
    fn feed(&mut self, bytes: &[u8], on_entry: impl FnMut(Framed<'_>)) -> Result<(), CallError> {
        self.first_byte = self.first_byte.or_else(|| bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace()));
        let first_byte = self.first_byte;
        self.framer.feed(bytes, on_entry).map_err(|error| match wrapper_of(bytes) {
            Some(key) if first_byte == Some(b'{') => {
                CallError::malformed(&format!("the response is an object that wraps an array in {key:?}, not an array"))
            }
            _ => CallError::from_framing(error, first_byte),
        })
    }

    fn finish(self) -> Result<(), CallError> {
        self.framer.finish().map_err(|error| CallError::from_framing(error, self.first_byte))
    }
}

/// The key of an object that starts with an array, as `{"data":[`: a plain short word, so that nothing else is told.
fn wrapper_of(bytes: &[u8]) -> Option<&str> {
    let after = |bytes: &'_ [u8], byte: u8| -> Option<usize> {
        let at = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
        (bytes.get(at) == Some(&byte)).then_some(at + 1)
    };
    let object = bytes.get(after(bytes, b'{')?..)?;
    let key = object.get(after(object, b'"')?..)?;
    let (key, rest) = key.split_at(key.iter().position(|byte| *byte == b'"')?);
    let rest = rest.get(1..)?;
    after(rest.get(after(rest, b':')?..)?, b'[')?;
    let is_plain = key.len() <= 20 && key.iter().all(u8::is_ascii_alphanumeric);
    std::str::from_utf8(key).ok().filter(|_| is_plain)
}

/// Reads the list.
#[derive(Default)]
pub(super) struct ListSink {
    framing: ArrayFraming,
    listing: Listing,
}

impl Sink for ListSink {
    type Value = Listing;

    fn feed(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        let Self { framing, listing } = self;
        framing.feed(bytes, |framed| match framed {
            Framed::Entry(json) => match read_webhook(json) {
                Some(webhook) => listing.webhooks.push(webhook),
                None => listing.malformed += 1,
            },
            Framed::TooLong => listing.malformed += 1,
        })
    }

    fn finish(self) -> Result<Listing, CallError> {
        self.framing.finish()?;
        Ok(self.listing)
    }
}

/// Reads a log against its ledger.
pub(super) struct LogSink<'ledger> {
    id: WebhookId,
    framing: ArrayFraming,
    reading: Reading<'ledger>,
}

impl<'ledger> LogSink<'ledger> {
    pub(super) fn of(id: WebhookId, reading: Reading<'ledger>) -> Self {
        Self { id, framing: ArrayFraming::default(), reading }
    }
}

impl Sink for LogSink<'_> {
    type Value = Answer;

    fn feed(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        let Self { id, framing, reading } = self;
        framing.feed(bytes, |framed| match framed {
            Framed::Entry(json) => match read_log_entry(json, *id) {
                LogEntry::Own(attempt) => reading.observe(attempt),
                LogEntry::UnderWay(attempt) => reading.observe_under_way(attempt),
                LogEntry::Foreign => reading.observe_foreign(),
                LogEntry::Malformed => reading.observe_malformed(),
            },
            Framed::TooLong => reading.observe_malformed(),
        })
    }

    fn finish(self) -> Result<Answer, CallError> {
        self.framing.finish()?;
        Ok(self.reading.finish())
    }
}

/// Reads one webhook, which must be the one that was asked for.
pub(super) struct WebhookSink {
    id: WebhookId,
    body: Vec<u8>,
}

impl WebhookSink {
    pub(super) fn of(id: WebhookId) -> Self {
        Self { id, body: Vec::new() }
    }
}

impl Sink for WebhookSink {
    type Value = Webhook;

    fn feed(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        collect(&mut self.body, bytes)
    }

    fn finish(self) -> Result<Webhook, CallError> {
        match read_webhook(&self.body) {
            Some(webhook) if webhook.id == self.id => Ok(webhook),
            Some(_) => Err(CallError::malformed("the response describes another webhook")),
            None => Err(CallError::no_object(&self.body, "the response is not a webhook")),
        }
    }
}

/// Reads the token that a login brings.
#[derive(Default)]
pub(super) struct LoginSink {
    body: Vec<u8>,
}

impl Sink for LoginSink {
    type Value = Secret;

    fn feed(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        collect(&mut self.body, bytes)
    }

    fn finish(self) -> Result<Secret, CallError> {
        let token =
            read_login(&self.body).ok_or_else(|| CallError::no_object(&self.body, "the response has no token"))?;
        parse_token(token.expose(), "the login's token").map_err(CallError::from_secret)
    }
}

fn collect(body: &mut Vec<u8>, bytes: &[u8]) -> Result<(), CallError> {
    if body.len() + bytes.len() > MAX_OBJECT_BYTES {
        return Err(CallError::malformed("the response is far larger than one object"));
    }
    body.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapper_around_an_array_is_named_and_nothing_else_is() {
        let failed = |body: &str| ListSink::default().feed(body.as_bytes()).expect_err("no array").cause;
        for body in [r#"{"data":[{"_id":1}]}"#, " { \"data\" : [ ", r#"{"data":["#] {
            assert!(failed(body).contains("wraps an array in \"data\""), "{}", failed(body));
        }
        for body in [r#"{"error":"no"}"#, r#"{"a secret, perhaps":["#, "{}", r#"{"data":{}}"#] {
            assert!(!failed(body).contains("wraps"), "{}", failed(body));
        }
    }
}
