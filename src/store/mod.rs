//! The checkpoint: what survives a restart, a crash, a damaged file and a full disk.
//!
//! One file, replaced atomically; the one before it is kept under a second name. A lock keeps a second process out, and
//! is free as soon as its process is gone, however it went.

pub mod disk;
mod keeper;
pub(crate) mod options;
pub mod record;
pub mod writer;

pub use self::keeper::{CURRENT, Found, LOCK, OpenError, PREVIOUS, Store};
