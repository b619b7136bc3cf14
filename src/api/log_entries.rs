//! The entries of a log, on their way from the framer to who counts them.

use delivery_ledger::WebhookId;

use super::stream::Entries;
use super::wire::{LogEntry, read_log_entry, read_plain_entry};

/// Reads the entries of the log of one webhook: plain ones, which nearly all are, in the one pass that also finds where they
/// end, and others once they are framed.
#[derive(Debug)]
pub struct LogEntries<F> {
    webhook: WebhookId,
    on_entry: F,
}

impl<F: FnMut(LogEntry)> LogEntries<F> {
    /// Hands what it reads on to `on_entry`.
    pub fn of(webhook: WebhookId, on_entry: F) -> Self {
        Self { webhook, on_entry }
    }
}

impl<F: FnMut(LogEntry)> Entries for LogEntries<F> {
    fn take_first(&mut self, ahead: &[u8]) -> Option<usize> {
        let (entry, length) = read_plain_entry(ahead, self.webhook)?;
        (self.on_entry)(entry);
        Some(length)
    }

    fn take(&mut self, json: &[u8]) {
        // One that came in pieces is as plain as others.
        let plain = read_plain_entry(json, self.webhook).filter(|(_, length)| *length == json.len());
        (self.on_entry)(plain.map_or_else(|| read_log_entry(json, self.webhook), |(entry, _)| entry));
    }
}
