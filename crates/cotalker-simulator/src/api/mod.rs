//! The API over HTTP.
//!
//! ```text
//! connections ► call ► route      which call it is
//!                    ► content    what a healthy API sends     ► response
//!                    ► bend       what a fault makes of it     ► response
//! shared      the world, the clock, and what is set: accounts, faults, recorder
//! ```

mod accounts;
mod bend;
mod call;
mod connections;
mod content;
mod fault;
mod faults;
mod recorded;
mod recorder;
mod response;
mod route;
mod shared;

pub use fault::{Fault, Target};
pub use recorder::{Call, Endpoint};

pub(crate) use connections::serve;
pub(crate) use shared::Shared;
