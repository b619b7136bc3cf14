//! What the real binary shows after a restart, whatever happened meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cotalker_simulator::{Fault, Simulator, Target, Trigger, WebhookSpec};
use cotalker_webhook_exporter::store::disk::Directory;
use cotalker_webhook_exporter::store::record::{Checkpoint, Records, VERSION, encode, encode_record};
use cotalker_webhook_exporter::store::{CURRENT, Found, LOCK, PREVIOUS, Store};
use delivery_ledger::{UnixMillis, WebhookId};

use test_harness::{MetricsPage, Program, Running, START, Seen, all_kinds, assert_shows_all, program};

const ATTEMPTS: &str = "cotalker_webhook_delivery_attempts_total";

/// A simulated account, and the exporter that watches it; time passes only when a test says so.
struct Stage {
    simulator: Arc<Simulator>,
    directory: tempfile::TempDir,
    seen: Seen,
}

impl Stage {
    async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self { simulator: all_kinds().await, directory, seen: Seen::default() }
    }

    fn state(&self) -> &Path {
        self.directory.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.state().join(name)
    }

    fn exporter(&self) -> Program {
        program(&[]).towards(&self.simulator).anywhere().quickly().keeping(self.state())
    }

    fn start(&self) -> Running {
        self.exporter().spawn()
    }

    /// A quarter of an hour passes, with a checkpoint at least every five minutes; then the exporter is killed.
    async fn first_life(&mut self) -> MetricsPage {
        let mut process = self.start();
        for _ in 0..3 {
            self.simulator.advance(Duration::from_secs(300));
            process.at_rest(&mut self.seen).await;
        }
        let page = process.at_rest(&mut self.seen).await;
        assert_shows_all(&page, &self.simulator);
        process.kill();
        page
    }

    fn id_of(&self, code: &str) -> WebhookId {
        self.simulator.with_world(|world| world.id_of(code)).expect("a webhook")
    }

    /// What a start would go on from, by a copy of the directory: another process may be at work in it.
    fn checkpoint(&self) -> Checkpoint {
        let copy = tempfile::tempdir().expect("a directory");
        for file in fs::read_dir(self.state()).expect("files").map(|file| file.expect("a file")) {
            // What is still being written goes another way.
            let _ = fs::copy(file.path(), copy.path().join(file.file_name()));
        }
        match Store::on(Box::new(Directory::new(copy.path())), START).expect("a store") {
            (_, Found::Current(checkpoint), _) => checkpoint,
            (_, found, _) => panic!("{found:?}"),
        }
    }

    /// Puts this in the place of what is there. Without the lock, which a test that starts a program at this very moment
    /// would hand on to it for a moment.
    fn put(&self, checkpoint: &Checkpoint) {
        let webhooks = checkpoint.webhooks.iter().map(|state| (state.webhook.id, encode_record(state).expect("bytes")));
        let account = encode_record(&checkpoint.account).expect("bytes");
        // Later than any other.
        let pieces = encode(1_000_000, &Records { account, webhooks: webhooks.collect() }).expect("bytes");
        fs::write(self.file(CURRENT), pieces.concat()).expect("written");
    }

    /// The checkpoint is damaged; the one before it is as it was.
    fn damage(&self) {
        let mut bytes = fs::read(self.file(CURRENT)).expect("a checkpoint");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(self.file(CURRENT), bytes).expect("damaged");
    }
}

/// The samples of these families, in the order of the page.
fn samples<'page>(page: &'page MetricsPage, families: &[&str]) -> Vec<&'page str> {
    let of_family =
        |line: &&str| families.iter().any(|family| line.strip_prefix(family).is_some_and(|rest| rest.starts_with('{')));
    page.0.lines().filter(of_family).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_restored_is_shown_before_the_first_poll_has_ended_and_is_ready() {
    const FACTS: [&str; 8] = [
        "cotalker_webhook_info",
        "cotalker_webhook_active",
        "cotalker_webhook_log_window_entries",
        "cotalker_webhook_log_window_oldest_timestamp_seconds",
        "cotalker_webhook_consecutive_failures",
        "cotalker_webhook_last_failure_timestamp_seconds",
        "cotalker_webhook_last_success_timestamp_seconds",
        "cotalker_webhook_events_pending",
    ];
    for fault in [Fault::Hang, Fault::Hold] {
        let mut stage = Stage::new().await;
        let before = stage.first_life().await;
        stage.simulator.fail(Target::Everything, fault.clone());
        let process = stage.start();
        let page = process.wait_for("a page", &mut stage.seen, |_| true).await;
        assert_eq!(page.sum("cotalker_exporter_polls_total", &[]), Some(0.0));
        assert_shows_all(&page, &stage.simulator);
        assert_eq!(samples(&page, &FACTS), samples(&before, &FACTS));
        assert_eq!(process.is_ready().await, Some(true));
        println!("{fault:?}: {} samples of {} families restored", samples(&page, &FACTS).len(), FACTS.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_appeared_meanwhile_starts_at_0_and_counts_what_it_did_since() {
    let mut stage = Stage::new().await;
    stage.first_life().await;
    let spec = WebhookSpec::new("young", Trigger::Note).every_ms(3_000).entry_bytes(300, 500);
    let young = stage.simulator.with_world(|world| world.add(spec));
    stage.simulator.advance(Duration::from_secs(120));
    let process = stage.start();
    let label = format!("webhook_id=\"{young}\"");
    let is_there = |page: &MetricsPage| page.sum(ATTEMPTS, &[&label]).is_some();
    let page = process.wait_for("the new webhook", &mut stage.seen, is_there).await;
    assert_eq!(page.sum(ATTEMPTS, &[&label]), Some(0.0));
    let page = process.at_rest(&mut stage.seen).await;
    let truth = stage.simulator.truth(young, START.plus_millis(-1));
    assert!(truth.attempts > 20);
    page.assert_shows(young, &truth);
    assert_shows_all(&page, &stage.simulator);
}

/// An empty list is a successful one: what comes after it is no history.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_webhook_of_an_account_counts_even_if_it_appeared_while_the_exporter_was_down() {
    let mut stage = Stage::new().await;
    let ignoring_history = |stage: &Stage| stage.exporter().env("EXPORTER_POLL_HISTORY", "ignore").spawn();
    stage.simulator.with_world(|world| world.ids().into_iter().for_each(|id| world.set_listed(id, false)));
    let mut process = ignoring_history(&stage);
    process.at_rest(&mut stage.seen).await;
    process.kill();
    stage.simulator.advance(Duration::from_secs(60));
    let spec = WebhookSpec::new("young", Trigger::Note).every_ms(3_000).entry_bytes(300, 500);
    let young = stage.simulator.with_world(|world| world.add(spec));
    stage.simulator.advance(Duration::from_secs(120));
    let process = ignoring_history(&stage);
    process.wait_for("the webhook", &mut stage.seen, |page| page.sum(ATTEMPTS, &[]) == Some(0.0)).await;
    let page = process.at_rest(&mut stage.seen).await;
    page.assert_shows(young, &stage.simulator.truth(young, START.plus_millis(-1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_has_slid_past_what_was_counted_is_said_to_have_a_gap() {
    let mut stage = Stage::new().await;
    stage.simulator.switch(|switches| switches.default_shape.window = 40);
    let mut process = stage.start();
    // Full logs that reach back to nothing missed.
    for _ in 0..4 {
        stage.simulator.advance(Duration::from_secs(60));
        process.at_rest(&mut stage.seen).await;
    }
    let before = process.at_rest(&mut stage.seen).await;
    assert_shows_all(&before, &stage.simulator);
    process.kill();
    stage.simulator.advance(Duration::from_secs(600));
    let process = stage.start();
    let label = format!("webhook_id=\"{}\"", stage.id_of("healthy"));
    let has_gap = |page: &MetricsPage| page.sum("cotalker_webhook_log_gaps_total", &[&label]) == Some(1.0);
    let page = process.wait_for("a gap", &mut stage.seen, has_gap).await;
    let attempts = |page: &MetricsPage| page.sum(ATTEMPTS, &[&label]).expect("counts");
    assert_eq!(attempts(&page), attempts(&before) + 40.0, "all that the log still holds counts");
    assert!(process.said("no overlap with the previous poll") > 0, "{:?}", process.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkpoint_before_the_last_is_shown_only_once_the_logs_have_been_read_and_is_exact_then() {
    let mut stage = Stage::new().await;
    stage.first_life().await;
    stage.damage();
    stage.simulator.fail(Target::Everything, Fault::Hold);
    let process = stage.start();
    // Long enough for a poll; a page that is older than what was shown would be seen as a step back.
    for _ in 0..20 {
        if let Some(page) = process.scrape().await {
            assert_eq!(page.sum(ATTEMPTS, &[]), None);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    stage.simulator.clear_all();
    // One webhook after the other, as their logs are read.
    let polled = |page: &MetricsPage| page.sum("cotalker_exporter_polls_total", &["ok"]) > Some(0.0);
    process.wait_for("a poll", &mut Seen::default(), polled).await;
    let page = process.at_rest(&mut stage.seen).await;
    assert_shows_all(&page, &stage.simulator);
    assert_eq!(page.sum("cotalker_exporter_state_recoveries_total", &[]), Some(1.0));
    let names = fs::read_dir(stage.state()).expect("a directory");
    let aside = names
        .filter(|name| name.as_ref().expect("a file").file_name().to_string_lossy().starts_with("checkpoint.corrupt-"));
    assert_eq!(aside.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_log_no_longer_reaches_back_to_the_checkpoint_before_the_last_counting_begins_at_0() {
    let mut stage = Stage::new().await;
    stage.simulator.switch(|switches| switches.default_shape.window = 40);
    let mut process = stage.start();
    for _ in 0..4 {
        stage.simulator.advance(Duration::from_secs(60));
        process.at_rest(&mut stage.seen).await;
    }
    process.kill();
    stage.damage();
    stage.simulator.advance(Duration::from_secs(600));
    let process = stage.start();
    let label = format!("webhook_id=\"{}\"", stage.id_of("healthy"));
    let mut fresh = Seen::default();
    let is_there = |page: &MetricsPage| page.sum(ATTEMPTS, &[&label]).is_some();
    let page = process.wait_for("the webhook", &mut fresh, is_there).await;
    assert_eq!(page.sum(ATTEMPTS, &[&label]), Some(0.0));
    assert!(process.said("counts start from 0") > 0, "{:?}", process.log());
    // And it goes on from there.
    stage.simulator.advance(Duration::from_secs(60));
    let page = process.at_rest(&mut fresh).await;
    let since = START.plus_millis(4 * 60_000 + 600_000).end_of_second();
    let id = stage.id_of("healthy");
    assert_eq!(page.sum(ATTEMPTS, &[&label]), Some(stage_truth(&stage, id, since)));
}

#[expect(clippy::cast_precision_loss, reason = "counts of tests are small")]
fn stage_truth(stage: &Stage, id: WebhookId, since: UnixMillis) -> f64 {
    stage.simulator.truth(id, since).attempts as f64
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_a_vanished_webhook_survives_a_restart_and_is_dropped_after_a_day() {
    let mut stage = Stage::new().await;
    stage.first_life().await;
    let id = stage.id_of("flaky");
    let label = format!("webhook_id=\"{id}\"");
    let shown = |page: &MetricsPage| page.sum(ATTEMPTS, &[&label]);
    let list = |stage: &Stage, listed| stage.simulator.with_world(|world| world.set_listed(id, listed));
    let vanished = |stage: &Stage| {
        let checkpoint = stage.checkpoint();
        checkpoint.webhooks.into_iter().find(|saved| saved.webhook.id == id).map(|saved| saved.vanished_since.is_some())
    };

    list(&stage, false);
    let mut process = stage.start();
    let page = process.at_rest(&mut Seen::anything()).await;
    assert_eq!(shown(&page), None);
    assert_eq!(vanished(&stage), Some(true));
    process.kill();

    // It survives, is not shown, and goes on when the webhook is back.
    let mut process = stage.start();
    let page = process.at_rest(&mut Seen::anything()).await;
    assert_eq!(shown(&page), None);
    list(&stage, true);
    stage.simulator.advance(Duration::from_secs(60));
    process.wait_for("its return", &mut Seen::anything(), |page| shown(page).is_some()).await;
    // With all that it had counted.
    let page = process.at_rest(&mut stage.seen).await;
    assert_shows_all(&page, &stage.simulator);

    // A day later it is forgotten.
    list(&stage, false);
    process.at_rest(&mut Seen::anything()).await;
    process.kill();
    assert_eq!(vanished(&stage), Some(true));
    let mut checkpoint = stage.checkpoint();
    for saved in &mut checkpoint.webhooks {
        saved.vanished_since = saved.vanished_since.map(|since| since.plus_millis(-24 * 60 * 60 * 1_000));
    }
    stage.put(&checkpoint);
    let process = stage.start();
    process.at_rest(&mut Seen::anything()).await;
    assert_eq!(vanished(&stage), None);
    list(&stage, true);
    let page = process.wait_for("its return", &mut Seen::anything(), |page| shown(page).is_some()).await;
    assert_eq!(shown(&page), Some(0.0));
}

/// The lines for people on standard error.
fn complaints(process: &Running) -> Vec<String> {
    process.log().into_iter().filter(|line| line.starts_with("cotalker-webhook-exporter: ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_state_ends_the_start_with_one_line_and_is_left_as_it_is() {
    let mut stage = Stage::new().await;
    stage.first_life().await;
    for name in [PREVIOUS, CURRENT] {
        let mut newer = fs::read(stage.file(name)).expect("a checkpoint");
        newer[8..12].copy_from_slice(&(VERSION + 1).to_le_bytes());
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&newer[8..20]);
        hasher.update(&newer[24..]);
        newer[20..24].copy_from_slice(&hasher.finalize().to_le_bytes());
        fs::write(stage.file(name), &newer).expect("written");
        let mut process = stage.start();
        assert_eq!(process.wait().code(), Some(1));
        let complaints = complaints(&process);
        assert_eq!(complaints.len(), 1, "{:?}", process.log());
        let path = stage.file(name).display().to_string();
        assert!(
            complaints[0].contains(&format!("version {}", VERSION + 1)) && complaints[0].contains(&path),
            "{complaints:?}"
        );
        assert_eq!(fs::read(stage.file(name)).expect("a checkpoint"), newer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_ends_with_one_line_that_names_the_lock() {
    let mut stage = Stage::new().await;
    let first = stage.start();
    first.at_rest(&mut stage.seen).await;
    let mut second = stage.start();
    assert_eq!(second.wait().code(), Some(1));
    let complaints = complaints(&second);
    assert_eq!(complaints.len(), 1, "{:?}", second.log());
    assert!(complaints[0].contains(&stage.file(LOCK).display().to_string()), "{complaints:?}");
    // And the first one does not mind.
    stage.simulator.advance(Duration::from_secs(60));
    assert_shows_all(&first.at_rest(&mut stage.seen).await, &stage.simulator);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_the_state_does_not_know_and_that_are_older_than_it_start_with_no_history() {
    let mut stage = Stage::new().await;
    let narrow = stage.exporter().arg("--webhook.include=healthy").spawn();
    stage.simulator.advance(Duration::from_secs(3 * 3_600));
    narrow.at_rest(&mut stage.seen).await;
    narrow.terminate();
    assert!(narrow.ended().await.status == Some(0));
    // A wider filter, as after a change of the flags; the others have lost events all the time.
    let wide = stage.start();
    let mut fresh = Seen::default();
    let page = wide.at_rest(&mut fresh).await;
    let down = format!("webhook_id=\"{}\"", stage.id_of("down"));
    assert!(page.sum("cotalker_webhook_log_window_entries", &[&down, "result=\"failed\""]) > Some(0.0));
    assert_eq!(page.sum("cotalker_webhook_events_lost_total", &[&down]), Some(0.0));
    assert_eq!(page.sum(ATTEMPTS, &[&down]), Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_is_not_shown_before_the_logs_have_brought_it_up_to_date() {
    let mut stage = Stage::new().await;
    let mut process = stage.start();
    stage.simulator.advance(Duration::from_secs(300));
    process.at_rest(&mut stage.seen).await;
    process.kill();
    let mut old = stage.checkpoint();
    let mut process = stage.start();
    stage.simulator.advance(Duration::from_secs(300));
    let before = process.at_rest(&mut stage.seen).await.sum(ATTEMPTS, &[]);
    process.kill();

    // An hour old, by the clock of this machine.
    old.account.list_read_at = old.account.list_read_at.map(|at| at.plus_millis(-3_600_000));
    stage.put(&old);
    stage.simulator.fail(Target::AllLogs, Fault::Hold);
    let process = stage.start();
    let hidden = process.wait_for("a page", &mut Seen::anything(), |_| true).await;
    assert_eq!(hidden.sum(ATTEMPTS, &[]), None, "nothing is shown that may be a step back");
    stage.simulator.clear_all();
    // One webhook after the other, as their logs are read; none of them below what was shown before the backup came.
    process.wait_for("all of it", &mut Seen::anything(), |page| page.sum(ATTEMPTS, &[]) >= before).await;
    let page = process.at_rest(&mut stage.seen).await;
    assert_shows_all(&page, &stage.simulator);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_another_company_is_said() {
    let mut stage = Stage::new().await;
    let process = stage.start();
    process.at_rest(&mut stage.seen).await;
    process.terminate();
    assert_eq!(process.ended().await.status, Some(0));
    let other = stage.exporter().arg("--cotalker.company=625be93a286ef83c1c0e845f").spawn();
    let line = other.logs("the state belongs to another API or company").await;
    assert!(line.contains("625be93a286ef83c1c0e845f"), "{line}");
}
