//! Metrics as samples, and the formats that write them.
//!
//! [`families`] turns ledgers into samples, and an [`OwnFamily`] does so with what the exporter measures of itself. Both hand
//! them to a [`Sink`], one call per sample, so that nothing is collected in between. An encoder is a sink: a new format is one more
//! of them, in one file, and knows neither ledgers nor instruments.

mod block;
pub mod families;
mod family;
mod format;
mod line;
mod number;
mod openmetrics;
mod own;
mod page;
mod rendered;
mod sample;
mod series;
mod text;
mod view;

pub use self::block::Block;
pub use self::families::FAMILIES;
pub use self::family::{Family, FamilyDoc, Kind};
pub use self::format::Format;
pub use self::openmetrics::OpenMetrics;
pub use self::own::OwnFamily;
pub use self::page::Page;
pub use self::rendered::Rendered;
pub use self::sample::{Label, Point, Shared, Sink, Value};
pub use self::series::Series;
pub use self::text::Text;
pub use self::view::{AccountView, DatedView, WebhookView};
