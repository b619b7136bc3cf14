//! The journal: what is told to be durable is there after any crash, what is torn off was never told, and what is damaged
//! hides no more than it may be about.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use cotalker_webhook_exporter::store::disk::{Directory, Disk};
use cotalker_webhook_exporter::store::record::{Checkpoint, Records, encode_record};
use cotalker_webhook_exporter::store::{BLOCK, CURRENT, Found, JOURNAL, PREVIOUS, Store};
use delivery_ledger::fleet::{AccountState, WebhookState};
use delivery_ledger::{Ledger, ObjectId, Position, UnixMillis, Webhook, WebhookId};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{TestCaseError, TestRunner};

use crate::faulty_disk::{FaultyDisk, Skips, Trip};

const NOW: UnixMillis = UnixMillis::from_secs(1_700_000_000);
const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const SECTOR: usize = 512;

/// What is kept, as far as these tests tell it apart: how often the account and each webhook have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    account: i64,
    webhooks: BTreeMap<u8, i64>,
}

impl State {
    fn change(&mut self, webhook: u8) {
        self.account += 1;
        *self.webhooks.entry(webhook).or_default() += 1;
    }

    fn of(checkpoint: &Checkpoint) -> Self {
        let revision = |at: Option<UnixMillis>| at.map_or(0, UnixMillis::as_millis);
        let webhooks = checkpoint.webhooks.iter();
        Self {
            account: revision(checkpoint.account.listed_at),
            webhooks: webhooks.map(|state| (number_of(state), revision(state.read_at))).collect(),
        }
    }

    fn records(&self) -> Records {
        let listed_at = Some(UnixMillis::from_millis(self.account));
        let account = encode_record(&AccountState { listed_at, ..AccountState::default() }).expect("bytes");
        let webhooks = self.webhooks.iter().map(|(number, revision)| (id(*number), record(*number, *revision)));
        Records { account, webhooks: webhooks.collect() }
    }
}

fn id(number: u8) -> WebhookId {
    WebhookId(ObjectId::from_bytes([number; 12]))
}

fn number_of(state: &WebhookState) -> u8 {
    state.webhook.id.0.to_bytes()[0]
}

/// Some are longer than a block.
fn record(number: u8, revision: i64) -> Bytes {
    let webhook = Webhook {
        id: id(number),
        company: "625be93a286ef83c1c0e845f".into(),
        code: format!("hook_{number}"),
        name: "Órdenes ".repeat(usize::from(number % 4) * 300),
        trigger: "create-edit-delete-task".into(),
        target_host: "hooks.acme.example".into(),
        active: true,
    };
    let ledger = Ledger::new(Position::START);
    let read_at = Some(UnixMillis::from_millis(revision));
    encode_record(&WebhookState { webhook, ledger, read_at, vanished_since: None, is_behind: false }).expect("bytes")
}

fn open(disk: &FaultyDisk) -> (Store, Found, u64) {
    Store::on(Box::new(disk.clone()), NOW).expect("a store")
}

/// A disk with these files.
fn disk_of(files: &BTreeMap<String, Vec<u8>>) -> FaultyDisk {
    let disk = FaultyDisk::new(1, Skips::Nothing);
    files.iter().for_each(|(name, bytes)| disk.put(name, Some(bytes)));
    disk
}

fn journals(disk: &FaultyDisk) -> Vec<String> {
    let is_journal = |name: &String| name.starts_with(JOURNAL) && !name.contains("corrupt");
    disk.contents().into_keys().filter(is_journal).collect()
}

// ---------------------------------------------------------------------------------------------------------------------
// Crashes
// ---------------------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
enum Step {
    Change(u8),
    Forget(u8),
    /// Something may happen after so many steps of the disk.
    Commit(Option<(u32, Trip)>),
    Crash(Trip),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let trip = prop_oneof![Just(Trip::Kill), Just(Trip::PowerLoss), Just(Trip::Error(EIO)), Just(Trip::Error(ENOSPC))];
    let crash = prop_oneof![Just(Trip::Kill), Just(Trip::PowerLoss)];
    let step = prop_oneof![
        8 => (0..6_u8).prop_map(Step::Change),
        1 => (0..6_u8).prop_map(Step::Forget),
        8 => Just(Step::Commit(None)),
        2 => (0..16_u32, trip).prop_map(|trip| Step::Commit(Some(trip))),
        1 => crash.prop_map(Step::Crash),
    ];
    prop::collection::vec(step, 1..120)
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    told: u32,
    crashes: u32,
    errors: u32,
    /// A start found more than what had been told.
    later: u32,
}

/// Says what happened, or what went wrong.
fn follow(seed: u64, skips: Skips, steps: &[Step]) -> Result<Tally, String> {
    let disk = FaultyDisk::new(seed, skips);
    let (mut store, ..) = open(&disk);
    let mut state = State::default();
    // What is durable, and what may be because it was tried since.
    let (mut told, mut tried) = (None, Vec::new());
    let mut tally = Tally::default();
    for step in steps {
        let mut crash = None;
        match *step {
            Step::Change(webhook) => state.change(webhook),
            Step::Forget(webhook) => drop(state.webhooks.remove(&webhook)),
            Step::Commit(trip) => {
                let (steps, trip) = trip.unwrap_or((u32::MAX, Trip::Kill));
                disk.trip_after(steps, trip);
                if store.commit(&state.records()).is_ok() {
                    (told, tally.told) = (Some(state.clone()), tally.told + 1);
                    tried.clear();
                } else {
                    tried.push(state.clone());
                }
                tally.errors += u32::from(disk.has_tripped() && disk.crashed().is_none());
                disk.trip_after(u32::MAX, Trip::Kill);
                crash = disk.crashed();
            }
            Step::Crash(trip) => crash = Some(trip),
        }
        let Some(crash) = crash else { continue };
        tally.crashes += 1;
        disk.crash(crash);
        let (opened, found, put_aside) = open(&disk);
        store = opened;
        state = match &found {
            Found::Nothing if told.is_none() => State::default(),
            Found::Current(checkpoint)
                if put_aside == 0 && checkpoint.webhooks.iter().all(|state| !state.is_behind) =>
            {
                State::of(checkpoint)
            }
            Found::Nothing | Found::Current(_) | Found::Previous(_) | Found::Lost => {
                return Err(format!("found {found:?}, {put_aside} put aside"));
            }
        };
        let is_told = told.as_ref().is_none_or(|told| *told == state);
        if !is_told && !tried.contains(&state) {
            return Err(format!("{told:?} was told, and {state:?} is found"));
        }
        tally.later += u32::from(!is_told);
        // It may be shown now: it must not be lost again.
        told = told.map(|_| state.clone());
        tried.clear();
    }
    Ok(tally)
}

#[test]
fn after_any_changes_commits_and_crashes_the_last_told_state_or_a_later_one_is_found() {
    const HISTORIES: u32 = if crate::IS_THOROUGH { 10_000 } else { 500 };
    let all = std::cell::Cell::new(Tally::default());
    let mut runner =
        TestRunner::new(ProptestConfig { cases: HISTORIES, failure_persistence: None, ..Default::default() });
    let outcome = runner.run(&(any::<u64>(), steps()), |(seed, steps)| {
        let tally = follow(seed, Skips::Nothing, &steps).map_err(TestCaseError::fail)?;
        let Tally { told, crashes, errors, later } = all.get();
        all.set(Tally {
            told: told + tally.told,
            crashes: crashes + tally.crashes,
            errors: errors + tally.errors,
            later: later + tally.later,
        });
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    println!("{HISTORIES} histories: {:?}", all.get());
    let Tally { told, crashes, errors, later } = all.get();
    assert!(told > 10 * HISTORIES && crashes > HISTORIES && errors > HISTORIES / 8 && later > HISTORIES / 50);
}

/// The proof that the test above would see it.
#[test]
fn without_one_of_the_syncs_the_same_crashes_do_lose_what_was_told() {
    let mut runner = TestRunner::deterministic();
    let histories: Vec<Vec<Step>> = (0..300).map(|_| steps().new_tree(&mut runner).expect("steps").current()).collect();
    for skips in [Skips::FileSync, Skips::AppendSync, Skips::DirectorySync] {
        let losses = histories.iter().zip(0..).filter(|(steps, seed)| follow(*seed, skips, steps).is_err()).count();
        println!("{skips:?} left out: {losses} of {} histories lost something", histories.len());
        assert!(losses > 0, "{skips:?} left out, and nothing was lost");
    }
}

/// A process ends between a write and its sync. The next one finds what was written, and shows it; then the power goes.
fn is_there_after_a_loss_of_power(seed: u64, skips: Skips) -> bool {
    let disk = FaultyDisk::new(seed, skips);
    let mut state = State::default();
    let (mut store, ..) = open(&disk);
    for _ in 0..3 {
        state.change(1);
        store.commit(&state.records()).expect("committed");
    }
    state.change(1);
    for steps in 0.. {
        disk.trip_after(steps, Trip::Kill);
        if store.commit(&state.records()).is_ok() {
            break;
        }
        disk.crash(Trip::Kill);
        let (_, found, _) = open(&disk);
        let Found::Current(shown) = found else { panic!("{found:?}") };
        disk.crash(Trip::PowerLoss);
        let (opened, found, _) = open(&disk);
        if !matches!(found, Found::Current(checkpoint) if checkpoint == shown) {
            return false;
        }
        // A checkpoint and a journal to begin the next try with.
        store = opened;
        disk.trip_after(u32::MAX, Trip::Kill);
        for _ in 0..2 {
            state.change(1);
            store.commit(&state.records()).expect("committed");
        }
        state.change(1);
    }
    true
}

#[test]
fn what_a_start_has_found_is_not_lost_with_the_power() {
    assert!((0..50).all(|seed| is_there_after_a_loss_of_power(seed, Skips::Nothing)));
    // The proof that this would see it.
    assert!(!(0..50).all(|seed| is_there_after_a_loss_of_power(seed, Skips::SyncAtStart)));
}

/// One error at each step of a commit of either kind: the next commit works, and is there after a loss of power.
#[test]
fn after_an_error_at_any_step_nothing_is_added_to_what_cannot_be_trusted() {
    let mut errors = 0;
    for commits in [2, 3, 4] {
        for step in 0.. {
            let disk = FaultyDisk::new(step, Skips::Nothing);
            let mut state = State::default();
            let (mut store, ..) = open(&disk);
            for _ in 0..commits {
                state.change(1);
                store.commit(&state.records()).expect("committed");
            }
            state.change(2);
            disk.trip_after(u32::try_from(step).expect("a few steps"), Trip::Error(EIO));
            let result = store.commit(&state.records());
            let has_tripped = disk.has_tripped();
            disk.trip_after(u32::MAX, Trip::Kill);
            if !has_tripped {
                break;
            }
            errors += 1;
            assert!(result.is_ok(), "the whole checkpoint is written instead, step {step}");
            let before = journals(&disk);
            let sizes: Vec<usize> = before.iter().map(|name| disk.contents()[name].len()).collect();
            for webhook in [3, 1] {
                state.change(webhook);
                store.commit(&state.records()).expect("committed");
            }
            let now: Vec<usize> = before.iter().map(|name| disk.contents()[name].len()).collect();
            assert_eq!(now, sizes, "added to a journal after an error at step {step}");
            disk.crash(Trip::PowerLoss);
            let (_, found, _) = open(&disk);
            assert!(
                matches!(&found, Found::Current(checkpoint) if State::of(checkpoint) == state),
                "{step}: {found:?}"
            );
        }
    }
    println!("{errors} errors");
    assert!(errors > 9);
}

// ---------------------------------------------------------------------------------------------------------------------
// Torn and damaged
// ---------------------------------------------------------------------------------------------------------------------

/// Webhooks 0 to 4; one frame changes 0, one 1 and 3 (more than a block), one 0 and 2.
struct Story {
    files: BTreeMap<String, Vec<u8>>,
    journal: String,
    /// Where each frame begins, and where the last one ends.
    places: Vec<usize>,
    states: Vec<State>,
}

fn story() -> Story {
    let disk = FaultyDisk::new(7, Skips::Nothing);
    let mut state = State::default();
    (0..5).for_each(|webhook| state.change(webhook));
    // A checkpoint before, with a journal of its own.
    let (mut store, ..) = open(&disk);
    for _ in 0..2 {
        store.commit(&state.records()).expect("committed");
    }
    state.change(4);
    store.commit(&state.records()).expect("committed");
    let (mut store, ..) = open(&disk);
    store.commit(&state.records()).expect("committed");
    let journal = format!("{JOURNAL}3");
    let (mut places, mut states) = (vec![0], vec![state.clone()]);
    for changed in [&[0][..], &[1, 3], &[0, 2]] {
        changed.iter().for_each(|webhook| state.change(*webhook));
        store.commit(&state.records()).expect("committed");
        places.push(disk.contents()[&journal].len());
        states.push(state.clone());
    }
    Story { files: disk.contents(), journal, places, states }
}

impl Story {
    fn with(&self, name: &str, bytes: Vec<u8>) -> FaultyDisk {
        let mut files = self.files.clone();
        files.insert(name.to_owned(), bytes);
        disk_of(&files)
    }

    fn journal(&self) -> &[u8] {
        &self.files[&self.journal]
    }

    /// Where a frame really ends: the rest of its last block is zeros.
    fn end_of(&self, frame: usize) -> usize {
        let place = self.places[frame];
        let bytes = &self.journal()[place..self.places[frame + 1]];
        place + bytes.iter().rposition(|byte| *byte != 0).expect("a frame") + 1
    }
}

#[test]
fn frames_share_no_block_of_the_disk() {
    let story = story();
    assert!(story.places.iter().all(|place| place % BLOCK == 0), "{:?}", story.places);
    assert!(story.places[2] - story.places[1] > BLOCK, "one is longer than a block");
}

#[test]
fn a_last_frame_torn_at_any_byte_takes_nothing_of_what_was_durable_before() {
    let story = story();
    let (from, end) = (story.places[2], story.end_of(2));
    for length in from..=story.journal().len() {
        let disk = story.with(&story.journal, story.journal()[..length].to_vec());
        let (_, found, put_aside) = open(&disk);
        let Found::Current(checkpoint) = found else { panic!("{length}: {found:?}") };
        assert_eq!(State::of(&checkpoint), story.states[if length < end { 2 } else { 3 }], "cut to {length}");
        assert!(put_aside == 0 && checkpoint.webhooks.iter().all(|state| !state.is_behind), "cut to {length}");
    }
}

#[test]
fn a_last_frame_of_which_sectors_were_never_written_is_torn() {
    let story = story();
    for frame in [1, 2] {
        let whole = &story.journal()[..story.places[frame + 1]];
        let (from, end) = (story.places[frame], story.end_of(frame));
        let count = (end - from).div_ceil(SECTOR);
        // Each of them, and any of the first eight.
        for lost in (0..count).map(|sector| 1_u64 << sector).chain(1..1 << 8) {
            let mut torn = whole.to_vec();
            for sector in (0..count).filter(|sector| lost >> sector & 1 == 1) {
                let from = from + sector * SECTOR;
                let to = (from + SECTOR).min(whole.len());
                torn[from..to].fill(0);
            }
            let (_, found, put_aside) = open(&story.with(&story.journal, torn));
            let Found::Current(checkpoint) = found else { panic!("{lost:b}: {found:?}") };
            assert_eq!((State::of(&checkpoint), put_aside), (story.states[frame].clone(), 0), "{lost:b}");
        }
    }
}

/// Whatever bit it is: what is not as it was is said to be behind, and what later frames say is kept.
#[test]
fn a_bit_flip_anywhere_in_the_journal_hides_what_it_may_be_about_and_no_more() {
    let story = story();
    let truth = &story.states[3];
    // Those that a frame after this one tells are certain.
    let certain = [&[0, 1, 2, 3][..], &[0, 2], &[]];
    let mut flips = 0;
    for (frame, certain) in certain.into_iter().enumerate() {
        let end = story.end_of(frame);
        for place in story.places[frame]..story.places[frame + 1] {
            // The text of a record is long, and one of its bits is like another; so are the zeros behind it.
            let is_text = place >= story.places[frame] + 128 && place + 64 <= end || place >= end;
            let bits = if is_text { if place % 8 == 0 { 3..4 } else { 0..0 } } else { 0..8 };
            for bit in bits {
                let mut bytes = story.journal().to_vec();
                bytes[place] ^= 1 << bit;
                flips += 1;
                let disk = story.with(&story.journal, bytes);
                let (_, found, put_aside) = open(&disk);
                let is_kept = disk.has(&format!("{}.corrupt-{}", story.journal, NOW.as_millis()));
                let (checkpoint, is_behind) = match found {
                    Found::Current(checkpoint) => (checkpoint, false),
                    Found::Previous(checkpoint) => (checkpoint, true),
                    Found::Nothing | Found::Lost => panic!("{frame} {place} {bit}: {found:?}"),
                };
                if place >= end {
                    assert_eq!((State::of(&checkpoint), put_aside, is_behind), (truth.clone(), 0, false), "{place}");
                    continue;
                }
                assert_eq!((put_aside, is_kept), (1, true), "{place} {bit}");
                assert_eq!(is_behind, certain.is_empty(), "{place} {bit}");
                for state in &checkpoint.webhooks {
                    let (number, now) = (number_of(state), state.read_at.map_or(0, UnixMillis::as_millis));
                    assert_eq!(!is_behind && !state.is_behind, certain.contains(&number), "{place} {bit}: {number}");
                    assert!(!certain.contains(&number) || now == truth.webhooks[&number], "{place} {bit}: {number}");
                }
            }
        }
    }
    println!("{flips} bits flipped");
}

/// An error of the disk is of one block.
#[test]
fn a_block_of_the_journal_that_cannot_be_read_is_damage_and_never_torn() {
    let story = story();
    for (place, certain) in [(0, &[0, 1, 2, 3][..]), (BLOCK, &[0, 2]), (story.places[2], &[])] {
        let mut bytes = story.journal().to_vec();
        bytes[place..place + BLOCK].fill(0xff);
        let (_, found, put_aside) = open(&story.with(&story.journal, bytes));
        let (Found::Current(checkpoint) | Found::Previous(checkpoint)) = &found else { panic!("{place}: {found:?}") };
        let is_behind = matches!(found, Found::Previous(_));
        assert_eq!((put_aside, is_behind), (1, certain.is_empty()), "{place}");
        for state in &checkpoint.webhooks {
            assert_eq!(!is_behind && !state.is_behind, certain.contains(&number_of(state)), "{place}");
        }
    }
}

#[test]
fn a_bit_flip_anywhere_in_the_checkpoint_leaves_the_one_before_it_with_all_journals() {
    let story = story();
    let whole = &story.files[CURRENT];
    for place in (0..whole.len()).filter(|place| *place < 256 || place % 16 == 0) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        let (_, found, put_aside) = open(&story.with(CURRENT, bytes));
        let Found::Previous(checkpoint) = found else { panic!("{place}: {found:?}") };
        assert_eq!((State::of(&checkpoint), put_aside), (story.states[3].clone(), 1), "{place}");
    }
}

#[test]
fn a_damaged_journal_stays_until_the_next_checkpoint_is_written_and_is_kept_aside_once() {
    let story = story();
    let mut bytes = story.journal().to_vec();
    bytes[100] ^= 1;
    let disk = story.with(&story.journal, bytes.clone());
    for _ in 0..3 {
        let (_, found, put_aside) = open(&disk);
        let Found::Current(checkpoint) = found else { panic!("{found:?}") };
        assert_eq!(put_aside, 1);
        assert_eq!(checkpoint.webhooks.iter().filter(|state| state.is_behind).count(), 1);
    }
    let (mut store, ..) = open(&disk);
    store.commit(&story.states[3].records()).expect("committed");
    let (_, found, put_aside) = open(&disk);
    assert!(matches!(found, Found::Current(_)) && put_aside == 0, "{found:?}");
    let aside: Vec<_> = disk.contents().into_iter().filter(|(name, _)| name.contains(".corrupt-")).collect();
    assert_eq!(aside, [(format!("{}.corrupt-{}", story.journal, NOW.as_millis()), bytes)]);
}

// ---------------------------------------------------------------------------------------------------------------------
// Copies, and what somebody removed
// ---------------------------------------------------------------------------------------------------------------------

/// A checkpoint from a backup, put beside the journals of later ones.
#[test]
fn a_checkpoint_that_is_older_than_a_journal_is_not_taken_for_the_last() {
    let story = story();
    let mut files = story.files.clone();
    files.insert(CURRENT.to_owned(), story.files[PREVIOUS].clone());
    let (_, found, put_aside) = open(&disk_of(&files));
    let Found::Previous(checkpoint) = found else { panic!("{found:?}") };
    assert_eq!((State::of(&checkpoint), put_aside), (story.states[3].clone(), 1));
}

#[test]
fn journals_without_any_checkpoint_are_no_first_start() {
    let mut files = story().files;
    files.remove(CURRENT);
    files.remove(PREVIOUS);
    let (mut store, found, _) = open(&disk_of(&files));
    assert_eq!(found, Found::Lost);
    let state = State::default();
    store.commit(&state.records()).expect("committed");
}

/// The files are copied one after the other while commits go on, as `cp` does it.
#[test]
fn a_copy_of_the_directory_of_a_running_exporter_is_a_state_that_it_had() {
    let disk = FaultyDisk::new(3, Skips::Nothing);
    let (mut store, ..) = open(&disk);
    let (mut state, mut moments) = (State::default(), Vec::new());
    for number in 0..60_u8 {
        state.change(number % 5);
        store.commit(&state.records()).expect("committed");
        moments.push((state.clone(), disk.contents()));
    }
    let mut copies = 0;
    for (first, (_, files)) in moments.iter().enumerate() {
        for (second, (_, later)) in moments.iter().enumerate().skip(first) {
            let names = files.keys().filter(|name| name.as_str() != CURRENT);
            let others = names.filter_map(|name| Some((name.clone(), later.get(name)?.clone())));
            let mut copy: BTreeMap<_, _> = others.collect();
            copy.insert(CURRENT.to_owned(), files[CURRENT].clone());
            let (_, found, _) = open(&disk_of(&copy));
            copies += 1;
            // Or it says itself that it may be older.
            let Found::Current(checkpoint) = found else { continue };
            let state = State::of(&checkpoint);
            assert!(moments[..=second].iter().any(|(had, _)| *had == state), "{first} {second}: {state:?}");
        }
    }
    println!("{copies} copies");
    assert!(moments.iter().any(|(_, files)| files.contains_key(PREVIOUS)), "the journal became too long once");
}

// ---------------------------------------------------------------------------------------------------------------------
// How much is written
// ---------------------------------------------------------------------------------------------------------------------

/// A directory that counts the bytes that are written to it.
#[derive(Debug)]
struct Counting(Directory, Arc<AtomicU64>);

impl Counting {
    fn count(&self, bytes: usize) {
        self.1.fetch_add(u64::try_from(bytes).expect("a length"), Ordering::SeqCst);
    }
}

impl Disk for Counting {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.0.read(name)
    }

    fn replace(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()> {
        self.count(pieces.iter().map(|piece| piece.len()).sum());
        self.0.replace(name, pieces)
    }

    fn read_around(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.0.read_around(name)
    }

    fn append(&mut self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.count(bytes.len());
        self.0.append(name, at, bytes)
    }

    fn cut(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.0.cut(name, length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.0.sync(name)
    }

    fn keep_as(&mut self, name: &str, second: &str) -> io::Result<()> {
        self.0.keep_as(name, second)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.0.names()
    }

    fn sync_names(&mut self) -> io::Result<()> {
        self.0.sync_names()
    }
}

#[test]
fn one_changed_webhook_of_10_000_is_64_kib_at_most_and_none_is_a_block_or_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let written = Arc::new(AtomicU64::new(0));
    let disk = Counting(Directory::new(directory.path()), Arc::clone(&written));
    let (mut store, ..) = Store::on(Box::new(disk), NOW).expect("a store");
    let number = |webhook: u16| {
        let mut id = [9; 12];
        id[10..].copy_from_slice(&webhook.to_be_bytes());
        WebhookId(ObjectId::from_bytes(id))
    };
    let mut records = State::default().records();
    records.webhooks = (0..10_000).map(|webhook| (number(webhook), record(3, 1))).collect();
    let mut commit = |records: &Records| {
        let before = written.load(Ordering::SeqCst);
        store.commit(records).expect("committed");
        written.load(Ordering::SeqCst) - before
    };
    let all = commit(&records);
    assert_eq!(commit(&records), all, "there are two from the beginning");
    assert!(all > 60_000_000, "longer than those of webhooks with an attempt a minute: {all}");
    assert_eq!(commit(&records), 0, "nothing has changed");
    records.account = State { account: 1, ..State::default() }.records().account;
    let account = commit(&records);
    assert_eq!(account, u64::try_from(BLOCK).expect("a length"), "nothing but the time of the last list");
    records.webhooks.insert(number(5_000), record(3, 2));
    let one = commit(&records);
    println!("all {all} bytes, one of 10,000 {one}, only the account {account}");
    assert!(one <= 64 * 1_024, "{one}");
}

#[test]
fn over_time_no_more_than_twice_what_has_changed_is_written_and_four_times_the_checkpoint_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let written = Arc::new(AtomicU64::new(0));
    let disk = Counting(Directory::new(directory.path()), Arc::clone(&written));
    let (mut store, ..) = Store::on(Box::new(disk), NOW).expect("a store");
    let mut state = State::default();
    for webhook in 0..40 {
        state.change(webhook * 4 + 3);
    }
    store.commit(&state.records()).expect("committed");
    written.store(0, Ordering::SeqCst);
    store.commit(&state.records()).expect("committed");
    let all = written.swap(0, Ordering::SeqCst);
    let sizes = || {
        let files = std::fs::read_dir(directory.path()).expect("files");
        files.map(|file| file.expect("a file").metadata().expect("a size").len()).sum::<u64>()
    };
    let (mut changed, mut most) = (0, 0);
    for round in 0..200_u8 {
        state.change(round % 40 * 4 + 3);
        store.commit(&state.records()).expect("committed");
        changed += u64::try_from(3 * BLOCK).expect("a length");
        most = most.max(sizes());
    }
    let written = written.load(Ordering::SeqCst);
    println!("a checkpoint of {all} bytes, {changed} changed, {written} written, {most} kept at most");
    assert!(written <= 2 * changed && written > changed, "{written}");
    assert!(most <= 4 * all && most > 2 * all, "{most}");
}
