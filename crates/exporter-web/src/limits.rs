//! What clients may take.

use std::time::Duration;

/// What clients may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at once, over all listeners.
    pub connections: usize,
    /// Bytes of a request head; 8192 or more.
    pub head_bytes: usize,
    /// Header fields of a request.
    pub head_fields: usize,
    /// How long a connection may take for its TLS handshake and its request head together.
    pub head_timeout: Duration,
    /// How long a response may take to be read by its client.
    pub response_timeout: Duration,
    /// How long a client may take nothing of a response.
    pub stall_timeout: Duration,
    /// How many [`Edition`](crate::Edition)s the responses under way may be of, the newest one included: each may hold large
    /// data.
    pub editions: usize,
    /// How long running responses may take when the server stops.
    pub grace: Duration,
}

impl Default for Limits {
    /// Far more than a scraper and a few people need, and so little that it does not show in the process's memory.
    /// The two minutes of a response are twice the longest scrape timeout that is usual. A client that takes nothing for
    /// ten seconds, Prometheus's own scrape timeout, has given up. Of four editions one is the newest, one is what a slow
    /// scraper still reads, and the others are for a second scraper.
    fn default() -> Self {
        Self {
            connections: 256,
            head_bytes: 16 * 1024,
            head_fields: 64,
            head_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(120),
            stall_timeout: Duration::from_secs(10),
            editions: 4,
            grace: Duration::from_secs(2),
        }
    }
}
