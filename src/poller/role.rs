//! What this replica is to do: poll each interval, or stand by.

use std::time::Duration;

use lease_election::Standing;

use crate::replica::Seat;
use crate::snapshot::Part;

/// This replica's role.
#[derive(Debug)]
pub(super) struct Role {
    seat: Option<Seat>,
    /// The time between the starts of two polls of whoever leads.
    lead_interval: Duration,
    part: Part,
}

impl Role {
    /// Without a seat among others it leads, with one it stands by until that says otherwise.
    pub(super) fn new(seat: Option<Seat>, lead_interval: Duration) -> Self {
        let part = if seat.is_some() { Part::StandsBy } else { Part::Leads };
        Self { seat, lead_interval, part }
    }

    /// Takes in what the role is at `now`, by the clock of [`crate::clock::since_boot`], and says whether it is another
    /// than before; `None` while it is not known.
    pub(super) fn take_in(&mut self, now: Duration) -> Option<bool> {
        let Some(seat) = &mut self.seat else { return Some(false) };
        let part = match seat.standing.borrow_and_update().at(now) {
            Standing::Holder { .. } => Part::Leads,
            Standing::Unsure { .. } => Part::LeadsUnsure,
            Standing::Standby => Part::StandsBy,
            Standing::Checking => return None,
        };
        Some(std::mem::replace(&mut self.part, part) != part)
    }

    pub(super) fn part(&self) -> Part {
        self.part
    }

    pub(super) fn leads(&self) -> bool {
        self.part != Part::StandsBy
    }

    /// The time between the starts of two polls.
    pub(super) fn interval(&self) -> Duration {
        match &self.seat {
            Some(seat) if self.part == Part::StandsBy => seat.standby_interval,
            Some(_) | None => self.lead_interval,
        }
    }

    /// Waits until the role may be another one.
    pub(super) async fn changed(&mut self) {
        let is_gone = match &mut self.seat {
            Some(seat) => seat.standing.changed().await.is_err(),
            None => true,
        };
        if is_gone {
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_holder_whose_time_is_up_does_nothing_before_it_knows_more() {
        let (sender, standing) = watch::channel(Standing::Standby);
        let mut role = Role::new(Some(Seat { standing, standby_interval: MINUTE * 10 }), MINUTE);
        assert_eq!((role.take_in(MINUTE), role.leads(), role.interval()), (Some(false), false, MINUTE * 10));
        sender.send_replace(Standing::Holder { until: MINUTE * 2 });
        assert_eq!((role.take_in(MINUTE), role.leads(), role.interval()), (Some(true), true, MINUTE));
        // Nobody has told it anything: the clock says it, however long the process stood still.
        assert_eq!(role.take_in(MINUTE * 2), None);
        sender.send_replace(Standing::Unsure { until: MINUTE * 3 });
        assert_eq!((role.take_in(MINUTE * 2), role.part()), (Some(true), Part::LeadsUnsure));
        assert_eq!(role.take_in(MINUTE * 3), None);
        sender.send_replace(Standing::Standby);
        assert_eq!((role.take_in(MINUTE * 3), role.leads()), (Some(true), false));
    }

    #[test]
    fn the_only_exporter_of_an_account_leads() {
        let mut role = Role::new(None, MINUTE);
        assert_eq!((role.take_in(MINUTE), role.leads(), role.interval()), (Some(false), true, MINUTE));
    }
}
