//! What the exporter tells of itself: its own instruments, and its log.

mod families;
mod figures;
mod instruments;
mod log;
mod log_queue;
#[cfg(target_os = "linux")]
mod process;
mod results;

pub use self::instruments::{Instruments, own_families};
pub use self::log::{LogConfig, LogFormat};
pub use self::log_queue::flush_log;
pub use self::results::{ReloadResult, WriteResult};
