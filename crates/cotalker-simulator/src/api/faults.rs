//! The faults that are set on some calls, for the next few or until cleared.

use delivery_ledger::WebhookId;

use super::fault::{Fault, Target};
use super::recorder::Endpoint;

/// The faults in force, in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<SetFault>);

#[derive(Debug)]
struct SetFault {
    target: Target,
    fault: Fault,
    /// `None` until cleared.
    calls_left: Option<usize>,
}

impl Faults {
    pub(crate) fn set(&mut self, target: Target, fault: Fault, calls: Option<usize>) {
        self.0.push(SetFault { target, fault, calls_left: calls });
    }

    pub(crate) fn clear(&mut self, target: Option<Target>) {
        self.0.retain(|set| target.is_some_and(|target| set.target != target));
    }

    /// The faults that this call meets: at most one of the response and one of its date.
    pub(crate) fn take(&mut self, endpoint: Endpoint, webhook: Option<WebhookId>) -> (Option<Fault>, Option<Fault>) {
        let mut take = |of_date: bool| {
            let set = self.0.iter_mut().find(|set| {
                set.target.is_meant(endpoint, webhook) && set.fault.is_of_date() == of_date && set.calls_left != Some(0)
            })?;
            if let Some(left) = &mut set.calls_left {
                *left -= 1;
            }
            Some(set.fault.clone())
        };
        let met = (take(false), take(true));
        // A hold is over when it is cleared, not when its last call has come.
        self.0.retain(|set| set.calls_left != Some(0) || set.fault == Fault::Hold);
        met
    }

    /// Whether [`Fault::Hold`] is (still) set for such calls.
    pub(crate) fn holds(&self, endpoint: Endpoint, webhook: Option<WebhookId>) -> bool {
        self.0.iter().any(|set| set.fault == Fault::Hold && set.target.is_meant(endpoint, webhook))
    }
}
