//! Why a simulated call fails.

use delivery_ledger::fleet::{CallFailure, Reach};

/// A failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) Reach);

impl CallFailure for Failure {
    fn reach(&self) -> Reach {
        self.0
    }

    fn is_like(&self, other: &Self) -> bool {
        self == other
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        None
    }
}
