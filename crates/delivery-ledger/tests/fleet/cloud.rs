//! The simulated API: which webhooks there are, what their logs hold, and how calls go.

use std::collections::BTreeMap;
use std::time::Duration;

use delivery_ledger::fleet::Reach;
use delivery_ledger::{Attempt, AttemptId, FailureReason, ObjectId, Outcome, UnixMillis, Webhook, WebhookId};

/// When every simulation begins, by the server's clock.
pub(crate) const BEGIN: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// After so long a call that hangs ends as a failure: the exporter's default timeout.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// The point of the server's time `clock` after the beginning.
pub(crate) fn server_time(clock: Duration) -> UnixMillis {
    BEGIN.plus_millis(i64::try_from(clock.as_millis()).expect("some days"))
}

/// What a `Date` header says at this time: whole seconds.
pub(crate) fn date(clock: Duration) -> UnixMillis {
    server_time(clock).start_of_second()
}

/// The id of something made at `made_at`.
pub(crate) fn object_id(made_at: UnixMillis, number: u32) -> ObjectId {
    let second = u32::try_from(made_at.as_millis() / 1_000).expect("before 2106");
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&second.to_be_bytes());
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes(bytes)
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Everything,
    List,
    Describe(usize),
    Log(usize),
}

/// How calls to a target go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// After this many milliseconds the response is there.
    Works(u64),
    Fails(Reach),
    /// Until [`TIMEOUT`]; then it fails as the whole API would.
    Hangs,
    /// It fails, and the API asks for a pause of so many seconds.
    Throttled(u64),
    /// Every other call fails on its own.
    Flaky,
}

/// A webhook as it is in truth.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) id: WebhookId,
    pub(crate) code: String,
    pub(crate) is_there: bool,
    /// In the order of time.
    pub(crate) log: Vec<Attempt>,
}

impl Hook {
    /// As the list describes it.
    pub(crate) fn webhook(&self) -> Webhook {
        Webhook {
            id: self.id,
            company: "company".into(),
            code: self.code.clone(),
            name: String::new(),
            trigger: String::new(),
            target_host: String::new(),
            active: true,
        }
    }

    /// How many entries its log shows at this time.
    pub(crate) fn length_at(&self, clock: Duration) -> usize {
        self.log.partition_point(|attempt| attempt.at <= server_time(clock))
    }
}

/// All of the simulated API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cloud {
    pub(crate) hooks: Vec<Hook>,
    pub(crate) weather: BTreeMap<Target, Weather>,
    /// The list shows one entry that cannot be read, instead of this webhook.
    pub(crate) malformed: Option<usize>,
    attempts: u32,
    calls: u32,
}

impl Cloud {
    /// Makes a webhook, at the server's time `made_at`.
    pub(crate) fn make(&mut self, code: &str, made_at: UnixMillis, is_there: bool) -> usize {
        let number = u32::try_from(self.hooks.len()).expect("few");
        let id = WebhookId(object_id(made_at, number));
        self.hooks.push(Hook { id, code: code.into(), is_there, log: Vec::new() });
        self.hooks.len() - 1
    }

    /// Lets a webhook try a delivery now.
    pub(crate) fn attempt(&mut self, index: usize, clock: Duration, is_failure: bool) {
        self.attempts += 1;
        let at = server_time(clock);
        let outcome = match is_failure {
            true => Outcome::Failure { reason: FailureReason::Http5xx, status: Some(503) },
            false => Outcome::Success { status: 200 },
        };
        let id = AttemptId(object_id(at, self.attempts));
        self.hooks[index].log.push(Attempt { id, at, outcome, retry: 0, event: None });
    }

    /// Which webhook has this id.
    pub(crate) fn index_of(&self, id: WebhookId) -> usize {
        self.hooks.iter().position(|hook| hook.id == id).expect("a webhook that was made")
    }

    /// What the list shows now, and how many malformed entries; newest first, as an API might.
    pub(crate) fn list(&self) -> (Vec<Webhook>, usize) {
        let there = self.hooks.iter().enumerate().rev().filter(|(_, hook)| hook.is_there);
        let is_readable = |index: &usize| self.malformed != Some(*index);
        let readable: Vec<Webhook> =
            there.clone().filter(|(index, _)| is_readable(index)).map(|(_, hook)| hook.webhook()).collect();
        let malformed = there.count() - readable.len();
        (readable, malformed)
    }

    /// How the next call to `target` goes.
    pub(crate) fn next_call(&mut self, target: Target) -> Weather {
        self.calls += 1;
        let weather = self.weather.get(&Target::Everything).or_else(|| self.weather.get(&target));
        match weather.copied().unwrap_or(Weather::Works(20)) {
            Weather::Flaky if self.calls.is_multiple_of(2) => Weather::Fails(Reach::Call),
            Weather::Flaky => Weather::Works(20),
            weather @ (Weather::Works(_) | Weather::Fails(_) | Weather::Hangs | Weather::Throttled(_)) => weather,
        }
    }
}
