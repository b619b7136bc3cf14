//! Log entries that are odd, out of place, late, or gone before they were seen.

use std::time::Duration;

use cotalker_simulator::payload::{entry_value, iso};
use cotalker_simulator::{LogShape, Order, Receiver, Simulator, Trigger, WebhookSpec, World};
use delivery_ledger::{AttemptId, ObjectId, UnixMillis, WebhookId};
use serde_json::{Value, json};

use test_harness::{START, Setup, happen, serve};

const DAY_MS: i64 = 24 * 3_600_000;

/// Webhooks with three delivered events each, ten minutes ago.
async fn company(webhooks: usize) -> (Simulator, Vec<WebhookId>) {
    let mut world = World::new(START.plus_millis(-660_000), 6);
    for number in 0..webhooks {
        world.add(WebhookSpec::new(&format!("hook_{number}"), Trigger::Task));
    }
    let ids = world.ids();
    let simulator = serve(world).await;
    happen(&simulator, &ids, 3);
    simulator.advance(Duration::from_secs(600));
    assert_eq!(simulator.now(), START);
    (simulator, ids)
}

/// An id of this second.
fn id_of(at: UnixMillis, number: u8) -> ObjectId {
    let seconds = u32::try_from(at.as_millis() / 1_000).expect("a date before 2106");
    let [a, b, c, d] = seconds.to_be_bytes();
    ObjectId::from_bytes([a, b, c, d, 0xee, 0xee, 0xee, 0xee, 0xee, 0, 0, number])
}

/// A right entry for a further event, delivered at `at`.
fn entry(simulator: &Simulator, id: WebhookId, at: UnixMillis, number: u8) -> Value {
    let mut entry =
        simulator.with_world(|world| entry_value(world.attempts(id).first().expect("one"), id.0, world.company()));
    entry["_id"] = json!(id_of(at, number).to_string());
    entry["createdAt"] = json!(iso(at));
    entry["event"]["createdAt"] = json!(iso(at.plus_millis(-i64::from(number) - 1)));
    entry
}

fn attempts(simulator: &Simulator, id: WebhookId) -> Vec<AttemptId> {
    simulator.with_world(|world| world.attempts(id).iter().map(|attempt| attempt.id).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_and_senseless_entries_are_left_out_and_shown_and_the_rest_counts() {
    let (simulator, ids) = company(2).await;
    let at = START.plus_millis(-5_000);
    let mut foreign = entry(&simulator, ids[0], at, 1);
    foreign["subscription"] = json!(ids[1].to_string());
    let mut without_id = entry(&simulator, ids[0], at, 2);
    without_id["_id"] = json!(null);
    let senseless = [json!({"_id": 3}), json!(null), json!(7), json!("text"), json!([]), without_id];

    let mut quoted = entry(&simulator, ids[0], at, 3);
    quoted["status"] = json!("500");
    quoted["retry"] = json!("1");
    let mut undated = entry(&simulator, ids[0], at, 4);
    undated.as_object_mut().expect("an object").remove("createdAt");
    let mut misdated = entry(&simulator, ids[0], at, 5);
    misdated["createdAt"] = json!("yesterday");
    let mut bare = json!({"_id": id_of(at, 6).to_string(), "status": 204});
    bare["unheard_of"] = json!({"deep": [1, 2, {"deeper": null}]});

    simulator.shape(ids[0], |shape| {
        shape.extra = [vec![foreign], senseless.to_vec(), vec![quoted, undated, misdated, bare]].concat();
        shape.order = Order::Shuffled;
    });
    let page = Setup::of(&simulator).start().await.first_poll().await;
    let of = |family| page.of(ids[0], family);
    assert_eq!(of("delivery_attempts_total"), Some(7.0));
    assert_eq!(of("delivery_failures_total"), Some(1.0));
    assert_eq!(page.with(ids[0], "delivery_failures_total", "reason=\"http_5xx\""), Some(1.0));
    assert_eq!(page.with(ids[0], "delivery_responses_total", "code=\"500\""), Some(1.0));
    assert_eq!(page.with(ids[0], "delivery_responses_total", "code=\"204\""), Some(1.0));
    assert_eq!(of("delivery_retries_total"), Some(1.0));
    assert_eq!(
        (of("events_total"), of("events_delivered_total"), of("events_pending")),
        (Some(7.0), Some(6.0), Some(1.0)),
        "an entry without an event is one of its own"
    );
    for (result, entries) in [("success", 6.0), ("failed", 1.0), ("malformed", 6.0), ("foreign", 1.0)] {
        let label = format!("result=\"{result}\"");
        assert_eq!(page.with(ids[0], "log_window_entries", &label), Some(entries), "{result}");
    }
    assert_eq!(page.of(ids[0], "up"), Some(1.0));
    page.assert_shows(ids[1], &simulator.truth(ids[1], UnixMillis::MIN));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_from_the_future_counts_and_swallows_neither_the_present_nor_a_gap() {
    let (simulator, ids) = company(1).await;
    let id = ids[0];
    let future = entry(&simulator, id, START.plus_millis(2 * DAY_MS), 1);
    simulator.shape(id, |shape| shape.extra = vec![future]);
    let daemon = Setup::of(&simulator).start().await;
    let page = daemon.first_poll().await;
    assert_eq!((page.of(id, "delivery_attempts_total"), page.of(id, "events_total")), (Some(4.0), Some(4.0)));
    let last = page.of(id, "last_success_timestamp_seconds").expect("a success");
    assert!(last < 1_700_000_000.0, "{last}");

    // Old entries are forgotten, which raises the floor, but not up to the one from the future.
    simulator.advance(Duration::from_secs(2 * 3_600));
    daemon.whole_poll().await;
    happen(&simulator, &ids, 5);
    let page = daemon.whole_poll().await;
    assert_eq!(page.of(id, "delivery_attempts_total"), Some(9.0));
    assert_eq!((page.of(id, "events_delivered_total"), page.of(id, "log_gaps_total")), (Some(9.0), Some(0.0)));
    assert_eq!(page.of(id, "log_late_entries_total"), Some(0.0));

    simulator.shape(id, |shape| shape.window = 8);
    daemon.whole_poll().await;
    happen(&simulator, &ids, 20);
    let page = daemon.whole_poll().await;
    assert_eq!(page.of(id, "log_gaps_total"), Some(1.0));
    assert_eq!(page.of(id, "delivery_attempts_total"), Some(17.0), "the eight that are left");
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_any_order_change_nothing() {
    let mut world = World::new(START, 6);
    for number in 0..4 {
        let spec = WebhookSpec::new(&format!("hook_{number}"), Trigger::Survey);
        world.add(spec.to(Receiver::Flaky { failures: 0.5 }).every_ms(20_000));
    }
    world.advance_by(1_800_000);
    let ids = world.ids();
    let simulator = serve(world).await;
    let shapes =
        [(Order::Shuffled, false), (Order::OldestFirst, false), (Order::NewestFirst, true), (Order::Shuffled, true)];
    for (id, (order, duplicates)) in ids.iter().zip(shapes) {
        simulator.shape(*id, |shape| *shape = LogShape { order, duplicates, ..LogShape::default() });
    }
    let daemon = Setup::of(&simulator).start().await;
    let mut page = daemon.first_poll().await;
    for _ in 0..2 {
        for id in &ids {
            page.assert_shows(*id, &simulator.truth(*id, UnixMillis::MIN));
            assert_eq!(
                page.of(*id, "log_window_entries"),
                page.of(*id, "delivery_attempts_total"),
                "each attempt once, however often it is repeated"
            );
        }
        assert_eq!(page.sum("cotalker_webhook_log_gaps_total", &[]), Some(0.0));
        assert_eq!(page.sum("cotalker_webhook_log_late_entries_total", &[]), Some(0.0));
        simulator.advance(Duration::from_secs(300));
        page = daemon.whole_poll().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_show_up_late_count_and_entries_that_come_back_do_not_count_again() {
    let (simulator, ids) = company(2).await;
    let [late, back] = ids[..] else { panic!("{ids:?}") };
    let hidden = attempts(&simulator, late)[..2].to_vec();
    simulator.shape(late, |shape| shape.hidden = hidden.into_iter().collect());
    let daemon = Setup::of(&simulator).start().await;
    let page = daemon.first_poll().await;
    assert_eq!(page.of(late, "delivery_attempts_total"), Some(1.0));
    let shown = page.facts_of(back);

    let all = attempts(&simulator, back);
    simulator.shape(back, |shape| shape.hidden = all.into_iter().collect());
    simulator.shape(late, |shape| shape.hidden.clear());
    let page = daemon.wait_for("the late ones", |page| page.of(late, "log_late_entries_total") == Some(2.0)).await;
    page.assert_shows(late, &simulator.truth(late, UnixMillis::MIN));
    let page = daemon.wait_for("an empty log", |page| page.of(back, "log_window_entries") == Some(0.0)).await;
    page.assert_shows(back, &simulator.truth(back, UnixMillis::MIN));

    simulator.shape(back, |shape| shape.hidden.clear());
    let page = daemon.wait_for("the full log", |page| page.of(back, "log_window_entries") == Some(3.0)).await;
    assert_eq!(page.facts_of(back), shown);
    assert_eq!(page.sum("cotalker_webhook_log_gaps_total", &[]), Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_final_rows_only_tells_the_same_of_events() {
    let mut world = World::new(START, 6);
    let id = world.add(WebhookSpec::new("hook", Trigger::Note).to(Receiver::Flaky { failures: 0.7 }).every_ms(30_000));
    world.advance_by(3_000_000);
    world.change(id, |spec| spec.every_ms = 0);
    world.advance_by(3_600_000);
    let simulator = serve(world).await;
    simulator.shape(id, |shape| shape.final_attempts_only = true);
    let page = Setup::of(&simulator).start().await.first_poll().await;
    let truth = simulator.truth(id, UnixMillis::MIN);
    assert!(truth.lost > 3 && truth.delivered > 3 && truth.pending == 0, "{truth:?}");
    #[expect(clippy::cast_precision_loss, reason = "counts of tests are small")]
    for (family, expected) in [
        ("events_total", truth.delivered + truth.lost),
        ("events_delivered_total", truth.delivered),
        ("events_lost_total", truth.lost),
        ("delivery_attempts_total", truth.delivered + truth.lost),
        ("events_pending", 0),
    ] {
        assert_eq!(page.of(id, family), Some(expected as f64), "{family}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_gets_its_status_later_counts_once_and_by_that_status() {
    let (simulator, ids) = company(1).await;
    let at = START.plus_millis(-5_000);
    let mut row = entry(&simulator, ids[0], at, 1);
    row["status"] = json!(null);
    row["response"] = json!(null);
    simulator.shape(ids[0], |shape| shape.extra = vec![row.clone()]);
    let daemon = Setup::of(&simulator).start().await;
    let page = daemon.first_poll().await;
    assert_eq!(page.of(ids[0], "delivery_attempts_total"), Some(3.0), "the fourth is under way");
    row["status"] = json!(200);
    simulator.shape(ids[0], |shape| shape.extra = vec![row]);
    let page = daemon.wait_for("its end", |page| page.of(ids[0], "delivery_attempts_total") == Some(4.0)).await;
    assert_eq!(page.of(ids[0], "delivery_failures_total"), Some(0.0));
    assert_eq!(
        (page.of(ids[0], "events_delivered_total"), page.of(ids[0], "events_lost_total")),
        (Some(4.0), Some(0.0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_turns_to_success_delivers_its_event() {
    let (simulator, ids) = company(1).await;
    let at = START.plus_millis(-5_000);
    let mut row = entry(&simulator, ids[0], at, 1);
    row["status"] = json!(503);
    simulator.shape(ids[0], |shape| shape.extra = vec![row.clone()]);
    let daemon = Setup::of(&simulator).start().await;
    let page = daemon.first_poll().await;
    assert_eq!((page.of(ids[0], "events_pending"), page.of(ids[0], "blocked")), (Some(1.0), Some(1.0)));
    row["status"] = json!(200);
    simulator.shape(ids[0], |shape| shape.extra = vec![row]);
    let page = daemon.wait_for("its delivery", |page| page.of(ids[0], "events_pending") == Some(0.0)).await;
    assert_eq!((page.of(ids[0], "events_delivered_total"), page.of(ids[0], "blocked")), (Some(4.0), Some(0.0)));
    assert_eq!(page.of(ids[0], "delivery_attempts_total"), Some(4.0), "and counts once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_failure_without_a_usable_event_is_a_lost_event_of_its_own() {
    let (simulator, ids) = company(1).await;
    let at = START.plus_millis(-5_000);
    let without = |number: u8, event: serde_json::Value| {
        let mut row = entry(&simulator, ids[0], at, number);
        (row["status"], row["retry"], row["event"]) = (json!(503), json!(3), event);
        row
    };
    let mut absent = without(3, json!(null));
    absent.as_object_mut().expect("an object").remove("event");
    let rows = vec![without(1, json!(null)), without(2, json!("no JSON")), absent];
    simulator.shape(ids[0], |shape| shape.extra = rows);
    let page = Setup::of(&simulator).start().await.first_poll().await;
    assert_eq!(page.of(ids[0], "events_lost_total"), Some(3.0));
    assert_eq!(page.with(ids[0], "events_total", "event_type=\"other\",action=\"other\""), Some(3.0));
}
