//! What of a webhook can be chosen.

use super::receiver::{Receiver, SECRET_MARKER};
use super::trigger::Trigger;

/// Times of activity and rest that a webhook goes through over and over, beginning with activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// How long it is active, in milliseconds.
    pub active_ms: i64,
    /// How long it rests, in milliseconds.
    pub resting_ms: i64,
}

/// All of a webhook that can be chosen, and changed later with [`World::change`].
#[derive(Clone, Debug)]
pub struct WebhookSpec {
    /// Its code; Cotalker keeps it unique and not empty, the simulator does not insist.
    pub code: String,
    /// Its name, free text.
    pub name: String,
    /// Its description, if it has one.
    pub description: Option<String>,
    /// What sets it off. Events that are already queued keep the type they had.
    pub trigger: Trigger,
    /// Where it delivers to. Transport errors name its host.
    pub url: String,
    /// How the receiver behaves. An attempt under way ends as it began.
    pub receiver: Receiver,
    /// The mean time between events, in milliseconds (they come 0.5 to 1.5 times as far apart); 0 = none by themselves.
    pub every_ms: i64,
    /// How large a log entry is, in bytes, from and to. The least that an entry needs is about 600 bytes.
    pub entry_bytes: (u32, u32),
    /// Whether it is switched on. While it is not, nothing happens and nothing is sent; what is queued waits.
    pub active: bool,
    /// Switches it on and off by itself.
    pub cycle: Option<Cycle>,
}

impl WebhookSpec {
    /// An active webhook with a healthy receiver and no events by themselves. The receiver's URL carries
    /// [`SECRET_MARKER`] in its user info, path and query, and has the host `hooks.acme.example`.
    #[must_use]
    pub fn new(code: &str, trigger: Trigger) -> Self {
        Self {
            code: code.to_owned(),
            name: format!("{code} webhook"),
            description: None,
            trigger,
            url: url_at("hooks.acme.example"),
            receiver: Receiver::Healthy,
            every_ms: 0,
            // Source: an entry is 1–6 KB, by the API's notes.
            entry_bytes: (1_000, 6_000),
            active: true,
            cycle: None,
        }
    }

    /// With this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// With this receiver.
    #[must_use]
    pub fn to(mut self, receiver: Receiver) -> Self {
        self.receiver = receiver;
        self
    }

    /// With a receiver at this host (`host` or `host:port`).
    #[must_use]
    pub fn at(mut self, host: &str) -> Self {
        self.url = url_at(host);
        self
    }

    /// With an event every so many milliseconds on average.
    #[must_use]
    pub const fn every_ms(mut self, millis: i64) -> Self {
        self.every_ms = millis;
        self
    }

    /// With log entries of this size, in bytes.
    #[must_use]
    pub const fn entry_bytes(mut self, from: u32, to: u32) -> Self {
        self.entry_bytes = (from, to);
        self
    }
}

fn url_at(host: &str) -> String {
    format!("https://cotalker:{SECRET_MARKER}@{host}/in/{SECRET_MARKER}?key={SECRET_MARKER}")
}
