//! `lost`: it prints what has to be replayed, held against what happened in the simulated Cotalker.

use cotalker_simulator::{
    Fault, LoggedAttempt, Order, Receiver, Simulator, Target, Trigger, Verdict, WebhookSpec, World, payload,
};
use delivery_ledger::{UnixMillis, WebhookId};
use serde_json::{Value, json};

use test_harness::{Ended, Program, START, program, serve};

use crate::schema::{assert_is_strict, assert_valid};

const HOUR: i64 = 3_600_000;

/// Webhooks that deliver, that lose a few events, and that lose more than a ledger lists, after five hours; each of the
/// broken ones has an event pending.
async fn company() -> Simulator {
    let mut world = World::new(START, 12);
    for (code, trigger, receiver) in [
        ("orders", Trigger::Task, Receiver::Healthy),
        ("stock", Trigger::User, Receiver::Flaky { failures: 0.7 }),
        ("sessions", Trigger::Logout, Receiver::Rejecting),
        ("notes", Trigger::Note, Receiver::Refused),
    ] {
        let spec = WebhookSpec::new(code, trigger).to(receiver).every_ms(60_000).entry_bytes(600, 900);
        world.add_since(spec, START.plus_millis(-5 * HOUR));
    }
    serve(world).await
}

fn iso(at: UnixMillis) -> Value {
    json!(payload::iso(at))
}

/// What the simulator knows of an event whose last attempt so far is this one, as the JSON tells it.
fn told(code: &str, id: WebhookId, last: &LoggedAttempt) -> Value {
    let event = &last.event;
    json!({
        "webhook_id": id.to_string(),
        "webhook": code,
        "entry_id": last.id.to_string(),
        "event_type": event.trigger.event_type(),
        "action": event.action.as_str(),
        "subject_id": event.subject.to_string(),
        "created_at": iso(event.created_at),
        "last_attempt_at": iso(last.at),
        "retry": last.retry,
        "reason": last.verdict.reason(),
        "status": last.status.filter(|_| last.verdict.is_response()),
    })
}

/// The lost and the pending events of some webhooks, those whose last attempt was made at `from` or later; newest first.
fn truth(simulator: &Simulator, from: UnixMillis) -> (Vec<Value>, Vec<Value>) {
    let (mut lost, mut pending) = (Vec::new(), Vec::new());
    simulator.with_world(|world| {
        for id in world.ids() {
            let (code, attempts) = (world.spec(id).code.clone(), world.attempts(id));
            for attempt in attempts.iter().filter(|attempt| attempt.is_final && attempt.verdict != Verdict::Taken) {
                let mut event = told(&code, id, attempt);
                (event["lost_at"], event["succeeded_at"]) = (iso(attempt.at), Value::Null);
                lost.push((attempt.at, attempt.id, event));
            }
            let newest = attempts.last().filter(|attempt| !attempt.is_final);
            pending.extend(newest.map(|attempt| (attempt.at, attempt.id, told(&code, id, attempt))));
        }
    });
    [&mut lost, &mut pending].into_iter().for_each(|events| {
        events.retain(|(at, ..)| *at >= from);
        events.sort_by_key(|event| std::cmp::Reverse((event.0, event.1)));
    });
    let values = |events: Vec<(_, _, Value)>| events.into_iter().map(|(_, _, event)| event).collect();
    (values(lost), values(pending))
}

fn lost(simulator: &Simulator) -> Program {
    program(&["lost"]).towards(simulator)
}

/// The document of a run, which fits its schema.
#[track_caller]
fn document(ended: &Ended) -> Value {
    let document = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    assert_valid("lost", &document);
    document
}

async fn json_of(command: Program) -> Value {
    let ended = command.arg("--output=json").run().await;
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(3), ""), "{ended:?}");
    document(&ended)
}

/// The ids of the log entries in the table below this title, in its order, with the ids of the subjects.
fn ids_in_table(text: &str, title: &str) -> Vec<[String; 2]> {
    let below = text.split_once(title).map_or("", |(_, below)| below);
    let rows = below.lines().skip(1).skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty());
    let is_id = |word: &&str| word.len() == 24 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ids = rows.map(|row| row.split_whitespace().filter(is_id).map(str::to_owned).collect::<Vec<_>>());
    ids.filter_map(|ids| <[String; 2]>::try_from(ids).ok()).collect()
}

fn ids_of(events: &[Value]) -> Vec<[String; 2]> {
    let text = |event: &Value, name: &str| event[name].as_str().expect("an id").to_owned();
    events.iter().map(|event| [text(event, "entry_id"), text(event, "subject_id")]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_lists_all_that_the_simulator_has_lost_and_what_is_pending_id_by_id() {
    let simulator = company().await;
    let (all_lost, all_pending) = truth(&simulator, UnixMillis::MIN);
    let per_webhook = |code: &str| all_lost.iter().filter(|event| event["webhook"] == code).count();
    assert!(per_webhook("sessions") > 100 && per_webhook("stock") > 5, "the scene shows too little");
    assert_eq!((per_webhook("orders"), all_pending.len()), (0, 3));

    let document = json_of(lost(&simulator)).await;
    assert_is_strict("lost", &document);
    assert_eq!(document["lost"], json!(all_lost));
    assert_eq!(document["pending"], json!(all_pending));
    assert_eq!((&document["problem"], &document["unreadable"]), (&Value::Null, &json!([])));
    let attempts: Vec<usize> = simulator
        .with_world(|world| {
            ["notes", "orders", "sessions", "stock"]
                .map(|code| world.attempts(world.id_of(code).expect("a webhook")).len())
        })
        .into();
    let read = document["logs"].as_array().expect("logs").iter().map(|log| log["attempts"].clone());
    assert_eq!(read.collect::<Vec<_>>(), attempts.into_iter().map(|attempts| json!(attempts)).collect::<Vec<_>>());

    let ended = lost(&simulator).run().await;
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(3), ""), "{ended:?}");
    assert_eq!(ids_in_table(&ended.stdout, "Lost: "), ids_of(&all_lost), "{}", ended.stdout);
    assert_eq!(ids_in_table(&ended.stdout, "Pending: "), ids_of(&all_pending), "{}", ended.stdout);
    assert!(ended.stdout.contains(&format!("Lost: {} events.", all_lost.len())), "{}", ended.stdout);
    assert!(ended.stdout.contains("Read 4 logs. The shortest is that of "), "{}", ended.stdout);
    assert!(!ended.stdout.contains('\u{1b}'), "no colours where nobody looks");
}

#[tokio::test(flavor = "multi_thread")]
async fn since_leaves_out_what_was_lost_earlier() {
    let simulator = company().await;
    let from = START.plus_millis(-HOUR / 2);
    let (all, recent) = (truth(&simulator, UnixMillis::MIN), truth(&simulator, from));
    assert!(!recent.0.is_empty() && recent.0.len() < all.0.len(), "the scene shows too little");
    // As `kubectl exec` sees it: all by variables.
    let document = json_of(lost(&simulator).env("EXPORTER_SINCE", "30m")).await;
    assert_eq!((&document["lost"], &document["pending"]), (&json!(recent.0), &json!(recent.1)));
    assert_eq!(document["since_seconds"], json!(1_800));

    let ended = lost(&simulator).arg("--since=soon").run().await;
    ended.assert_complains(2, &["--since", "EXPORTER_SINCE", "\"soon\"", "24h"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_finds_the_same_however_the_api_shows_its_logs() {
    let simulator = company().await;
    let (all_lost, all_pending) = truth(&simulator, UnixMillis::MIN);
    let ids = simulator.with_world(|world| world.ids());
    for order in [Order::OldestFirst, Order::Shuffled] {
        ids.iter().for_each(|id| simulator.shape(*id, |shape| (shape.order, shape.duplicates) = (order, true)));
        let document = json_of(lost(&simulator)).await;
        assert_eq!((&document["lost"], &document["pending"]), (&json!(all_lost), &json!(all_pending)), "{order:?}");
    }
    simulator.switch(|switches| (switches.etag, switches.compression) = (false, false));
    ids.iter().for_each(|id| simulator.shape(*id, |shape| shape.final_attempts_only = true));
    let document = json_of(lost(&simulator)).await;
    assert_eq!(document["lost"], json!(all_lost), "final rows only");
    assert_eq!(document["pending"], json!([]), "what has no row cannot be seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_says_the_same_as_the_json_for_chosen_webhooks_and_a_token_that_may_not_list() {
    let simulator = company().await;
    let stock = simulator.with_world(|world| world.id_of("stock").expect("a webhook"));
    let expected: Vec<Value> =
        truth(&simulator, UnixMillis::MIN).0.into_iter().filter(|event| event["webhook"] == "stock").collect();
    let command = lost(&simulator).env("COTALKER_TOKEN", &simulator.add_token(false));
    let document = json_of(command.env("EXPORTER_WEBHOOK_ID", &stock.to_string())).await;
    assert_eq!(document["lost"], json!(expected));
    let document = json_of(lost(&simulator).arg("--webhook.include=st.*")).await;
    assert_eq!((&document["lost"], &document["list"]["filtered_out"]), (&json!(expected), &json!(3)));
    let ended = lost(&simulator).arg("--webhook.limit=2").run().await;
    assert!(ended.stdout.contains("2 more webhooks are over --webhook.limit and would not be watched."), "{ended:?}");
    let ended = lost(&simulator).arg("--webhook.include=nothing").run().await;
    assert!(ended.status == Some(0) && ended.stdout.starts_with("Nothing was read: there is no webhook"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_lost_the_status_is_0() {
    let mut world = World::new(START, 3);
    let spec = WebhookSpec::new("orders", Trigger::Task).every_ms(60_000);
    world.add_since(spec, START.plus_millis(-HOUR));
    let simulator = serve(world).await;
    let ended = lost(&simulator).run().await;
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stdout.starts_with("Lost: no event.\nPending: no event.\nRead 1 log."), "{ended:?}");
    let ended = lost(&simulator).arg("--output=json").run().await;
    assert_eq!((ended.status, &document(&ended)["lost"]), (Some(0), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_succeeded_after_all_needs_no_replay() {
    let mut world = World::new(START, 3);
    let spec = WebhookSpec::new("orders", Trigger::Task).to(Receiver::Rejecting);
    let id = world.add_since(spec, START.plus_millis(-HOUR));
    world.emit(id, delivery_ledger::Action::Create, 1);
    world.advance_by(HOUR);
    let mut late = {
        let last = world.attempts(id).last().expect("an attempt");
        assert!(last.is_final);
        payload::entry_value(last, id.0, world.company())
    };
    let later = world.now().plus_millis(-1_000);
    let seconds = u32::try_from(later.as_millis() / 1_000).expect("a second");
    (late["_id"], late["createdAt"]) = (json!(format!("{seconds:08x}{}", "a".repeat(16))), json!(payload::iso(later)));
    (late["status"], late["retry"], late["response"]) = (json!(200), json!(4), json!("ok"));
    let simulator = serve(world).await;
    assert_eq!(lost(&simulator).run().await.status, Some(3));

    simulator.shape(id, |shape| shape.extra = vec![late]);
    let ended = lost(&simulator).arg("--output=json").run().await;
    let document = document(&ended);
    assert_eq!((ended.status, document["lost"].as_array().map(Vec::len)), (Some(0), Some(1)), "{document:#}");
    assert_eq!(document["lost"][0]["succeeded_at"], iso(later));
    let ended = lost(&simulator).run().await;
    assert!(ended.status == Some(0) && ended.stdout.contains("nothing to replay"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_logs_that_cannot_be_read_the_rest_is_printed_and_the_status_is_1() {
    let simulator = company().await;
    let stock = simulator.with_world(|world| world.id_of("stock").expect("a webhook"));
    simulator.fail(Target::Logs(stock), Fault::Html);
    let (all_lost, _) = truth(&simulator, UnixMillis::MIN);
    let rest: Vec<Value> = all_lost.into_iter().filter(|event| event["webhook"] != "stock").collect();
    let ended = lost(&simulator).run().await;
    assert_eq!((ended.status, ended.stderr.lines().count()), (Some(1), 1), "{ended:?}");
    assert!(
        ended.stderr.contains("failed to read the log of stock: ") && ended.stderr.contains("web page"),
        "{ended:?}"
    );
    assert_eq!(ids_in_table(&ended.stdout, "Lost: "), ids_of(&rest), "{}", ended.stdout);
    let ended = lost(&simulator).arg("--output=json").run().await;
    let document = document(&ended);
    assert_eq!((ended.status, &document["lost"]), (Some(1), &json!(rest)));
    assert_eq!(document["unreadable"][0]["webhook_id"], json!(stock.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_api_cannot_be_read_the_status_is_1_with_the_cause_in_one_line() {
    let simulator = company().await;
    let refused = || lost(&simulator).env("COTALKER_TOKEN", "wrong");
    refused().run().await.assert_complains(1, &["401", "--cotalker.token-file"]);
    let ended = refused().arg("--output=json").run().await;
    assert_eq!((ended.status, ended.stderr.lines().count()), (Some(1), 1), "{ended:?}");
    assert!(document(&ended)["problem"].as_str().is_some_and(|problem| problem.contains("401")), "{ended:?}");
    let missing = lost(&simulator).arg(format!("--webhook.id={}", "0".repeat(24))).run().await;
    missing.assert_complains(1, &["404", &"0".repeat(24)]);
    program(&["lost"]).run().await.assert_complains(2, &["--cotalker.token-file", "COTALKER_TOKEN"]);
}
