//! What the program prints: results on standard output, errors on standard error.

use std::io::Write as _;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::telemetry::flush_log;

/// How long to wait for whoever reads standard error: a pipe that nobody reads must not keep the process. A convention.
const PATIENCE: Duration = Duration::from_millis(500);

/// One line on standard error, behind all lines of the log.
pub fn complain(line: &str) {
    finish_log();
    let line = format!("cotalker-webhook-exporter: {line}");
    let (written, is_written) = mpsc::channel();
    let writer = thread::Builder::new().spawn(move || {
        // If it cannot be written, there is no place to report that.
        let _ = writeln!(std::io::stderr(), "{line}");
        let _ = written.send(());
    });
    if writer.is_ok() {
        let _ = is_written.recv_timeout(PATIENCE);
    }
}

/// Waits for the log to be written, for a moment: the last thing before the process ends.
pub fn finish_log() {
    flush_log(PATIENCE);
}

/// Text on standard output.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

/// How many columns standard output has; `None` if it is no terminal.
#[must_use]
pub fn width() -> Option<u16> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0)
}
