//! Compression of `/metrics`: the large part once per change, the small part once per scrape.
//!
//! The ledgers' families can be 90 MB and change once per poll; the exporter's own metrics are small and change with
//! every scrape. Two compressed texts one after the other would be simpler, and the formats allow it (gzip members, zstd
//! frames), but many clients stop after the first. So each encoding splices both parts into one.

mod encoding;
mod gzip;
#[cfg(test)]
mod noise;
mod part;
mod zstd;

pub use self::encoding::Encoding;
pub use self::part::Part;
