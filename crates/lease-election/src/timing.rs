//! How long things take.

use core::time::Duration;

/// The durations of an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// A Lease that is not renewed for so long can be taken.
    pub lease_duration: Duration,
    /// A holder that could not renew for so long does not hold the Lease any more. Less than `lease_duration`, by the
    /// factor that clocks may differ.
    pub renew_deadline: Duration,
    /// Between the starts of two tries; a candidate's reads are further apart by a random part.
    pub retry_period: Duration,
    /// A call that takes longer has failed.
    pub call_timeout: Duration,
}

/// The defaults of client-go (`leaderelection.LeaderElectionConfig`, as the control plane of Kubernetes uses them); the
/// timeout is half of the renew deadline, as in its `resourcelock.NewFromKubeconfig`.
pub const CLIENT_GO: Timing = Timing {
    lease_duration: Duration::from_secs(15),
    renew_deadline: Duration::from_secs(10),
    retry_period: Duration::from_secs(2),
    call_timeout: Duration::from_secs(5),
};
