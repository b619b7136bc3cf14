//! Tables for a terminal, or for `grep`: no colours, and no line is broken where nobody looks at it.

use comfy_table::presets::ASCII_BORDERS_ONLY_CONDENSED;
use comfy_table::{ContentArrangement, Table};

use delivery_ledger::UnixMillis;

use crate::words;

/// An empty table with these titles, as wide as a terminal of `width` columns at most.
pub(crate) fn table<const COLUMNS: usize>(titles: [&str; COLUMNS], width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_BORDERS_ONLY_CONDENSED).set_header(titles);
    match width {
        Some(width) => table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table
}

/// A point in time to the second, and how long ago that is.
pub(crate) fn date(at: UnixMillis, now: UnixMillis) -> String {
    format!("{} ({})", words::format(at, "%Y-%m-%d %H:%M:%S UTC"), words::ago(now.millis_since(at)))
}

/// Free text without control characters, which could change what a terminal shows.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
