//! Who of several replicas holds a Kubernetes Lease, and until when. A state machine without I/O: calls come out, what
//! they brought goes in, with the clock and a random number handed in.
//!
//! ```text
//! advance(now) ─► Call::Read ─► ended(Outcome::Found(record)) ─► advance(now) ─► Call::Update … ─► standing()
//! ```
//!
//! The rules are those of client-go's `leaderelection`:
//!
//! 1. **No clock is compared with another's.** A candidate takes a Lease once it has itself seen the record unchanged for
//!    the record's duration, by its own clock. The times in the record are for readers.
//! 2. **A holder stops first.** It holds the Lease until the renew deadline after the *start* of its last renewal that
//!    worked, which is sooner than any other can take it as long as no clock runs 1.5 times as fast as another (15 s against
//!    10 s). Whoever asks compares [`Standing`] with the clock, so that a process that was paused finds that its time is up.
//! 3. **A write names the version that it replaces**, so that of two only one works. A write whose result is not known is
//!    followed by a read.
//! 4. **More calls rather than none.** A replica that can neither read nor renew is [`Standing::Unsure`], and acts as if it
//!    held the Lease.

#![no_std]

extern crate alloc;

mod election;
mod record;
mod standing;
mod timing;

pub use election::{Election, Now};
pub use record::{Call, Outcome, Record, Wanted};
pub use standing::Standing;
pub use timing::{CLIENT_GO, Timing};
