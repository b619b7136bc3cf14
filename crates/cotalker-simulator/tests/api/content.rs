//! What a healthy API sends: the list, single webhooks, logs.

use std::collections::HashSet;
use std::time::Duration;

use cotalker_simulator::{
    LogShape, Order, Receiver, SECRET_MARKER, Settings, Simulator, Trigger, WebhookSpec, payload,
};
use delivery_ledger::Action;
use serde_json::{Value, json};

use crate::client::{HOUR, LIST, entries, get, ids, logs, newest_first, tasks, with_log, world};

#[tokio::test]
async fn the_list_and_a_single_webhook_are_as_documented() {
    let mut world = world();
    let mut spec = tasks().named("Órdenes de trabajo");
    spec.description = Some("Sends updates".to_owned());
    let id = world.add(spec);
    let resting = world.add(WebhookSpec::new("note_archive", Trigger::Note));
    world.change(resting, |spec| spec.active = false);
    let company = world.company().to_string();
    let simulator = Simulator::start(world, Settings::default()).await.expect("loopback");

    let list: Value = get(&simulator, LIST).await.text().await.expect("a body").parse().expect("JSON");
    let first = &list[0];
    assert_eq!(first["_id"], json!(id.to_string()));
    assert_eq!(first["company"], json!(company));
    assert_eq!(first["isActive"], json!(true));
    assert_eq!(first["trigger"], json!("create-edit-delete-task"));
    assert_eq!(first["name"], json!("Órdenes de trabajo"));
    assert_eq!(first["code"], json!("wo_update"));
    assert_eq!(first["description"], json!("Sends updates"));
    assert!(first["context"]["taskGroup"].is_string());
    let url = url::Url::parse(first["url"].as_str().expect("a URL")).expect("a URL");
    assert_eq!(url.host_str(), Some("hooks.acme.example"));
    assert!(url.as_str().contains(SECRET_MARKER));
    assert_eq!(list[1]["isActive"], json!(false));

    let single = get(&simulator, &format!("{LIST}/{id}")).await.text().await.expect("a body");
    assert_eq!(single.parse::<Value>().expect("JSON"), *first);

    simulator.switch(|switches| switches.hide_inactive = true);
    let list: Value = get(&simulator, LIST).await.text().await.expect("a body").parse().expect("JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_log_is_a_window_on_the_newest_entries_newest_first() {
    let (simulator, id) = with_log(30).await;
    let all = newest_first(&simulator, id);
    assert_eq!(ids(&entries(&simulator, id).await), all);
    simulator.shape(id, |shape| shape.window = 10);
    assert_eq!(ids(&entries(&simulator, id).await), all[..10]);
    simulator.shape(id, |shape| shape.window = 0);
    assert!(entries(&simulator, id).await.is_empty());
}

#[tokio::test]
async fn a_long_log_arrives_whole_though_it_is_made_up_while_it_is_sent() {
    let (simulator, id) = with_log(1_000).await;
    let all = newest_first(&simulator, id);
    assert_eq!(ids(&entries(&simulator, id).await), all);
    let first = simulator.with_world(|world| payload::entry_value(&world.attempts(id)[0], id.0, world.company()));
    assert_eq!(entries(&simulator, id).await.last(), Some(&first));
}

#[tokio::test]
async fn a_log_can_be_shown_in_any_order_twice_with_holes_and_late() {
    let (simulator, id) = with_log(20).await;
    let all = newest_first(&simulator, id);

    simulator.shape(id, |shape| shape.order = Order::OldestFirst);
    assert_eq!(ids(&entries(&simulator, id).await), all.iter().rev().cloned().collect::<Vec<_>>());
    simulator.shape(id, |shape| shape.order = Order::Shuffled);
    let mut shuffled = ids(&entries(&simulator, id).await);
    assert_ne!(shuffled, all);
    shuffled.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(shuffled, all);

    simulator.shape(id, |shape| *shape = LogShape { duplicates: true, ..LogShape::default() });
    assert_eq!(entries(&simulator, id).await.len(), 40);

    let third = simulator.with_world(|world| world.attempts(id)[17].id);
    simulator.shape(id, |shape| {
        *shape = LogShape { hidden: HashSet::from([third]), window: 5, ..LogShape::default() };
    });
    assert_eq!(ids(&entries(&simulator, id).await), [&all[..2], &all[3..6]].concat());

    simulator.shape(id, |shape| *shape = LogShape { lag_ms: 2 * HOUR, ..LogShape::default() });
    assert!(entries(&simulator, id).await.is_empty());
    simulator.advance(Duration::from_secs(2 * 3_600));
    assert_eq!(entries(&simulator, id).await.len(), 20);

    simulator.shape(id, |shape| *shape = LogShape { extra: vec![json!({"_id": 3})], ..LogShape::default() });
    let shown = entries(&simulator, id).await;
    assert_eq!((shown.len(), &shown[0]), (21, &json!({"_id": 3})));

    simulator.shape(id, |shape| shape.body = Some("not JSON".to_owned()));
    assert_eq!(get(&simulator, &logs(id)).await.text().await.expect("a body"), "not JSON");
}

#[tokio::test]
async fn a_log_can_hold_the_last_attempt_of_each_event_only() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::Refused));
    world.emit(id, Action::Edit, 2);
    world.advance_by(HOUR);
    let simulator = Simulator::start(world, Settings::default()).await.expect("loopback");
    assert_eq!(entries(&simulator, id).await.len(), 8);
    simulator.shape(id, |shape| shape.final_attempts_only = true);
    let shown = entries(&simulator, id).await;
    assert_eq!(shown.iter().map(|entry| entry["retry"].clone()).collect::<Vec<_>>(), [json!(3), json!(3)]);
}
