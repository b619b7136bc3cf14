//! The simulated API over HTTP, as a plain client sees it.

mod access;
mod calls;
mod client;
mod clock;
mod content;
mod faults;
mod tls;
