//! What survives: restarts, damage, newer versions, second processes.

use std::path::Path;
use std::time::Duration;

use cotalker_webhook_exporter::store::record::{
    Checkpoint, Records, Snapshot, Unusable, VERSION, decode, encode, encode_record,
};
use cotalker_webhook_exporter::store::{CURRENT, Found, JOURNAL, OpenError, PREVIOUS, Store};
use delivery_ledger::Outcome;
use delivery_ledger::ServerTime;
use delivery_ledger::fleet::{AccountState, Turns, WebhookState};
use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, ObjectId, Position, SubjectId, UnixMillis, Webhook,
};
use delivery_ledger::{Ledger, Policy};

const NOW: UnixMillis = UnixMillis::from_secs(1_700_000_000);
const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };

/// A checkpoint of one webhook with `attempts` counted attempts.
fn checkpoint(attempts: u8) -> Checkpoint {
    let mut ledger = Ledger::new(Position::START);
    let mut reading = ledger.read(ServerTime::certain(NOW), &POLICY);
    for number in 0..attempts {
        let text = number.to_string();
        reading.observe(Attempt {
            id: AttemptId(ObjectId::from_bytes([number; 12])),
            at: NOW.plus_millis(-i64::from(number) * 1_000),
            outcome: Outcome::of(Some(if number % 3 == 0 { 503 } else { 200 }), None),
            retry: u32::from(number % 2),
            event: Some(Event {
                key: EventKey::of([Some("company"), Some("COTTask"), Some("edit"), Some(&text), None]),
                event_type: EventType::Task,
                action: Action::Edit,
                created_at: Some(NOW.plus_millis(-60_000)),
                subject: Some(SubjectId(ObjectId::from_bytes([number.wrapping_add(100); 12]))),
            }),
        });
    }
    ledger.fold(reading.finish(), &POLICY);
    let webhook = Webhook {
        id: "62685990d918fb5557f9f992".parse().expect("an id"),
        company: "625be93a286ef83c1c0e845f".into(),
        code: "wo_update".into(),
        name: "Órdenes".into(),
        trigger: "create-edit-delete-task".into(),
        target_host: "hooks.acme.example:8443".into(),
        active: true,
    };
    let account = AccountState {
        listed_at: Some(NOW),
        list_read_at: Some(NOW),
        server_ahead_millis: -12,
        identity: "https://www.cotalker.com".to_owned(),
        turns: Vec::new(),
    };
    let saved = WebhookState { webhook, ledger, read_at: Some(NOW), vanished_since: None, is_behind: false };
    Checkpoint { account, webhooks: vec![saved] }
}

/// A checkpoint of one webhook with an event that is pending, one that is lost and one that was delivered.
fn replayable() -> Checkpoint {
    let mut ledger = Ledger::new(Position::START);
    let mut reading = ledger.read(ServerTime::certain(NOW), &POLICY);
    for (task, retry, seconds_ago, status) in
        [("a", 0, 800, 503), ("a", 1, 700, 503), ("b", 0, 600, 503), ("b", 3, 500, 404), ("c", 0, 100, 200)]
    {
        let at = NOW.plus_millis(-i64::from(seconds_ago) * 1_000);
        let mut id = [7; 12];
        id[..4].copy_from_slice(&u32::try_from(at.as_millis() / 1_000).expect("a second").to_be_bytes());
        reading.observe(Attempt {
            id: AttemptId(ObjectId::from_bytes(id)),
            at,
            outcome: Outcome::of(Some(status), None),
            retry,
            event: Some(Event {
                key: EventKey::of([Some("company"), Some("COTTask"), Some("edit"), Some(task), None]),
                event_type: EventType::Task,
                action: Action::Edit,
                created_at: Some(at.plus_millis(-2_000)),
                subject: Some(SubjectId(ObjectId::from_bytes([9; 12]))),
            }),
        });
    }
    ledger.fold(reading.finish(), &POLICY);
    let mut replayable = checkpoint(7);
    replayable.webhooks[0].ledger = ledger;
    replayable
}

fn records(checkpoint: &Checkpoint) -> Records {
    let webhooks = checkpoint.webhooks.iter().map(|state| (state.webhook.id, encode_record(state).expect("bytes")));
    Records { account: encode_record(&checkpoint.account).expect("bytes"), webhooks: webhooks.collect() }
}

fn bytes_of(checkpoint: &Checkpoint) -> Vec<u8> {
    encode(1, &records(checkpoint)).expect("bytes").concat()
}

/// The checkpoint of a file alone.
fn checkpoint_of(bytes: &[u8]) -> Result<Checkpoint, Unusable> {
    decode(bytes).map(|snapshot| snapshot.checkpoint)
}

/// Opens the store. Another test that starts a program at this very moment has the lock's descriptor too, until the
/// program begins: then it is tried again.
fn open(path: &Path) -> (Store, Found, u64) {
    for _ in 0..1_000 {
        match Store::open(path, NOW) {
            Err(OpenError::Locked(_)) => std::thread::sleep(Duration::from_millis(5)),
            opened => return opened.expect("a store"),
        }
    }
    panic!("{} stays locked", path.display());
}

#[test]
fn what_is_committed_is_found_again_and_the_one_before_it_is_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("made/if/missing");
    let (mut store, found, put_aside) = open(&path);
    assert_eq!((found, put_aside), (Found::Nothing, 0));
    store.commit(&records(&checkpoint(3))).expect("committed");
    store.commit(&records(&checkpoint(5))).expect("committed");
    drop(store);
    assert_eq!(checkpoint_of(&std::fs::read(path.join(PREVIOUS)).expect("a file")), Ok(checkpoint(3)));
    let (_store, found, put_aside) = open(&path);
    assert_eq!((found, put_aside), (Found::Current(checkpoint(5)), 0));
}

#[test]
fn no_single_bit_flip_and_no_truncation_is_ever_accepted() {
    let whole = bytes_of(&checkpoint(4));
    assert_eq!(decode(&whole), Ok(Snapshot { generation: 1, checkpoint: checkpoint(4) }));
    for length in 0..whole.len() {
        assert!(matches!(decode(&whole[..length]), Err(Unusable::Damaged(_))), "cut to {length}");
    }
    let mut flipped = whole.clone();
    for bit in 0..whole.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(decode(&flipped), Err(Unusable::Damaged(_))), "bit {bit}");
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
    println!("{} bits flipped, {} truncations: none accepted", whole.len() * 8, whole.len());
    let longer = [&whole[..], &[0]].concat();
    assert!(matches!(decode(&longer), Err(Unusable::Damaged(_))));
    assert!(matches!(decode(&vec![0; whole.len()]), Err(Unusable::Damaged(_))));
}

#[test]
fn a_damaged_checkpoint_is_put_aside_and_the_one_before_it_is_taken() {
    for damage in [&b""[..], b"torn", &[0; 4096]] {
        let directory = tempfile::tempdir().expect("a directory");
        let (mut store, _, _) = open(directory.path());
        store.commit(&records(&checkpoint(3))).expect("committed");
        store.commit(&records(&checkpoint(5))).expect("committed");
        drop(store);
        std::fs::write(directory.path().join(CURRENT), damage).expect("damaged");
        let (mut store, found, put_aside) = open(directory.path());
        assert_eq!((found, put_aside), (Found::Previous(checkpoint(3)), 1));
        let aside = directory.path().join(format!("{CURRENT}.corrupt-{}", NOW.as_millis()));
        assert_eq!(std::fs::read(aside).expect("put aside"), damage);
        // The next commit leaves the one that was taken where it is.
        store.commit(&records(&checkpoint(6))).expect("committed");
        drop(store);
        assert_eq!(open(directory.path()).1, Found::Current(checkpoint(6)));
        assert_eq!(checkpoint_of(&std::fs::read(directory.path().join(PREVIOUS)).expect("a file")), Ok(checkpoint(3)));
    }
}

#[test]
fn where_nothing_can_be_used_counting_begins_anew_and_that_is_no_first_start() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join(CURRENT), "x").expect("written");
    std::fs::write(directory.path().join(PREVIOUS), "y").expect("written");
    let (_store, found, put_aside) = open(directory.path());
    assert_eq!((found, put_aside), (Found::Lost, 2));
}

#[test]
fn a_newer_checkpoint_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut newer = bytes_of(&checkpoint(2));
    newer[8..12].copy_from_slice(&(VERSION + 1).to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&newer[8..20]);
    hasher.update(&newer[24..]);
    newer[20..24].copy_from_slice(&hasher.finalize().to_le_bytes());
    for name in [CURRENT, PREVIOUS] {
        let path = directory.path().join(name);
        std::fs::write(&path, &newer).expect("written");
        let error = Store::open(directory.path(), NOW).expect_err("refused");
        assert!(
            matches!(error, OpenError::Newer { .. }) && error.to_string().contains(&format!("version {}", VERSION + 1)),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).expect("still there"), newer);
        std::fs::remove_file(&path).expect("removed");
    }
}

#[test]
fn a_second_process_is_refused_with_the_locks_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let (store, _, _) = open(directory.path());
    let error = Store::open(directory.path(), NOW).expect_err("refused");
    assert!(matches!(error, OpenError::Locked(_)) && error.to_string().contains("lock"), "{error}");
    drop(store);
    open(directory.path());
}

#[test]
fn a_place_that_is_no_directory_is_refused_with_its_name() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = Store::open(file.path(), NOW).expect_err("refused");
    assert!(error.to_string().starts_with(&file.path().display().to_string()), "{error}");
}

#[test]
fn the_checkpoint_of_version_1_loads_with_all_that_it_counted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/checkpoint-v1");
    let loaded = checkpoint_of(&std::fs::read(path).expect("the fixture")).expect("a checkpoint");
    let now = checkpoint(7);
    let (old, new) = (&loaded.webhooks[0], &now.webhooks[0]);
    assert_eq!((loaded.account.listed_at, loaded.account.server_ahead_millis), (Some(NOW), -12));
    assert_eq!(loaded.account.identity, "", "version 1 did not know");
    assert_eq!((&old.webhook, old.read_at, old.vanished_since), (&new.webhook, new.read_at, None));
    assert_eq!(old.ledger.totals(), new.ledger.totals());
    assert_eq!(old.ledger.window().failures, new.ledger.window().failures);
    assert_eq!((old.ledger.events().delivered(), old.ledger.events().lost()), (4, 0));
    assert_eq!(old.ledger.standing().last_failure.map(|failure| failure.at), Some(NOW));
    assert_eq!(old.ledger.as_of(), new.ledger.as_of());
}

#[test]
fn the_checkpoint_of_version_2_loads_with_all_that_it_knew() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/checkpoint-v2");
    let loaded = checkpoint_of(&std::fs::read(path).expect("the fixture")).expect("a checkpoint");
    let now = checkpoint(7);
    let (old, new) = (&loaded.webhooks[0], &now.webhooks[0]);
    assert_eq!(loaded.account, now.account);
    assert_eq!((&old.webhook, old.read_at, old.vanished_since), (&new.webhook, new.read_at, None));
    let (old, new) = (&old.ledger, &new.ledger);
    assert_eq!((old.floor(), old.counted(), old.totals()), (new.floor(), new.counted(), new.totals()));
    assert_eq!((old.standing(), old.window(), old.as_of()), (new.standing(), new.window(), new.as_of()));
    assert_eq!(old.retention(), new.retention());
    let fates = |ledger: &Ledger| {
        let events = ledger.events();
        (events.entered(EventType::Task, Action::Edit), events.delivered(), events.lost(), events.pending())
    };
    assert_eq!(fates(old), fates(new));
    assert_eq!(old.events().pending_since(), new.events().pending_since());
    assert_eq!(old.recent().newest_first(), [], "version 2 did not know");
    assert_eq!((old.since(), new.since()), (None, Some(UnixMillis::MIN)), "nor since when it counts");
}

#[test]
fn what_to_replay_is_known_by_the_ids_of_what_version_2_had_pending() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/checkpoint-v2-pending");
    let loaded = checkpoint_of(&std::fs::read(path).expect("the fixture")).expect("a checkpoint");
    let (old, new) = (&loaded.webhooks[0].ledger, &replayable().webhooks[0].ledger);
    assert_eq!((old.events().delivered(), old.events().lost(), old.events().pending()), (1, 1, 1));
    let pending = |ledger: &Ledger| ledger.events().pending_events().newest_first()[0].last.position;
    assert_eq!(pending(old), pending(new));
    assert_eq!(old.events().pending_events().newest_first()[0].event, None, "version 2 did not know");
    assert!(old.events().lost_events().is_empty(), "nor this");

    // It is lost under that id.
    let mut ledger = old.clone();
    ledger.unchanged(ServerTime::certain(NOW.plus_millis(15 * 60_000)), &POLICY);
    let lost = *ledger.events().lost_events().newest().expect("a lost event");
    assert_eq!((lost.last.position, lost.lost_at), (pending(new), NOW.plus_millis(200_000)));
}

#[test]
fn the_checkpoint_of_version_3_loads_exactly() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/checkpoint-v3");
    let fixture = std::fs::read(path).expect("the fixture");
    assert_eq!(decode(&fixture), Ok(Snapshot { generation: 0, checkpoint: replayable() }));
}

/// The names of a directory's journals.
fn journals(path: &Path) -> Vec<String> {
    let names = std::fs::read_dir(path).expect("files").map(|file| file.expect("a file").file_name());
    names.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(JOURNAL)).collect()
}

#[test]
fn the_checkpoint_and_the_journal_of_version_4_load_exactly() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/checkpoint-v4");
    let directory = tempfile::tempdir().expect("a directory");
    if std::env::var_os("WRITE_FIXTURE").is_some() {
        let (mut store, ..) = open(directory.path());
        for checkpoint in [checkpoint(7), checkpoint(7), replayable()] {
            store.commit(&records(&checkpoint)).expect("committed");
        }
        drop(store);
        std::fs::create_dir_all(&fixtures).expect("a directory");
        for name in [CURRENT, "checkpoint.journal-2"] {
            std::fs::copy(directory.path().join(name), fixtures.join(name)).expect("written");
        }
    }
    for file in std::fs::read_dir(&fixtures).expect("fixtures").map(|file| file.expect("a file")) {
        std::fs::copy(file.path(), directory.path().join(file.file_name())).expect("copied");
    }
    let (mut store, found, put_aside) = open(directory.path());
    assert_eq!((found, put_aside), (Found::Current(replayable()), 0));
    let fixture = std::fs::read(fixtures.join(CURRENT)).expect("the fixture");
    assert_eq!(checkpoint_of(&fixture), Ok(checkpoint(7)), "the rest is in the journal");

    // The checkpoint before keeps its journal, and no other is kept.
    store.commit(&records(&checkpoint(5))).expect("committed");
    store.commit(&records(&checkpoint(6))).expect("committed");
    let mut names = journals(directory.path());
    names.sort();
    assert_eq!(names, ["checkpoint.journal-2", "checkpoint.journal-3"]);
    drop(store);
    let (mut store, found, _) = open(directory.path());
    assert_eq!(found, Found::Current(checkpoint(6)));
    store.commit(&records(&checkpoint(6))).expect("committed");
    assert_eq!(journals(directory.path()), ["checkpoint.journal-3"]);
}

/// An exporter without a journal would go on from an old checkpoint as if it were all.
#[test]
fn for_how_long_logs_have_waited_is_read_where_it_is_written_and_left_alone_by_who_does_not_know_it() {
    let mut waiting = checkpoint(1);
    let unaware = bytes_of(&waiting);
    waiting.account.turns = vec![Turns(200, 3), Turns(1, 10)];
    assert_eq!(checkpoint_of(&bytes_of(&waiting)), Ok(waiting.clone()));
    assert_eq!(checkpoint_of(&unaware), Ok(checkpoint(1)));
    // The account as an exporter knows it that is older than that.
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Older(Option<UnixMillis>, Option<UnixMillis>, i64, String);
    let record = encode_record(&waiting.account).expect("bytes");
    let AccountState { listed_at, list_read_at, server_ahead_millis, identity, .. } = waiting.account;
    let older = Older(listed_at, list_read_at, server_ahead_millis, identity);
    assert_eq!(postcard::from_bytes(&record[4..]), Ok(older));
}

#[test]
fn the_version_that_had_no_journal_sees_that_this_one_is_newer() {
    let bytes = bytes_of(&checkpoint(2));
    let number = |from: usize| u32::from_le_bytes(bytes[from..from + 4].try_into().expect("four bytes"));
    assert_eq!(&bytes[..8], b"CTWHCKPT");
    assert_eq!(number(8), 4);
    assert_eq!(
        usize::try_from(number(12)).expect("a length"),
        bytes.len() - 24,
        "the length of all that follows the head"
    );
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[8..20]);
    hasher.update(&bytes[24..]);
    assert_eq!(number(20), hasher.finalize());
}

#[test]
fn what_to_replay_adds_no_more_than_10_kb_to_a_webhooks_record() {
    // Sixty attempts of the last hour are remembered by their places; then all lists are full.
    let size_of = |lost: i64| {
        let mut ledger = Ledger::new(Position::START);
        let mut reading = ledger.read(ServerTime::certain(NOW), &POLICY);
        let lost = (0..lost).map(|number| (number, -4_000_000 - number * 1_000, 3, 503));
        let delivered = (0..60).map(|number| (1_000 + number, -number * 59_000, 0, 200));
        for (number, offset, retry, status) in lost.chain(delivered) {
            let at = NOW.plus_millis(offset);
            let mut id = [7; 12];
            id[..4].copy_from_slice(&u32::try_from(at.as_millis() / 1_000).expect("a second").to_be_bytes());
            id[4..].copy_from_slice(&number.to_be_bytes());
            reading.observe(Attempt {
                id: AttemptId(ObjectId::from_bytes(id)),
                at,
                outcome: Outcome::of(Some(status), None),
                retry,
                event: Some(Event {
                    key: EventKey::of([Some("company"), None, None, None, Some(&number.to_string())]),
                    event_type: EventType::Task,
                    action: Action::Edit,
                    created_at: Some(at.plus_millis(-2_000)),
                    subject: Some(SubjectId(ObjectId::from_bytes(id))),
                }),
            });
        }
        ledger.fold(reading.finish(), &POLICY);
        let lost = postcard::to_stdvec(ledger.events().lost_events().as_ref()).expect("bytes").len();
        let lists = lost + postcard::to_stdvec(ledger.recent().as_ref()).expect("bytes").len();
        let mut saved = checkpoint(0).webhooks.remove(0);
        saved.ledger = ledger;
        (lists, encode_record(&saved).expect("bytes").len())
    };
    for lost in [0, 2, 200] {
        let (lists, record) = size_of(lost);
        println!("{lost} lost: {lists} of {record} bytes are what to replay");
        assert!(lists <= 10_000, "{lists} of {record}");
    }
}
