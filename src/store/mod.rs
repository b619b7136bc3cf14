//! The checkpoint: what survives a restart, a crash, a damaged file and a full disk.
//!
//! One file, replaced atomically, and a journal of what has changed since; those before them are kept. A lock keeps a
//! second process out, and is free as soon as its process is gone, however it went.

pub mod disk;
mod journal;
mod keeper;
mod load;
pub(crate) mod options;
pub mod record;
mod replay;
pub mod writer;

pub use self::journal::BLOCK;
pub use self::keeper::{LOCK, OpenError, Store};
pub use self::load::{CURRENT, Found, JOURNAL, PREVIOUS};
