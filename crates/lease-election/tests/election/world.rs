//! One API server and several replicas, each with a clock of its own. Time passes in small steps.

use std::time::Duration;

use lease_election::{CLIENT_GO, Call, Election, Now, Outcome, Record, Standing, Wanted};

const TICK: Duration = Duration::from_millis(100);

/// Somebody acts at the latest so long after anything has changed: a Lease runs out, a candidate looks, by the slowest
/// clock; or all tries of a renew deadline fail, each in a timeout.
const BOUND: Duration = Duration::from_secs(60);

/// The way between a replica and the API server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Network {
    /// One way.
    pub(crate) millis: u64,
    /// How many requests never arrive.
    pub(crate) lost: f64,
    /// How many responses never arrive.
    pub(crate) unheard: f64,
    /// How many requests arrive long after nobody waits for them any more.
    pub(crate) late: f64,
    /// No connection can be made.
    pub(crate) is_refused: bool,
    pub(crate) writes: Writes,
}

impl Network {
    pub(crate) const GOOD: Self =
        Self { millis: 20, lost: 0.0, unheard: 0.0, late: 0.0, is_refused: false, writes: Writes::AsReads };
    pub(crate) const CUT: Self = Self { lost: 1.0, ..Self::GOOD };
    pub(crate) const REFUSED: Self = Self { is_refused: true, ..Self::GOOD };

    pub(crate) const FORBIDDEN_WRITES: Self = Self { writes: Writes::Forbidden, ..Self::GOOD };
    pub(crate) const UNHEARD_WRITES: Self = Self { writes: Writes::Unheard, ..Self::GOOD };

    fn is_steady(&self) -> bool {
        [Self::GOOD, Self::CUT, Self::REFUSED, Self::FORBIDDEN_WRITES, Self::UNHEARD_WRITES].contains(self)
    }
}

/// What is special about writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Writes {
    AsReads,
    /// The role of the replica does not allow them.
    Forbidden,
    /// They are done, and their responses never arrive.
    Unheard,
}

/// A request on its way, and what happens to the response.
#[derive(Clone, Debug)]
struct Request {
    replica: usize,
    /// Of which life of the replica's.
    identity: String,
    number: u64,
    call: Call,
    arrives_at: Duration,
    is_heard: bool,
    travels: Duration,
}

#[derive(Clone, Debug)]
struct Replica {
    election: Election,
    identity: String,
    rate: f64,
    offset: Duration,
    wall_offset_micros: i64,
    paused_until: Duration,
    network: Network,
    /// The call that it waits for: its number, and when it gives up, by its own clock.
    waits: Option<(u64, Duration)>,
    /// When a response, or a refusal, comes.
    response: Option<(u64, Outcome, Duration)>,
    is_ending: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    now: Duration,
    replicas: Vec<Replica>,
    lease: Option<Record>,
    versions: u64,
    requests: Vec<Request>,
    /// The same for each seed.
    numbers: fastrand::Rng,
    made: u64,
    /// Since when nothing has changed about who runs and who reaches what.
    steady_since: Duration,
    holder: Option<usize>,
}

impl World {
    pub(crate) fn new(rates: &[f64], seed: u64) -> Self {
        let mut world = Self {
            now: Duration::from_secs(1_000),
            replicas: Vec::new(),
            lease: None,
            versions: 0,
            requests: Vec::new(),
            numbers: fastrand::Rng::with_seed(seed),
            made: 0,
            steady_since: Duration::from_secs(1_000),
            holder: None,
        };
        for rate in rates {
            let replica = world.born(*rate);
            world.replicas.push(replica);
        }
        world
    }

    /// A process that starts, with a clock that began at some time of its own.
    fn born(&mut self, rate: f64) -> Replica {
        self.made += 1;
        let identity = format!("replica-{}", self.made);
        let offset = Duration::from_millis(self.numbers.u64(..) % 10_000_000);
        let wall_offset_micros = i64::try_from(self.numbers.u64(..) % 1_000_000_000).expect("small") - 500_000_000;
        let now = Now { uptime: offset + self.now.mul_f64(rate), wall_micros: 0 };
        Replica {
            election: Election::new(identity.clone(), CLIENT_GO, now),
            identity,
            rate,
            offset,
            wall_offset_micros,
            paused_until: Duration::ZERO,
            network: Network::GOOD,
            waits: None,
            response: None,
            is_ending: false,
        }
    }

    fn changed(&mut self) {
        self.steady_since = self.now;
    }

    pub(crate) fn pause(&mut self, who: usize, time: Duration) {
        self.replicas[who].paused_until = self.now + time;
        self.changed();
    }

    pub(crate) fn set_network(&mut self, who: usize, network: Network) {
        self.replicas[who].network = network;
        self.changed();
    }

    /// Killed: what it has sent may still arrive.
    pub(crate) fn replace(&mut self, who: usize) {
        let (rate, network) = (self.replicas[who].rate, self.replicas[who].network);
        self.replicas[who] = Replica { network, ..self.born(rate) };
        self.changed();
    }

    pub(crate) fn terminate(&mut self, who: usize) {
        if self.replicas[who].paused_until <= self.now {
            let now = self.clock(who);
            self.replicas[who].election.resign(now);
            self.replicas[who].is_ending = true;
            self.changed();
        }
    }

    pub(crate) fn set_clock(&mut self, who: usize, seconds: i64) {
        self.replicas[who].wall_offset_micros = seconds * 1_000_000;
    }

    pub(crate) fn touch(&mut self) {
        self.versions += 1;
        let version = self.versions.to_string();
        if let Some(lease) = &mut self.lease {
            lease.version = version;
        }
        self.changed();
    }

    /// All run, and all reach the API server.
    pub(crate) fn calm(&mut self) {
        for replica in &mut self.replicas {
            (replica.paused_until, replica.network) = (self.now, Network::GOOD);
        }
        self.changed();
    }

    fn clock(&self, who: usize) -> Now {
        let replica = &self.replicas[who];
        let uptime = replica.offset + self.now.mul_f64(replica.rate);
        let wall = i64::try_from(self.now.as_micros()).expect("small");
        Now { uptime, wall_micros: wall + replica.wall_offset_micros }
    }

    fn runs(&self, who: usize) -> bool {
        self.replicas[who].paused_until <= self.now
    }

    /// What a replica that asks right now finds that it may do.
    pub(crate) fn standing(&self, who: usize) -> Standing {
        self.replicas[who].election.standing().at(self.clock(who).uptime)
    }

    pub(crate) fn holder(&self) -> Option<usize> {
        self.holder
    }

    pub(crate) fn transitions(&self) -> Option<u32> {
        self.lease.as_ref().map(|lease| lease.transitions)
    }

    pub(crate) fn lease(&self) -> Option<&Record> {
        self.lease.as_ref()
    }

    pub(crate) fn is_anyone_unsure(&self) -> bool {
        (0..self.replicas.len()).any(|who| matches!(self.standing(who), Standing::Unsure { .. }))
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += TICK;
            self.serve();
            for who in 0..self.replicas.len() {
                if self.runs(who) {
                    self.run(who);
                } else {
                    // It has just stopped, or is about to go on.
                    self.changed();
                }
            }
            self.check();
        }
    }

    /// What arrives at the API server.
    fn serve(&mut self) {
        let (arrived, on_their_way) = self.requests.drain(..).partition(|request| request.arrives_at <= self.now);
        self.requests = on_their_way;
        for request in arrived {
            let outcome = self.take(request.call);
            let replica = &mut self.replicas[request.replica];
            let is_awaited = replica.identity == request.identity && request.is_heard;
            if is_awaited && replica.waits.is_some_and(|(number, _)| number == request.number) {
                replica.response = Some((request.number, outcome, self.now + request.travels));
            }
        }
    }

    /// Optimistic concurrency, as the API server has it.
    fn take(&mut self, call: Call) -> Outcome {
        match (call, &self.lease) {
            (Call::Read, Some(lease)) => Outcome::Found(lease.clone()),
            (Call::Read | Call::Update { .. }, None) => Outcome::Absent,
            (Call::Create(_), Some(_)) => Outcome::Conflict,
            (Call::Update { version, .. }, Some(lease)) if lease.version != version => Outcome::Conflict,
            (Call::Update { wanted, .. }, Some(_)) | (Call::Create(wanted), None) => self.write(wanted),
        }
    }

    fn write(&mut self, wanted: Wanted) -> Outcome {
        let mut lease = Record {
            version: String::new(),
            holder: Some(wanted.holder).filter(|holder| !holder.is_empty()),
            duration: Some(wanted.duration),
            acquired_at: Some(wanted.acquired_at),
            renewed_at: Some(wanted.renewed_at),
            transitions: wanted.transitions,
        };
        // An update that changes nothing is none.
        let old = self.lease.as_ref().map(|old| old.version.clone()).unwrap_or_default();
        lease.version = old;
        if self.lease.as_ref() != Some(&lease) {
            self.versions += 1;
            lease.version = self.versions.to_string();
        }
        self.lease = Some(lease.clone());
        Outcome::Found(lease)
    }

    fn run(&mut self, who: usize) {
        let now = self.clock(who);
        let replica = &mut self.replicas[who];
        if let Some((number, gives_up_at)) = replica.waits {
            let response = replica.response.take_if(|(of, _, at)| *of == number && *at <= self.now);
            if let Some((_, outcome, _)) = response {
                replica.waits = None;
                replica.election.ended(outcome, now);
            } else if gives_up_at <= now.uptime {
                replica.waits = None;
                replica.election.ended(Outcome::Failed, now);
            }
        }
        let random = self.numbers.f64();
        let replica = &mut self.replicas[who];
        if let Some(call) = replica.election.advance(now, random) {
            assert!(replica.waits.is_none(), "two calls at once");
            self.send(who, call, now.uptime);
        }
        let replica = &self.replicas[who];
        assert!(replica.waits.is_some() || replica.election.has_resigned() || replica.election.wake_at() > now.uptime);
        if replica.election.has_resigned() && replica.is_ending {
            self.replace(who);
        }
    }

    fn send(&mut self, who: usize, call: Call, uptime: Duration) {
        let network = self.replicas[who].network;
        let number = self.numbers.u64(..);
        let travels = Duration::from_millis(network.millis);
        let is_lost = self.numbers.f64() < network.lost;
        let is_write = !matches!(call, Call::Read);
        let is_heard = self.numbers.f64() >= network.unheard && !(is_write && network.writes == Writes::Unheard);
        let is_refused = network.is_refused || is_write && network.writes == Writes::Forbidden;
        let is_late = self.numbers.f64() < network.late;
        let wait = if is_late { Duration::from_millis(self.numbers.u64(..) % 60_000) } else { Duration::ZERO };
        let replica = &mut self.replicas[who];
        replica.waits = Some((number, uptime + CLIENT_GO.call_timeout));
        replica.response = is_refused.then_some((number, Outcome::Failed, self.now));
        if !is_lost && !is_refused {
            let identity = replica.identity.clone();
            let arrives_at = self.now + travels + wait;
            self.requests.push(Request { replica: who, identity, number, call, arrives_at, is_heard, travels });
        }
    }

    fn check(&mut self) {
        let replicas = 0..self.replicas.len();
        let running: Vec<usize> = replicas.clone().filter(|who| self.runs(*who)).collect();
        let holders: Vec<usize> =
            running.iter().copied().filter(|who| matches!(self.standing(*who), Standing::Holder { .. })).collect();
        assert!(holders.len() <= 1, "two hold the Lease at once: {holders:?} of {:#?}", self.replicas);
        self.holder = holders.first().copied();
        let is_steady = replicas.into_iter().all(|who| self.runs(who) && self.replicas[who].network.is_steady());
        if !is_steady || self.replicas.iter().any(|replica| replica.is_ending) {
            self.changed();
        }
        let standings: Vec<Standing> = running.iter().map(|who| self.standing(*who)).collect();
        let is_late = self.now > self.steady_since + BOUND;
        assert!(!is_late || standings.iter().any(|standing| standing.leads()), "nobody acts: {standings:?}");
        // Whoever checks finds out.
        assert!(!is_late || !standings.contains(&Standing::Checking), "{standings:?}");
    }
}
