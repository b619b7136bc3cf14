//! What a replica has to know of the others.

use std::time::Duration;

use lease_election::Timing;

use super::cluster::Cluster;

/// What a replica has to know of the others.
#[derive(Clone, Debug)]
pub struct ReplicaSettings {
    /// The name of the Lease that they share, in the pod's namespace.
    pub lease: String,
    /// The time between the starts of two polls of a replica that does not hold it.
    pub standby_interval: Duration,
    /// How long things take.
    pub timing: Timing,
    /// Where the Lease is.
    pub cluster: Cluster,
    /// The pod's name, for readers of the Lease.
    pub pod: String,
}
