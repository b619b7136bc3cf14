//! What was asked of the API: a bounded record, and totals.

use std::collections::{BTreeMap, VecDeque};

use http::HeaderMap;
use tokio::sync::watch;
use tokio::time::Instant;

use delivery_ledger::WebhookId;

/// Calls that are remembered one by one; a benchmark makes more.
const REMEMBERED: usize = 10_000;

/// The calls that the API knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// The list of webhooks.
    List,
    /// One webhook by its id.
    Webhook,
    /// The log of a webhook.
    Logs,
    /// The login.
    Login,
    /// Anything else: the response is 404.
    Unknown,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was asked for.
    pub endpoint: Endpoint,
    /// Which webhook, where the path says so.
    pub webhook: Option<WebhookId>,
    /// Path and query as sent.
    pub path: String,
    /// The request's headers.
    pub headers: HeaderMap,
    /// When it arrived, by tokio's clock.
    pub at: Instant,
    /// The status of its response; `None` while there is none, or if there never was one.
    pub status: Option<u16>,
}

#[derive(Debug, Default)]
pub(crate) struct Recorder {
    calls: VecDeque<Call>,
    /// How many calls went before the first one that is remembered.
    dropped: u64,
    totals: BTreeMap<Endpoint, u64>,
    under_way: BTreeMap<Endpoint, usize>,
    peaks: BTreeMap<Endpoint, usize>,
    counted: watch::Sender<()>,
}

impl Recorder {
    /// Takes down a call and gives its number.
    pub(crate) fn begin(&mut self, call: Call) -> u64 {
        *self.totals.entry(call.endpoint).or_default() += 1;
        let under_way = self.under_way.entry(call.endpoint).or_default();
        *under_way += 1;
        let peak = self.peaks.entry(call.endpoint).or_default();
        *peak = (*peak).max(*under_way);
        if self.calls.len() == REMEMBERED {
            self.calls.pop_front();
            self.dropped += 1;
        }
        self.calls.push_back(call);
        self.counted.send_replace(());
        self.dropped + self.len() - 1
    }

    pub(crate) fn responded(&mut self, number: u64, status: u16) {
        let index = number.checked_sub(self.dropped).and_then(|index| usize::try_from(index).ok());
        if let Some(call) = index.and_then(|index| self.calls.get_mut(index)) {
            call.status = Some(status);
        }
    }

    pub(crate) fn ended(&mut self, endpoint: Endpoint) {
        if let Some(under_way) = self.under_way.get_mut(&endpoint) {
            *under_way = under_way.saturating_sub(1);
        }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.iter().cloned().collect()
    }

    pub(crate) fn count(&self, endpoint: Endpoint) -> u64 {
        self.totals.get(&endpoint).copied().unwrap_or_default()
    }

    pub(crate) fn peak(&self, endpoint: Endpoint) -> usize {
        self.peaks.get(&endpoint).copied().unwrap_or_default()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.counted.subscribe()
    }

    pub(crate) fn forget(&mut self) {
        self.dropped += self.len();
        self.calls.clear();
        self.totals.clear();
        self.peaks.clear();
    }

    fn len(&self) -> u64 {
        u64::try_from(self.calls.len()).unwrap_or(u64::MAX)
    }
}
