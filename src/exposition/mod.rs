//! Metrics as samples, and the formats that write them.
//!
//! [`families`] turns ledgers into samples and [`own`] does so with the exporter's own instruments. Both hand them to a
//! [`Sink`], one call per sample, so that nothing is collected in between. An encoder is a sink: a new format is one more
//! of them, in one file, and knows neither ledgers nor instruments.

pub mod families;
mod family;
pub mod own;
mod rendered;
mod sample;
mod text;

use bytes::Bytes;

use delivery_ledger::Policy;

pub use self::families::{AccountView, FAMILIES, WebhookView};
pub use self::family::{Family, FamilyDoc, Kind};
pub use self::rendered::Rendered;
pub use self::sample::{Label, Point, SharedLabels, Sink, Value};
pub use self::text::Text;

/// The ledgers' families in the text format 0.0.4. Webhooks come out in the order in which they are given.
#[must_use]
pub fn render(account: &AccountView, webhooks: &[WebhookView<'_>], policy: &Policy) -> Bytes {
    // Measured: 60 series of some 110 bytes per webhook, and 10 KB of HELP.
    let mut text = Text::with_capacity(16 * 1024 + webhooks.len() * 9 * 1024);
    families::write(account, webhooks, policy, &mut text);
    let mut text = text.finish();
    text.shrink_to_fit();
    text.into()
}
