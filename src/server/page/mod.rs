//! The status page: what is broken comes first, in words that need no handbook at three in the morning.
//!
//! [`state`](WebhookState) decides how a webhook stands. What is broken gets a card with cause and remedy, the rest a row.

mod card;
mod clocks;
mod headline;
mod notes;
mod row;
mod state;
mod status_page;
#[cfg(test)]
mod tests;
mod webhook;

pub use self::state::WebhookState;
pub use self::status_page::render;
