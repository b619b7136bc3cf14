//! What the exporter tells of itself: its own instruments, and its log.

mod instruments;
mod log;
mod log_queue;
mod results;

pub use self::instruments::{Instruments, as_seconds};
pub use self::log::{LogConfig, LogFormat};
pub use self::log_queue::flush_log;
pub use self::results::{ReloadResult, WriteResult};
