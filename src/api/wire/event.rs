//! What an entry tells of its event → the event.

use delivery_ledger::{Action, Event, EventKey, EventType, UnixMillis};

/// What an entry tells of its event; `None` where it does not, or where that cannot be read.
pub(super) struct Told<'a> {
    pub(super) company: Option<&'a str>,
    pub(super) event_type: Option<&'a str>,
    pub(super) action: Option<&'a str>,
    pub(super) created_at: Option<UnixMillis>,
    /// How a time is written that cannot be read: it still tells events apart.
    pub(super) odd_time: Option<&'a str>,
    pub(super) subject: Option<&'a str>,
}

impl Told<'_> {
    /// The event, unless nothing tells it from others of its kind: taken for one, all but the first would be missed.
    pub(super) fn event(&self) -> Option<Event> {
        let mut millis = itoa::Buffer::new();
        // The same time may be written in several ways.
        let created_at = self.created_at.map(|at| millis.format(at.as_millis())).or(self.odd_time);
        if created_at.is_none() && self.subject.is_none() {
            return None;
        }
        Some(Event {
            key: EventKey::of([self.company, self.event_type, self.action, created_at, self.subject]),
            event_type: self.event_type.map_or(EventType::Other, EventType::from_api),
            action: self.action.map_or(Action::Other, Action::from_api),
            created_at: self.created_at,
            // An id and nothing else: whatever else stands there could be data.
            subject: self.subject.and_then(|subject| subject.trim().parse().ok()),
        })
    }
}
