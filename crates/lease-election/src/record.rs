//! What a Lease says, and the calls for it.

use alloc::string::String;
use core::time::Duration;

/// A Lease as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its `resourceVersion`, which changes with every write: opaque.
    pub version: String,
    /// Who holds it; `None` if it was released.
    pub holder: Option<String>,
    /// How long it cannot be taken after a renewal, as the holder has it; `None` if it says nothing.
    pub duration: Option<Duration>,
    /// When it was taken, in microseconds since 1970 by the holder's clock.
    pub acquired_at: Option<i64>,
    /// When it was last renewed, likewise.
    pub renewed_at: Option<i64>,
    /// How often it has passed to another.
    pub transitions: u32,
}

/// What a Lease should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Who holds it; empty to release it.
    pub holder: String,
    /// How long it cannot be taken after this.
    pub duration: Duration,
    /// When it was taken, in microseconds since 1970 by the local clock.
    pub acquired_at: i64,
    /// When it is renewed, likewise; more than any earlier one of this replica, so that each renewal is a change.
    pub renewed_at: i64,
    /// How often it has passed to another.
    pub transitions: u32,
}

/// A call that the shell has to make. There is one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Read the Lease.
    Read,
    /// Make it.
    Create(Wanted),
    /// Replace it, if it still has this version.
    Update {
        /// The version.
        version: String,
        /// By what.
        wanted: Wanted,
    },
}

/// What a call brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The Lease as it is now: as it was read, or as it was written.
    Found(Record),
    /// There is none.
    Absent,
    /// It was not written, for it has another version, or is there already.
    Conflict,
    /// The call failed or took too long. What was to be written may have been written, or may be later.
    Failed,
}
