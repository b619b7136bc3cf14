//! The pages for who is on call: what is broken comes first, in words that need no handbook at three in the morning.
//!
//! [`WebhookState`] says how a webhook stands. Webhooks that are broken for one cause get one card, with cause and remedy;
//! the rest get a row each. `view` is who looks, `query` what they ask for.

mod card;
mod cause;
mod clocks;
mod entry;
mod favicon;
mod headline;
mod links;
mod not_found;
mod notes;
mod query;
mod replay_row;
mod row;
mod status_page;
mod story;
#[cfg(test)]
mod tests;
mod view;
mod webhook;
mod webhook_page;

pub use crate::webhook_state::WebhookState;

pub(crate) use self::links::Links;
pub(crate) use self::not_found::write_not_found;
pub(crate) use self::query::PageQuery;
pub(crate) use self::status_page::write_status_page;
pub(crate) use self::view::{REFRESH_SECONDS, View};
pub(crate) use self::webhook_page::write_webhook_page;
