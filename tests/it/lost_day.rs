//! A day in which events are lost, and twenty kills: the lists of what to replay are what really happened.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cotalker_simulator::payload::iso;
use cotalker_simulator::{LoggedAttempt, Receiver, Simulator, Trigger, Verdict, WebhookSpec, World};
use delivery_ledger::{MAX_LOST, MAX_RECENT, WebhookId};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use test_harness::{START, Seen, Site, program, serve};

const KILLS: u32 = 20;

/// Shorter than the hour in which a row that shows up late counts.
const STEP: Duration = Duration::from_secs(12 * 60);

/// Twenty lives of so many steps, and one more, are a day and an hour.
const STEPS: u32 = 6;

const MINUTE: i64 = 60_000;

/// Webhooks that lose all, more than are listed, some, and no events.
async fn company() -> Simulator {
    let mut world = World::new(START, 11);
    for (code, trigger, receiver, every_minutes) in [
        ("down", Trigger::Task, Receiver::Down, 20),
        ("down_more_than_is_listed", Trigger::User, Receiver::Down, 8),
        ("rejecting", Trigger::Survey, Receiver::Rejecting, 25),
        ("refused_at_logout", Trigger::Logout, Receiver::Refused, 30),
        ("flaky", Trigger::Property, Receiver::Flaky { failures: 0.6 }, 6),
        ("healthy", Trigger::Note, Receiver::Healthy, 4),
    ] {
        world.add(WebhookSpec::new(code, trigger).to(receiver).every_ms(every_minutes * MINUTE).entry_bytes(300, 500));
    }
    serve(world).await
}

async fn details(site: &Site, id: WebhookId) -> Option<Value> {
    let (status, text) = site.try_get(&format!("/api/v1/webhooks/{id}")).await?;
    (status == 200).then(|| serde_json::from_str(&text).expect("JSON"))
}

fn entries<'a>(details: &'a Value, list: &str) -> Vec<&'a str> {
    let rows = details[list].as_array().expect("a list");
    rows.iter().map(|row| row["entry_id"].as_str().expect("an id")).collect()
}

/// The last attempts of the events that were lost, the newest first.
fn lost(simulator: &Simulator, id: WebhookId) -> Vec<LoggedAttempt> {
    let is_lost = |attempt: &&LoggedAttempt| attempt.is_final && attempt.verdict != Verdict::Taken;
    simulator.with_world(|world| world.attempts(id).iter().rev().filter(is_lost).cloned().collect())
}

/// What is to be told of a lost event with this last attempt.
fn told(attempt: &LoggedAttempt) -> Value {
    json!({
        "entry_id": attempt.id.to_string(),
        "subject_id": attempt.event.subject.to_string(),
        "event_type": attempt.event.trigger.event_type(),
        "action": attempt.event.action.as_str(),
        "created_at": iso(attempt.event.created_at),
        "last_attempt_at": iso(attempt.at),
        "retry": attempt.retry,
        "reason": attempt.verdict.reason(),
        "status": attempt.status.filter(|_| attempt.verdict.is_response()),
        "succeeded_at": null,
    })
}

/// Asserts that a lost event is told with this last attempt, and was lost then. Time leaps here, and an attempt that is dated
/// ahead of the time that the exporter knows is settled at that time: as far back as the leaps of one life.
fn assert_is_told(listed: &Value, attempt: &LoggedAttempt) {
    let mut listed = listed.clone();
    let lost_at = listed.as_object_mut().and_then(|event| event.remove("lost_at")).expect("when it was lost");
    assert_eq!(listed, told(attempt));
    let leaps = i64::from(STEPS) * i64::try_from(STEP.as_millis()).expect("a few minutes");
    let [earliest, latest] = [attempt.at.plus_millis(-leaps), attempt.at].map(iso);
    let lost_at = lost_at.as_str().expect("a time");
    assert!(*earliest <= *lost_at && *lost_at <= *latest, "{lost_at} is not from {earliest} to {latest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lost_events_of_a_day_are_those_that_were_lost_id_by_id_across_twenty_kills() {
    let simulator = company().await;
    let ids = simulator.with_world(|world| world.ids());
    let state = tempfile::tempdir().expect("a directory");
    // Time leaps here, also between a response and the next one's date: nothing is to be lost by that.
    let start = || {
        program(&["--webhook.pending-timeout=1d"])
            .towards(&simulator)
            .anywhere()
            .quickly()
            .keeping(state.path())
            .spawn()
    };
    let mut dice = StdRng::seed_from_u64(20);
    // That no counter steps back, `kills` holds.
    let mut seen = Seen::anything();
    let mut ever: BTreeMap<WebhookId, BTreeSet<String>> = BTreeMap::new();
    for life in 0..=KILLS {
        let mut process = start();
        for _ in 0..STEPS {
            simulator.advance(STEP);
            tokio::time::sleep(Duration::from_millis(dice.random_range(0..80))).await;
        }
        if life == KILLS || dice.random() {
            process.at_rest(&mut seen).await;
        }
        if process.is_ready().await == Some(true) {
            let site = process.site().await;
            for id in &ids {
                let Some(details) = details(&site, *id).await else { continue };
                let truth: BTreeSet<String> = lost(&simulator, *id).iter().map(|lost| lost.id.to_string()).collect();
                for entry in entries(&details, "lost_events") {
                    assert!(truth.contains(entry), "{entry} of {id} was not lost");
                    ever.entry(*id).or_default().insert(entry.to_owned());
                }
            }
        }
        if life < KILLS {
            process.kill();
            continue;
        }
        let mut all = 0;
        let site = process.site().await;
        for id in &ids {
            let details = details(&site, *id).await.expect("the webhook is shown");
            let truth = lost(&simulator, *id);
            all += truth.len();
            let mut listed = details["lost_events"].as_array().expect("a list").clone();
            // By when they were lost, which the leaps may change.
            listed.sort_by_key(|event| std::cmp::Reverse(event["last_attempt_at"].to_string()));
            assert_eq!(listed.len(), truth.len().min(MAX_LOST), "{id}");
            listed.iter().zip(&truth).for_each(|(listed, lost)| assert_is_told(listed, lost));
            assert_eq!(details["lost"], json!(truth.len()), "{id}");
            let union: BTreeSet<String> = truth.iter().map(|lost| lost.id.to_string()).collect();
            assert_eq!(ever.remove(id).unwrap_or_default(), union, "{id}: what was ever listed");

            let newest = simulator.with_world(|world| {
                world.attempts(*id).iter().rev().take(MAX_RECENT).map(|attempt| attempt.id.to_string()).collect()
            });
            assert_eq!(entries(&details, "recent_attempts"), Vec::<String>::from_iter::<Vec<String>>(newest), "{id}");
        }
        let most = ids.iter().map(|id| lost(&simulator, *id).len()).max();
        assert!(all > 300 && most > Some(MAX_LOST), "{all} were lost, {most:?} of one webhook");
        println!("{KILLS} kills, {all} events lost, all listed id by id");
    }
}
