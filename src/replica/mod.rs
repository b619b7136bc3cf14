//! Several replicas of one account: a Kubernetes Lease says which of them polls each interval.
//!
//! `lease_election` decides, this carries it out: [`elector`] makes the calls and publishes what the replica may do, the
//! poller asks before it does anything. Three calls of the Kubernetes API are needed; a client library for them would be
//! larger than all of this.

mod cluster;
mod elector;
mod lease_api;
pub(crate) mod options;
mod problem;
mod settings;
mod wire;

pub use self::cluster::Cluster;
pub use self::elector::{Elector, Seat};
pub use self::settings::ReplicaSettings;
pub use lease_election::{CLIENT_GO, Standing, Timing};
