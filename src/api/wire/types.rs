//! The vendor's objects, as far as they are needed. What is not named here is passed over unread.

use super::lenient::Scalar;
use super::scan::{Cursor, Given, STAND_INS, decode};

/// The names of all members that are taken of an entry of a log or of the list, but for those of [`STAND_INS`].
const NEEDED: [&[u8]; 16] = [
    b"subscription",
    b"createdAt",
    b"status",
    b"retry",
    b"response",
    b"event",
    b"company",
    b"type",
    b"data",
    b"extraData",
    b"userId",
    b"code",
    b"name",
    b"trigger",
    b"url",
    b"isActive",
];

/// Whether anything is taken of a member with this key, which comes with its quotes, in any object.
#[must_use]
pub(crate) fn is_needed(quoted_key: &[u8]) -> bool {
    decode(quoted_key).is_some_and(|key| NEEDED.iter().chain(&STAND_INS).any(|needed| *needed == key.as_bytes()))
}

/// One entry of a log.
#[derive(Default)]
pub(super) struct WireAttempt<'a, E> {
    pub(super) id: Given<Scalar<'a>>,
    pub(super) subscription: Given<Scalar<'a>>,
    pub(super) created_at: Given<Scalar<'a>>,
    pub(super) status: Given<Scalar<'a>>,
    pub(super) retry: Given<Scalar<'a>>,
    pub(super) response: Given<Scalar<'a>>,
    /// What was made of the event.
    pub(super) event: Given<E>,
}

impl<'a, E: Default> WireAttempt<'a, E> {
    /// Reads an entry, and its event with `event`.
    pub(super) fn read(cursor: &mut Cursor<'a>, event: fn(WireEvent<'_>) -> E) -> Option<Self> {
        let mut entry = Self::default();
        cursor.members(|key, cursor| {
            match key {
                b"_id" => entry.id.put(cursor.scalar()?),
                b"subscription" => entry.subscription.put(cursor.scalar()?),
                b"createdAt" => entry.created_at.put(cursor.scalar()?),
                b"status" => entry.status.put(cursor.scalar()?),
                b"retry" => entry.retry.put(cursor.scalar()?),
                b"response" => entry.response.put(cursor.plain()?),
                b"event" => entry.event.put(cursor.object(|cursor| WireEvent::read(cursor).map(event))?),
                _ => cursor.skip()?,
            }
            Some(())
        })?;
        Some(entry)
    }
}

/// What an entry is about.
#[derive(Default)]
pub(super) struct WireEvent<'a> {
    pub(super) company: Given<Scalar<'a>>,
    pub(super) event_type: Given<Scalar<'a>>,
    pub(super) action: Given<Scalar<'a>>,
    pub(super) created_at: Given<Scalar<'a>>,
    /// The `_id` of the object that changed: all that is read of it.
    pub(super) data_id: Given<Option<String>>,
    /// What events without an object have instead of one.
    pub(super) user_id: Given<Option<String>>,
}

impl<'a> WireEvent<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut event = Self::default();
        cursor.members(|key, cursor| {
            match key {
                b"company" => event.company.put(cursor.scalar()?),
                b"type" => event.event_type.put(cursor.scalar()?),
                b"event" => event.action.put(cursor.scalar()?),
                b"createdAt" => event.created_at.put(cursor.scalar()?),
                b"data" => event.data_id.put(cursor.object(|data| text_of(data, b"_id"))?),
                b"extraData" => event.user_id.put(cursor.object(|extra| text_of(extra, b"userId"))?),
                _ => cursor.skip()?,
            }
            Some(())
        })?;
        Some(event)
    }
}

/// The text of one member of an object.
fn text_of(cursor: &mut Cursor<'_>, name: &[u8]) -> Option<Option<String>> {
    let mut found = Given::default();
    cursor.members(|key, cursor| {
        if key == name {
            found.put(cursor.scalar()?);
            return Some(());
        }
        cursor.skip()
    })?;
    Some(found.value().text().map(Into::into))
}

/// One entry of the list, or the response of the by-id call.
#[derive(Default)]
pub(super) struct WireWebhook<'a> {
    pub(super) id: Given<Scalar<'a>>,
    pub(super) company: Given<Scalar<'a>>,
    pub(super) code: Given<Scalar<'a>>,
    pub(super) name: Given<Scalar<'a>>,
    pub(super) trigger: Given<Scalar<'a>>,
    pub(super) url: Given<Scalar<'a>>,
    pub(super) is_active: Given<Scalar<'a>>,
}

impl<'a> WireWebhook<'a> {
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut webhook = Self::default();
        cursor.members(|key, cursor| {
            match key {
                b"_id" => webhook.id.put(cursor.scalar()?),
                b"company" => webhook.company.put(cursor.scalar()?),
                b"code" => webhook.code.put(cursor.scalar()?),
                b"name" => webhook.name.put(cursor.scalar()?),
                b"trigger" => webhook.trigger.put(cursor.scalar()?),
                b"url" => webhook.url.put(cursor.scalar()?),
                b"isActive" => webhook.is_active.put(cursor.scalar()?),
                _ => cursor.skip()?,
            }
            Some(())
        })?;
        Some(webhook)
    }
}

/// The token in the response of the login.
pub(super) fn read_token<'a>(cursor: &mut Cursor<'a>) -> Option<Scalar<'a>> {
    let mut token = Given::default();
    cursor.members(|key, cursor| {
        if key == b"token" {
            token.put(cursor.plain()?);
            return Some(());
        }
        cursor.skip()
    })?;
    Some(token.value())
}
