//! Metrics as samples, and the formats that write them.
//!
//! [`families`] turns ledgers into samples and [`own`] does so with the exporter's own instruments. Both hand them to a
//! [`Sink`], one call per sample, so that nothing is collected in between. An encoder is a sink: a new format is one more
//! of them, in one file, and knows neither ledgers nor instruments.

pub mod families;
mod family;
mod format;
mod line;
mod number;
mod openmetrics;
pub mod own;
mod rendered;
mod sample;
mod text;

use bytes::Bytes;

use delivery_ledger::Policy;

pub use self::families::{AccountView, FAMILIES, WebhookView};
pub use self::family::{Family, FamilyDoc, Kind};
pub use self::format::Format;
pub use self::openmetrics::OpenMetrics;
pub use self::rendered::Rendered;
pub use self::sample::{Label, Point, Shared, Sink, Value};
pub use self::text::Text;

/// The ledgers' families in a format, as the first part of a page. Webhooks come out in the order in which they are given.
#[must_use]
pub fn render(format: Format, account: &AccountView, webhooks: &[WebhookView], policy: &Policy) -> Bytes {
    // Measured: 60 series of some 110 bytes per webhook, and 10 KB of HELP. OpenMetrics has half as many again.
    let per_webhook = match format {
        Format::Text => 9 * 1024,
        Format::OpenMetrics => 14 * 1024,
    };
    let capacity = 16 * 1024 + webhooks.len() * per_webhook;
    let mut text = format.encode(capacity, |sink| families::write(account, webhooks, policy, sink));
    text.shrink_to_fit();
    text.into()
}
