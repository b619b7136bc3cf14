//! Crashes at any point: what a scrape has shown is never taken back, and at rest every entry has counted once.
//!
//! First the order of things alone (fold, commit, publish, restart) over generated histories, with a commit that is
//! there or not; then the store on a disk that loses, tears and refuses at any of its steps.

use std::cell::Cell;

use cotalker_webhook_exporter::store::record::{Checkpoint, Records, decode, encode, encode_record};
use cotalker_webhook_exporter::store::{CURRENT, Found, PREVIOUS, Store};
use delivery_ledger::Outcome;
use delivery_ledger::ServerTime;
use delivery_ledger::fleet::{AccountState, WebhookState};
use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, ObjectId, Position, UnixMillis, Webhook, WebhookId,
};
use delivery_ledger::{Ledger, Policy};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::faulty_disk::{FaultyDisk, Skips, Trip};

const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);
const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };
const WEBHOOKS: usize = 2;
const ENOSPC: i32 = 28;
const EIO: i32 = 5;

// ---------------------------------------------------------------------------------------------------------------------
// What happens, and what is to be shown of it
// ---------------------------------------------------------------------------------------------------------------------

/// What two webhooks did.
#[derive(Debug)]
struct World {
    now: UnixMillis,
    rows: u32,
    events: u32,
    webhooks: [Log; WEBHOOKS],
}

#[derive(Debug, Default)]
struct Log {
    rows: Vec<Attempt>,
    /// The event that is to be sent again, and how often it has been.
    open: Option<(Event, u32)>,
    truth: Truth,
}

/// What is to be shown at rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Truth {
    attempts: u64,
    failures: u64,
    retries: u64,
    events: u64,
    delivered: u64,
    lost: u64,
}

impl World {
    fn new() -> Self {
        Self { now: START, rows: 0, events: 0, webhooks: Default::default() }
    }

    /// One more attempt: of the event that waits, or of a new one. A late one is dated before what is known already.
    fn deliver(&mut self, webhook: usize, fails: bool, is_late: bool) {
        self.now = self.now.plus_millis(2_500);
        self.rows += 1;
        let log = &mut self.webhooks[webhook];
        let (event, retry) = log.open.take().unwrap_or_else(|| {
            self.events += 1;
            let number = self.events.to_string();
            log.truth.events += 1;
            let event = Event {
                key: EventKey::of([Some("company"), Some("COTTask"), Some("edit"), Some(&number), None]),
                event_type: EventType::Task,
                action: Action::Edit,
                created_at: Some(self.now.plus_millis(-1_000)),
                subject: None,
            };
            (event, 0)
        });
        let at = if is_late { self.now.plus_millis(-40_000) } else { self.now };
        let mut id = [0; 12];
        id[..4].copy_from_slice(&u32::try_from(at.as_millis() / 1_000).expect("a second").to_be_bytes());
        id[8..].copy_from_slice(&self.rows.to_be_bytes());
        log.rows.push(Attempt {
            id: AttemptId(ObjectId::from_bytes(id)),
            at,
            outcome: Outcome::of(Some(if fails { 503 } else { 200 }), None),
            retry,
            event: Some(event.clone()),
        });
        log.truth.attempts += 1;
        log.truth.failures += u64::from(fails);
        log.truth.retries += u64::from(retry > 0);
        match (fails, retry) {
            (false, _) => log.truth.delivered += 1,
            (true, 3) => log.truth.lost += 1,
            (true, _) => log.open = Some((event, retry + 1)),
        }
    }

    /// Hours in which nothing happens, so that what is old is forgotten. Nothing waits for so long.
    fn sleep(&mut self) {
        for webhook in 0..WEBHOOKS {
            if self.webhooks[webhook].open.is_some() {
                self.deliver(webhook, false, false);
            }
        }
        self.now = self.now.plus_millis(2 * 60 * 60 * 1_000);
    }

    /// Reads a log into its ledger.
    fn read_into(&self, webhook: usize, ledger: &mut Ledger) {
        let mut reading = ledger.read(ServerTime::certain(self.now), &POLICY);
        self.webhooks[webhook].rows.iter().for_each(|row| reading.observe(row.clone()));
        let answer = reading.finish();
        ledger.fold(answer, &POLICY);
    }

    fn check_at_rest(&self, webhook: usize, ledger: &Ledger) -> Result<(), String> {
        let (totals, events) = (ledger.totals(), ledger.events());
        let shown = Truth {
            attempts: totals.attempts,
            failures: totals.failures.iter().sum(),
            retries: totals.retries,
            events: events.entered(EventType::Task, Action::Edit),
            delivered: events.delivered(),
            lost: events.lost(),
        };
        let truth = self.webhooks[webhook].truth;
        if shown == truth && totals.gaps == 0 { Ok(()) } else { Err(format!("{shown:?} is not {truth:?}")) }
    }
}

/// All counters of one webhook, in a fixed order.
type Counters = Vec<u64>;

fn counters(ledger: &Ledger) -> Counters {
    let (totals, events) = (ledger.totals(), ledger.events());
    let response = |code: u16| totals.responses.get(&code).copied().unwrap_or(0);
    let mut counters = vec![totals.attempts, totals.retries, totals.gaps, totals.late, response(200), response(503)];
    counters.extend(totals.failures);
    counters.extend([events.entered(EventType::Task, Action::Edit), events.delivered(), events.lost()]);
    counters.extend(events.delay().buckets);
    counters.push(events.delay().sum_millis);
    counters
}

/// What scrapes have shown.
#[derive(Clone, Debug)]
struct Shown([Option<Counters>; WEBHOOKS]);

impl Shown {
    /// A scrape shows a webhook.
    fn see(&mut self, webhook: usize, ledger: &Ledger) -> Result<(), String> {
        let now = counters(ledger);
        if let Some(before) = &self.0[webhook]
            && before.iter().zip(&now).any(|(before, now)| now < before)
        {
            return Err(format!("{before:?} was shown, and then {now:?}"));
        }
        self.0[webhook] = Some(now);
        Ok(())
    }
}

fn webhook(number: usize) -> Webhook {
    let mut id = [7; 12];
    id[11] = u8::try_from(number).expect("a small number");
    Webhook {
        id: WebhookId(ObjectId::from_bytes(id)),
        company: "company".into(),
        code: format!("hook_{number}"),
        name: "A hook".into(),
        trigger: "create-edit-delete-task".into(),
        target_host: "hooks.acme.example".into(),
        active: true,
    }
}

/// What the exporter has in memory of one webhook.
#[derive(Clone, Debug)]
struct Watched {
    ledger: Ledger,
    is_behind: bool,
}

fn new_fleet() -> Vec<Watched> {
    vec![Watched { ledger: Ledger::new(Position::START), is_behind: false }; WEBHOOKS]
}

fn records(fleet: &[Watched]) -> Records {
    let account = encode_record(&AccountState::default()).expect("bytes");
    let webhooks = fleet.iter().enumerate().map(|(number, watched)| {
        let record = WebhookState {
            webhook: webhook(number),
            ledger: watched.ledger.clone(),
            read_at: Some(START),
            vanished_since: None,
            is_behind: watched.is_behind,
        };
        (record.webhook.id, encode_record(&record).expect("bytes"))
    });
    Records { account, webhooks: webhooks.collect() }
}

fn fleet_of(checkpoint: Checkpoint, is_behind: bool) -> Vec<Watched> {
    let webhooks = checkpoint.webhooks.into_iter();
    webhooks.map(|saved| Watched { ledger: saved.ledger, is_behind: is_behind || saved.is_behind }).collect()
}

// ---------------------------------------------------------------------------------------------------------------------
// The order of things
// ---------------------------------------------------------------------------------------------------------------------

/// Where in a webhook's turn the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    Reading,
    Folded,
    /// Nothing of the commit is there.
    CommitLost,
    /// It is there, and nothing has been shown of it.
    Committed,
    Published,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Deliver {
        webhook: usize,
        fails: bool,
        is_late: bool,
    },
    Sleep,
    /// Both logs are read, each folded, committed and published; the process may end in the turn of one.
    Poll(Option<(usize, Point)>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let point = prop_oneof![
        Just(Point::Reading),
        Just(Point::Folded),
        Just(Point::CommitLost),
        Just(Point::Committed),
        Just(Point::Published)
    ];
    let step = prop_oneof![
        6 => (0..WEBHOOKS, any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(webhook, fails, is_late)| Step::Deliver { webhook, fails, is_late }),
        1 => Just(Step::Sleep),
        2 => Just(Step::Poll(None)),
        4 => (0..WEBHOOKS, point).prop_map(|at| Step::Poll(Some(at))),
    ];
    prop::collection::vec(step, 1..20)
}

/// Says how often the process ended, or what went wrong.
fn follow(steps: &[Step]) -> Result<u32, String> {
    let mut world = World::new();
    let mut fleet = new_fleet();
    let mut shown = Shown(Default::default());
    let mut durable: Option<Vec<u8>> = None;
    let mut crashes = 0;
    for step in steps {
        match *step {
            Step::Deliver { webhook, fails, is_late } => world.deliver(webhook, fails, is_late),
            Step::Sleep => world.sleep(),
            Step::Poll(crash) => {
                let ended = (0..WEBHOOKS).try_for_each(|turn| {
                    let crash = crash.and_then(|(at, point)| (at == turn).then_some(point));
                    take_turn(&world, turn, &mut fleet, &mut durable, &mut shown, crash)
                });
                match ended {
                    Ok(()) => {}
                    Err(Ended::Wrong(what)) => return Err(what),
                    Err(Ended::Crashed) => {
                        crashes += 1;
                        fleet = match &durable {
                            None => new_fleet(),
                            Some(bytes) => {
                                fleet_of(decode(bytes).map_err(|error| error.to_string())?.checkpoint, false)
                            }
                        };
                        // The first scrape is there before the first poll.
                        for (number, watched) in fleet.iter().enumerate() {
                            shown.see(number, &watched.ledger)?;
                        }
                    }
                }
            }
        }
    }
    for (number, watched) in fleet.iter_mut().enumerate() {
        world.read_into(number, &mut watched.ledger);
        shown.see(number, &watched.ledger)?;
        world.check_at_rest(number, &watched.ledger)?;
    }
    Ok(crashes)
}

enum Ended {
    Crashed,
    Wrong(String),
}

fn take_turn(
    world: &World,
    turn: usize,
    fleet: &mut [Watched],
    durable: &mut Option<Vec<u8>>,
    shown: &mut Shown,
    crash: Option<Point>,
) -> Result<(), Ended> {
    let passes = |point| if crash == Some(point) { Err(Ended::Crashed) } else { Ok(()) };
    passes(Point::Reading)?;
    world.read_into(turn, &mut fleet[turn].ledger);
    passes(Point::Folded)?;
    let records = records(fleet);
    passes(Point::CommitLost)?;
    *durable = Some(encode(1, &records).expect("bytes").concat());
    passes(Point::Committed)?;
    for (number, watched) in fleet.iter().enumerate() {
        shown.see(number, &watched.ledger).map_err(Ended::Wrong)?;
    }
    passes(Point::Published)
}

#[test]
fn whatever_the_moment_of_a_crash_nothing_shown_is_taken_back_and_everything_counts_once() {
    const HISTORIES: u32 = if crate::IS_THOROUGH { 20_000 } else { 1_000 };
    let crashes = Cell::new(0);
    let mut runner =
        TestRunner::new(ProptestConfig { cases: HISTORIES, failure_persistence: None, ..Default::default() });
    let outcome = runner.run(&steps(), |steps| {
        let ended = follow(&steps).map_err(TestCaseError::fail)?;
        crashes.set(crashes.get() + ended);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    println!("{HISTORIES} histories with {} crashes: nothing taken back, everything counted once", crashes.get());
}

// ---------------------------------------------------------------------------------------------------------------------
// The disk
// ---------------------------------------------------------------------------------------------------------------------

/// What a run did.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    kills: u32,
    power_losses: u32,
    errors: u32,
    /// Starts from the checkpoint before the last.
    recoveries: u32,
    refusals: u32,
}

/// How the machine, and the process, go on through several lives.
struct Run {
    disk: FaultyDisk,
    dice: StdRng,
    world: World,
    shown: Shown,
    /// What was shown when all of it was on disk.
    promised: Shown,
    /// Whether a checkpoint was ever said to be durable.
    has_committed: bool,
    tally: Tally,
}

const LIVES: u32 = 6;
/// Enough for a journal to become too long.
const ROUNDS: u32 = 10;

/// So many steps of the disk are about what a life makes.
const STEPS_OF_A_LIFE: u32 = 240;

fn run(seed: u64, skips: Skips) -> Result<Tally, String> {
    let mut run = Run {
        disk: FaultyDisk::new(seed, skips),
        dice: StdRng::seed_from_u64(seed ^ 0x00d1_5ced),
        world: World::new(),
        shown: Shown(Default::default()),
        promised: Shown(Default::default()),
        has_committed: false,
        tally: Tally::default(),
    };
    for _ in 0..LIVES {
        let trip = match run.dice.random_range(0..6) {
            0 | 1 => Trip::Kill,
            2 | 3 => Trip::PowerLoss,
            4 => Trip::Error(EIO),
            _ => Trip::Error(ENOSPC),
        };
        // Half of them early: a start has few steps. What can't be read is put aside, so where there is only one
        // checkpoint, its reading (the first step) has to work, or there is nothing to go on from.
        let last = if run.dice.random() { STEPS_OF_A_LIFE } else { 16 };
        let has_spare = [CURRENT, PREVIOUS].iter().all(|name| run.disk.has(name));
        run.disk.trip_after(run.dice.random_range(u32::from(!has_spare)..last), trip);
        run.live()?;
        let end = run.disk.crashed().unwrap_or(if run.dice.random() { Trip::Kill } else { Trip::PowerLoss });
        run.tally.errors += u32::from(matches!(trip, Trip::Error(_)) && run.disk.has_tripped());
        match end {
            Trip::Kill => run.tally.kills += 1,
            Trip::PowerLoss | Trip::Error(_) => run.tally.power_losses += 1,
        }
        run.disk.crash(end);
        run.shown = run.promised.clone();
    }
    run.rest()?;
    Ok(run.tally)
}

impl Run {
    /// Starts; `None` if that was refused, or was interrupted.
    fn start(&mut self) -> Result<Option<(Store, Vec<Watched>)>, String> {
        let (store, found, _) = match Store::on(Box::new(self.disk.clone()), self.world.now) {
            Ok(opened) => opened,
            Err(_) if self.disk.has_tripped() => {
                self.tally.refusals += 1;
                return Ok(None);
            }
            Err(error) => return Err(format!("refused to start: {error}")),
        };
        let fleet = match found {
            Found::Nothing if self.has_committed => return Err("the checkpoint is gone".into()),
            Found::Nothing => new_fleet(),
            Found::Current(checkpoint) => fleet_of(checkpoint, false),
            Found::Previous(checkpoint) => {
                self.tally.recoveries += 1;
                fleet_of(checkpoint, true)
            }
            Found::Lost if self.disk.crashed().is_some() => return Ok(None),
            Found::Lost => return Err("no checkpoint can be used".into()),
        };
        Ok(self.disk.crashed().is_none().then_some((store, fleet)))
    }

    fn live(&mut self) -> Result<(), String> {
        let Some((mut store, mut fleet)) = self.start()? else { return Ok(()) };
        self.publish(&fleet, true)?;
        for _ in 0..ROUNDS {
            for _ in 0..self.dice.random_range(0..4) {
                let (webhook, fails, is_late) =
                    (self.dice.random_range(0..WEBHOOKS), self.dice.random(), self.dice.random_bool(0.2));
                self.world.deliver(webhook, fails, is_late);
            }
            if self.dice.random_bool(0.05) {
                self.world.sleep();
            }
            let mut is_saved = true;
            for turn in 0..WEBHOOKS {
                self.world.read_into(turn, &mut fleet[turn].ledger);
                fleet[turn].is_behind = false;
                // After a failure it is tried again in the next round.
                if is_saved {
                    is_saved = store.commit(&records(&fleet)).is_ok();
                }
                if self.disk.crashed().is_some() {
                    return Ok(());
                }
                self.has_committed |= is_saved;
                self.publish(&fleet, is_saved)?;
            }
        }
        Ok(())
    }

    /// A scrape. What could not be written is shown all the same, and is no promise.
    fn publish(&mut self, fleet: &[Watched], is_saved: bool) -> Result<(), String> {
        for (number, watched) in fleet.iter().enumerate().filter(|(_, watched)| !watched.is_behind) {
            self.shown.see(number, &watched.ledger)?;
        }
        if is_saved {
            self.promised = self.shown.clone();
        }
        Ok(())
    }

    /// At last nothing goes wrong any more.
    fn rest(&mut self) -> Result<(), String> {
        let Some((mut store, mut fleet)) = self.start()? else { return Err("did not start".into()) };
        self.publish(&fleet, true)?;
        for (number, watched) in fleet.iter_mut().enumerate() {
            self.world.read_into(number, &mut watched.ledger);
            watched.is_behind = false;
            self.world.check_at_rest(number, &watched.ledger)?;
        }
        store.commit(&records(&fleet)).map_err(|error| error.to_string())?;
        self.publish(&fleet, true)
    }
}

#[test]
fn no_crash_at_any_step_of_the_disk_takes_back_what_was_shown() {
    const RUNS: u32 = if crate::IS_THOROUGH { 1_500 } else { 150 };
    let mut all = Tally::default();
    for seed in 0..RUNS {
        let tally = run(u64::from(seed), Skips::Nothing).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        all.kills += tally.kills;
        all.power_losses += tally.power_losses;
        all.errors += tally.errors;
        all.recoveries += tally.recoveries;
        all.refusals += tally.refusals;
    }
    println!("{RUNS} runs: {all:?}, nothing taken back, everything counted once");
    assert!(all.kills > RUNS / 3 * 4 && all.power_losses > RUNS / 3 * 4, "{all:?}");
    assert!(all.errors > RUNS / 3 * 2 && all.recoveries > RUNS / 75, "{all:?}");
}

/// The proof that the test above would see it.
#[test]
fn without_one_of_the_syncs_the_same_crashes_do_take_back_what_was_shown() {
    for skips in [Skips::DirectorySync, Skips::FileSync, Skips::AppendSync] {
        let losses = (0..200).filter(|seed| run(*seed, skips).is_err()).count();
        println!("{skips:?} left out: {losses} of 200 runs lost something");
        assert!(losses > 0, "{skips:?} left out, and nothing was lost");
    }
}
