//! The flags of `lost`.

use std::time::Duration;

use clap::Args;

use crate::look::{Output, output};
use crate::options::duration;

/// Bounds that keep sums of times far from overflowing. A convention.
const SHORTEST_SINCE: Duration = Duration::from_secs(1);
const LONGEST_SINCE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The options of `lost`.
#[derive(Args, Clone, Copy, Debug, PartialEq)]
pub struct LostOptions {
    /// How check and lost print: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = output())]
    pub output: Output,
    /// lost prints only events that were lost, or last tried, within this time
    #[arg(long, value_name = "DURATION", value_parser = duration(SHORTEST_SINCE..=LONGEST_SINCE, "24h or 1h 30m"))]
    pub since: Option<Duration>,
}
