//! What the program prints: results on standard output, errors on standard error.

use std::io::Write as _;

/// One line on standard error.
pub fn complain(line: &str) {
    // If it cannot be written, there is no place to report that.
    let _ = writeln!(std::io::stderr(), "cotalker-webhook-exporter: {line}");
}

/// Text on standard output.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}
