//! Bodies of responses, read while they come: no sink holds more of one than it needs.

use delivery_ledger::{LogFacts, LogReading, LogResponse, LogSurvey, Webhook, WebhookId};

use super::cause::Malformation;
use super::credentials::{Origin, parse_token};
use super::error::CallError;
use super::fetched::Listing;
use super::log_entries::LogEntries;
use super::stream::{Entries, FrameError, Framer};
use super::wire::{LogEntry, read_login, read_webhook, wrapping_key};
use crate::secret::Secret;

/// The longest response to a login. A convention: a hundred times the documented one.
const MAX_LOGIN_BYTES: usize = 256 * 1024;

/// So much of an object is read where an array should be, to find the array in it. A convention.
const MAX_HEAD_BYTES: usize = 4 * 1024;

/// A longer key of an object is not repeated in an error. A convention.
const MAX_KEY_BYTES: usize = 32;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Takes a body chunk by chunk.
pub(super) trait Sink {
    type Value;

    fn feed(&mut self, bytes: &[u8]) -> Result<(), CallError>;

    /// What the body says, once it has ended well.
    fn finish(self) -> Result<Self::Value, CallError>;
}

/// Frames an array. Of anything else it takes just enough to say what it is: a wrong base URL often brings a web page.
#[derive(Default)]
struct ArrayFraming {
    framer: Framer,
    first_byte: Option<u8>,
    /// The beginning of a response that is an object.
    object: Vec<u8>,
}

impl ArrayFraming {
    fn feed(&mut self, entries: &mut impl Entries, bytes: &[u8]) -> Result<(), CallError> {
        let is_content = |byte: &u8| !byte.is_ascii_whitespace() && !BYTE_ORDER_MARK.contains(byte);
        self.first_byte = self.first_byte.or_else(|| bytes.iter().copied().find(is_content));
        if self.first_byte == Some(b'{') {
            let left = MAX_HEAD_BYTES - self.object.len();
            self.object.extend_from_slice(bytes.get(..left).unwrap_or(bytes));
            return if self.object.len() < MAX_HEAD_BYTES { Ok(()) } else { Err(wrapped(&self.object)) };
        }
        let first_byte = self.first_byte;
        self.framer.feed_to(entries, bytes).map_err(|error| CallError::from_framing(error, first_byte))
    }

    fn finish(self) -> Result<(), CallError> {
        if self.first_byte == Some(b'{') {
            return Err(wrapped(&self.object));
        }
        self.framer.finish().map_err(|error| CallError::from_framing(error, self.first_byte))
    }
}

/// Why an object is no array: the array may be in it. Its key is told if it can hardly be anything but the API's own.
fn wrapped(object: &[u8]) -> CallError {
    let is_word = |key: &String| {
        key.len() <= MAX_KEY_BYTES && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match wrapping_key(object.trim_ascii_start()).filter(is_word) {
        Some(key) => CallError::malformed(Malformation::Wrapped(key)),
        None => CallError::from_framing(FrameError::NotAnArray, Some(b'{')),
    }
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
        let mut take = |json: &[u8]| match read_webhook(json) {
            Some(webhook) => listing.webhooks.push(webhook),
            None => listing.malformed += 1,
        };
        framing.feed(&mut take, bytes)
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
    reading: LogReading<'ledger>,
}

impl<'ledger> LogSink<'ledger> {
    pub(super) fn of(id: WebhookId, reading: LogReading<'ledger>) -> Self {
        Self { id, framing: ArrayFraming::default(), reading }
    }
}

impl Sink for LogSink<'_> {
    type Value = LogResponse;

    fn feed(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        let Self { id, framing, reading } = self;
        framing.feed(&mut LogEntries::of(*id, |entry| take(reading, entry)), bytes)
    }

    fn finish(self) -> Result<LogResponse, CallError> {
        self.framing.finish()?;
        Ok(self.reading.finish())
    }
}

fn take(reading: &mut LogReading<'_>, entry: LogEntry) {
    match entry {
        LogEntry::Own(attempt) => reading.observe(attempt),
        LogEntry::UnderWay(attempt) => reading.observe_under_way(attempt),
        LogEntry::Foreign => reading.observe_foreign(),
        LogEntry::Malformed => reading.observe_malformed(),
    }
}

/// Reads a log, and looks at how it is written.
pub(super) struct SurveySink<'ledger> {
    log: LogSink<'ledger>,
    survey: LogSurvey,
}

impl<'ledger> SurveySink<'ledger> {
    pub(super) fn of(log: LogSink<'ledger>, survey: LogSurvey) -> Self {
        Self { log, survey }
    }
}

impl Sink for SurveySink<'_> {
    type Value = (LogResponse, LogFacts);

    fn feed(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        let Self { log: LogSink { id, framing, reading }, survey } = self;
        let observe = |entry: LogEntry| {
            match &entry {
                LogEntry::Own(attempt) => survey.observe(attempt, false),
                LogEntry::UnderWay(attempt) => survey.observe(attempt, true),
                LogEntry::Foreign | LogEntry::Malformed => {}
            }
            take(reading, entry);
        };
        framing.feed(&mut LogEntries::of(*id, observe), bytes)
    }

    fn finish(self) -> Result<Self::Value, CallError> {
        Ok((self.log.finish()?, self.survey.finish()))
    }
}

/// Reads one webhook, which must be the one that was asked for. Its name, or what nobody needs of it, may be of any length.
pub(super) struct WebhookSink {
    id: WebhookId,
    framer: Framer,
    /// Its first byte that says anything, for telling what else it is.
    first_byte: Option<u8>,
    webhook: Option<Webhook>,
}

impl WebhookSink {
    pub(super) fn of(id: WebhookId) -> Self {
        Self { id, framer: Framer::of_one_object(), first_byte: None, webhook: None }
    }

    fn no_webhook(first_byte: Option<u8>) -> CallError {
        CallError::no_object(first_byte.as_slice(), Malformation::NoWebhook)
    }
}

impl Sink for WebhookSink {
    type Value = Webhook;

    fn feed(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        let Self { framer, first_byte, webhook, .. } = self;
        *first_byte = first_byte.or_else(|| bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace()));
        framer.feed(bytes, |json| *webhook = read_webhook(json)).map_err(|_| Self::no_webhook(*first_byte))
    }

    fn finish(self) -> Result<Webhook, CallError> {
        match self.webhook.filter(|_| self.framer.finish().is_ok()) {
            Some(webhook) if webhook.id == self.id => Ok(webhook),
            Some(_) => Err(CallError::malformed(Malformation::AnotherWebhook)),
            None => Err(Self::no_webhook(self.first_byte)),
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
        if self.body.len() + bytes.len() > MAX_LOGIN_BYTES {
            return Err(CallError::malformed(Malformation::LongerThanAnObject));
        }
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self) -> Result<Secret, CallError> {
        let token = read_login(&self.body).ok_or_else(|| CallError::no_object(&self.body, Malformation::NoToken))?;
        parse_token(token.expose(), Origin::Login).map_err(CallError::from_secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapper_around_an_array_is_named_and_nothing_else_is() {
        let failed = |body: &str| {
            let mut sink = ListSink::default();
            // Cut in the middle, as it may come.
            let (head, rest) = body.as_bytes().split_at(body.len() / 2);
            let fed = sink.feed(head).and_then(|()| sink.feed(rest));
            fed.err().unwrap_or_else(|| sink.finish().expect_err("no array")).to_string()
        };
        for body in [r#"{"data":[{"_id":1}]}"#, " { \"data\" : [ ", r#"{"data":["#, r#"{"total":1,"data":[]}"#] {
            assert!(failed(body).contains("wraps an array in \"data\""), "{}", failed(body));
        }
        for body in [r#"{"error":"no"}"#, r#"{"a secret, perhaps":["#, "{}", r#"{"data":{}}"#] {
            assert!(!failed(body).contains("wraps"), "{}", failed(body));
        }
    }
}
