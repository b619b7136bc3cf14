//! Compression of `/metrics`: each part of the ledgers' families once per change, the small rest of the page once per scrape.
//!
//! The ledgers' families can be 90 MB; the exporter's own metrics are small and change with every scrape. Compressed texts
//! one after the other would be simpler, and the formats allow it (gzip members, zstd frames), but many clients stop after
//! the first. So each encoding splices all parts into one. gzip does so with any number of parts. A part of a zstd frame
//! depends on what comes before it, so there the ledgers' families are one part.

mod encoding;
mod gzip;
#[cfg(test)]
mod noise;
mod part;
mod tail;
mod zstd;

pub use self::encoding::Encoding;
pub use self::gzip::{Deflated, Deflater, Member};
pub use self::part::Part;
pub use self::tail::{Settled, Tail};
pub use self::zstd::Framed;
