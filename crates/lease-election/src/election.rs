//! The election itself.

use alloc::string::String;
use core::time::Duration;

use crate::record::{Call, Outcome, Record, Wanted};
use crate::standing::Standing;
use crate::timing::Timing;

/// A candidate's reads are further apart by up to this part of the retry period, so that candidates do not come at once.
/// Source: client-go, `leaderelection.JitterFactor`.
const JITTER: f64 = 1.2;

/// A call that ends after so many timeouts was not cut off by the API: the process stood still.
const STALLED_AFTER: u32 = 2;

/// What a released Lease says of its duration. Source: client-go, `LeaderElector.release`.
const RELEASED_DURATION: Duration = Duration::from_secs(1);

/// Both clocks of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// A monotonic clock that runs while the machine is suspended.
    pub uptime: Duration,
    /// Microseconds since 1970, for the readers of the Lease. Nothing is decided by it.
    pub wall_micros: i64,
}

/// One replica's part in the election.
#[derive(Clone, Debug)]
pub struct Election {
    identity: String,
    timing: Timing,
    seen: Seen,
    /// The last write may or may not have been done.
    must_read: bool,
    /// The Lease of another, or one that was deleted, cannot be taken before then.
    reserved_until: Duration,
    /// This replica holds the Lease until then.
    held_until: Duration,
    standing: Standing,
    under_way: Option<Try>,
    /// No call before then.
    next_at: Duration,
    /// No write before then.
    write_from: Duration,
    /// The start of the first of the calls that have failed since the Lease was renewed, or was seen to be another's. A read
    /// that works proves nothing if the write that it calls for does not.
    failing_since: Option<Duration>,
    /// The newest `renewed_at` that this replica has sent.
    renewed_at: i64,
    resigns: bool,
    has_resigned: bool,
}

/// What is known of the Lease.
#[derive(Clone, Debug)]
enum Seen {
    Nothing,
    Absent,
    Lease(Record),
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
struct Try {
    started: Duration,
    is_renewal: bool,
    is_write: bool,
    random: f64,
}

impl Election {
    /// A replica that has not called yet. No other, before or after it, has the same `identity`.
    #[must_use]
    pub fn new(identity: String, timing: Timing, now: Now) -> Self {
        Self {
            identity,
            timing,
            seen: Seen::Nothing,
            must_read: false,
            reserved_until: Duration::ZERO,
            held_until: Duration::ZERO,
            standing: Standing::Standby,
            under_way: None,
            next_at: now.uptime,
            write_from: Duration::ZERO,
            failing_since: None,
            renewed_at: i64::MIN,
            resigns: false,
            has_resigned: false,
        }
    }

    /// What this replica may do, as of the last input. Ask [`Standing::at`] before doing it.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Who holds the Lease, as it was last seen.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        match &self.seen {
            Seen::Lease(record) => record.holder.as_deref(),
            Seen::Nothing | Seen::Absent => None,
        }
    }

    /// When [`Election::advance`] is wanted next; an input may make it earlier.
    #[must_use]
    pub fn wake_at(&self) -> Duration {
        let next = if self.under_way.is_some() || self.has_resigned { Duration::MAX } else { self.next_at };
        next.min(self.standing.until().unwrap_or(Duration::MAX))
    }

    /// Takes in that time has passed, and gives the call to make now, if any. `random` is uniform in `[0, 1)`.
    pub fn advance(&mut self, now: Now, random: f64) -> Option<Call> {
        self.settle(now.uptime);
        if self.under_way.is_some() || self.has_resigned || now.uptime < self.next_at {
            return None;
        }
        let Some(call) = self.choose(now) else {
            self.has_resigned = true;
            return None;
        };
        let is_write = !matches!(call, Call::Read);
        if is_write {
            self.write_from = now.uptime.saturating_add(self.timing.retry_period);
        }
        let is_renewal = is_write && !self.resigns;
        self.under_way = Some(Try { started: now.uptime, is_renewal, is_write, random });
        Some(call)
    }

    /// The call to make; `None` if all is done before the end.
    fn choose(&mut self, now: Now) -> Option<Call> {
        if self.must_read {
            return Some(Call::Read);
        }
        let may_write = now.uptime >= self.write_from;
        let is_free = now.uptime >= self.reserved_until;
        match &self.seen {
            Seen::Lease(record) if self.is_mine(record) => {
                let (version, record) = (record.version.clone(), record.clone());
                Some(Call::Update { version, wanted: self.want(Some(&record), now) })
            }
            Seen::Nothing | Seen::Absent | Seen::Lease(_) if self.resigns => None,
            Seen::Absent if is_free && may_write => Some(Call::Create(self.want(None, now))),
            Seen::Lease(record) if is_free && may_write => {
                let (version, record) = (record.version.clone(), record.clone());
                Some(Call::Update { version, wanted: self.want(Some(&record), now) })
            }
            Seen::Nothing | Seen::Absent | Seen::Lease(_) => Some(Call::Read),
        }
    }

    /// What is to replace `old`.
    fn want(&mut self, old: Option<&Record>, now: Now) -> Wanted {
        // A clock that stands still or was set back must not make a renewal look like none.
        let renewed_at = now.wall_micros.max(self.renewed_at.saturating_add(1));
        self.renewed_at = renewed_at;
        let mine = old.filter(|record| self.is_mine(record));
        let transitions = match (old, mine) {
            (_, Some(record)) => record.transitions,
            (Some(record), None) => record.transitions.saturating_add(1),
            (None, None) => 0,
        };
        if self.resigns {
            let (holder, duration) = (String::new(), RELEASED_DURATION);
            return Wanted { holder, duration, acquired_at: renewed_at, renewed_at, transitions };
        }
        let acquired_at = mine.and_then(|record| record.acquired_at).unwrap_or(renewed_at);
        let (holder, duration) = (self.identity.clone(), self.timing.lease_duration);
        Wanted { holder, duration, acquired_at, renewed_at, transitions }
    }

    fn is_mine(&self, record: &Record) -> bool {
        record.holder.as_deref() == Some(self.identity.as_str())
    }

    /// Takes in what the call under way brought.
    pub fn ended(&mut self, outcome: Outcome, now: Now) {
        let Some(call) = self.under_way.take() else { return };
        let uptime = now.uptime;
        self.settle(uptime);
        self.next_at = call.started.saturating_add(self.timing.retry_period).max(uptime);
        match outcome {
            Outcome::Found(record) => self.found(record, call, uptime),
            Outcome::Absent => {
                self.must_read = false;
                self.seen = Seen::Absent;
                self.held_until = Duration::ZERO;
                if self.standing.at(uptime) == Standing::Checking {
                    self.standing = Standing::Standby;
                }
                // One that was deleted may still be held by another.
                self.next_at = self.next_read(call, uptime).min(self.reserved_until.max(self.write_from).max(uptime));
            }
            Outcome::Conflict => {
                self.must_read = true;
                self.next_at = uptime;
            }
            Outcome::Failed => self.failed(call, uptime),
        }
        self.settle(uptime);
    }

    fn found(&mut self, record: Record, call: Try, uptime: Duration) {
        self.must_read = false;
        if self.is_mine(&record) {
            if call.is_renewal {
                self.failing_since = None;
                self.held_until = call.started.saturating_add(self.timing.renew_deadline);
                self.standing = Standing::Holder { until: self.held_until };
            } else {
                // A write whose response was lost: what it was worth is not known, and the next one is.
                self.next_at = self.write_from.max(uptime);
            }
            self.reserved_until = Duration::ZERO;
        } else if record.holder.is_none() {
            self.held_until = Duration::ZERO;
            self.reserved_until = Duration::ZERO;
            self.next_at = self.write_from.max(uptime);
        } else {
            self.held_until = Duration::ZERO;
            let is_known = matches!(&self.seen, Seen::Lease(known) if known.version == record.version);
            if !is_known {
                let duration = record.duration.unwrap_or(self.timing.lease_duration);
                self.reserved_until = uptime.saturating_add(duration);
            }
            if uptime < self.reserved_until {
                self.failing_since = None;
                self.standing = Standing::Standby;
            }
            let free_at = self.reserved_until.max(self.write_from).max(uptime);
            self.next_at = self.next_read(call, uptime).min(free_at);
        }
        self.seen = Seen::Lease(record);
        self.has_resigned |= self.resigns && call.is_write;
    }

    fn failed(&mut self, call: Try, uptime: Duration) {
        self.must_read |= call.is_write;
        if uptime.saturating_sub(call.started) > self.timing.call_timeout.saturating_mul(STALLED_AFTER) {
            // The process stood still. That says nothing of the API, which is asked at once.
            self.failing_since = None;
            self.next_at = uptime;
            return;
        }
        let since = *self.failing_since.get_or_insert(call.started);
        // A holder whose renewals fail from one on has lost the Lease after this.
        let patience = self.timing.renew_deadline.saturating_sub(self.timing.retry_period);
        if uptime.saturating_sub(since) >= patience {
            self.standing = Standing::Unsure { until: uptime.saturating_add(self.timing.renew_deadline) };
        }
    }

    fn next_read(&self, call: Try, uptime: Duration) -> Duration {
        uptime.saturating_add(self.timing.retry_period.mul_f64(1.0 + JITTER * call.random.clamp(0.0, 1.0)))
    }

    /// Gives the Lease back, if it is this replica's. Whoever calls this has stopped acting as the holder.
    pub fn resign(&mut self, now: Now) {
        self.resigns = true;
        self.next_at = now.uptime;
        self.settle(now.uptime);
    }

    /// Whether all is done after [`Election::resign`].
    #[must_use]
    pub fn has_resigned(&self) -> bool {
        self.has_resigned
    }

    /// Brings the standing up to date.
    fn settle(&mut self, uptime: Duration) {
        self.standing = match self.standing.at(uptime) {
            _ if self.resigns => Standing::Standby,
            _ if self.held_until > uptime => Standing::Holder { until: self.held_until },
            Standing::Holder { .. } => Standing::Checking,
            standing @ (Standing::Standby | Standing::Unsure { .. } | Standing::Checking) => standing,
        };
    }
}
