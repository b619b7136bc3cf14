//! `check`: what it says of the API where the documentation says nothing.

use cotalker_simulator::{Endpoint, Fault, LogShape, Order, Receiver, Simulator, Target, Trigger, WebhookSpec, World};
use delivery_ledger::WebhookId;
use serde_json::{Value, json};

use test_harness::{Ended, START, program, serve};

use crate::responder::{Reaction, Responder, response};
use crate::schema::{assert_is_strict, assert_valid};

/// Two webhooks that have delivered for an hour, one of whose receivers fails half of the time.
async fn company() -> (Simulator, [WebhookId; 2]) {
    let mut world = World::new(START, 4);
    let receivers = [("orders", Receiver::Healthy), ("stock", Receiver::Flaky { failures: 0.6 })];
    let ids = receivers.map(|(code, receiver)| {
        let spec = WebhookSpec::new(code, Trigger::Task).to(receiver).every_ms(60_000);
        world.add_since(spec, START.plus_millis(-3_600_000))
    });
    (serve(world).await, ids)
}

async fn table(simulator: &Simulator) -> String {
    let ended = program(&["check"]).towards(simulator).run().await;
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    ended.stdout
}

/// The document of a check, which fits its schema.
#[track_caller]
fn document(ended: &Ended) -> Value {
    let document = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    assert_valid("check", &document);
    document
}

async fn json(simulator: &Simulator) -> Value {
    let ended = program(&["check", "--output=json"]).towards(simulator).run().await;
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    document(&ended)
}

fn shape_all(simulator: &Simulator, ids: [WebhookId; 2], change: impl Fn(&mut LogShape)) {
    ids.iter().for_each(|id| simulator.shape(*id, &change));
}

#[track_caller]
fn assert_says(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|said| said == *line), "{line:?} is missing:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_documentation_leaves_open_is_told_in_lines_for_an_operator() {
    let (simulator, _) = company().await;
    let text = table(&simulator).await;
    assert_says(
        &text,
        &[
            "Order: newest first",
            "Rows per event: up to 4 (each attempt is logged)",
            "ETag: yes, unchanged logs cost 304",
        ],
    );
    let compression = text.lines().find(|line| line.starts_with("Compression: ")).expect("a line");
    assert!(!compression.starts_with("Compression: none"), "{compression}");
    // One list, and each log twice: once as it is, once with its ETag.
    assert_eq!((simulator.count(Endpoint::List), simulator.count(Endpoint::Logs)), (1, 4));
    let conditional = simulator.calls().iter().filter(|call| call.headers.contains_key("if-none-match")).count();
    assert_eq!(conditional, 2);
    assert!(!text.contains('\u{1b}'), "no colours where nobody looks:\n{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_of_another_kind_is_told_as_it_is() {
    let (simulator, ids) = company().await;
    simulator.switch(|switches| (switches.etag, switches.compression) = (false, false));
    shape_all(&simulator, ids, |shape| {
        (shape.order, shape.final_attempts_only) = (Order::OldestFirst, true);
    });
    let text = table(&simulator).await;
    assert_says(
        &text,
        &[
            "Order: oldest first",
            "Rows per event: 1 (only the last attempt of an event is logged)",
            "ETag: no, so an unchanged log is sent again",
        ],
    );
    assert!(text.contains("Compression: none ("), "{text}");
    assert_eq!(simulator.count(Endpoint::Logs), 2, "without an ETag there is nothing to ask twice for");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_that_differ_are_told_apart_by_name() {
    let (simulator, ids) = company().await;
    simulator.shape(ids[1], |shape| shape.order = Order::Shuffled);
    let text = table(&simulator).await;
    assert_says(&text, &["Order: newest first (orders); unordered (stock)"]);
    let document = json(&simulator).await;
    let orders = [0, 1].map(|place| document["webhooks"][place]["log"]["order"].clone());
    assert_eq!(orders, [json!("newest_first"), json!("unordered")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_that_is_ignored_or_whose_log_has_changed_is_not_taken_for_one_that_works() {
    let id = "6".repeat(24);
    for (second_tag, told) in [("\"one\"", "ignored"), ("\"two\"", "untested")] {
        let list = json!([{"_id": id, "code": "orders"}]).to_string();
        let server = Responder::start(move |_, head| {
            let is_log = head.starts_with("GET /api/v3/webhook/subscription/logs/");
            let tag = if head.to_lowercase().contains("if-none-match: \"one\"") { second_tag } else { "\"one\"" };
            let body = if is_log { "[]" } else { list.as_str() };
            Reaction::Send(response("200 OK", &[&format!("ETag: {tag}")], body))
        })
        .await;
        let check = program(&["check", "--output=json"]).env("COTALKER_BASE_URL", &server.base_url());
        let document = document(&check.env("COTALKER_TOKEN", "x").run().await);
        let log = &document["webhooks"][0]["log"];
        assert_eq!((&log["etag"], &log["order"]), (&json!(told), &Value::Null), "{document:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_of_check_says_what_the_simulator_shows() {
    let (simulator, ids) = company().await;
    simulator.shape(ids[0], |shape| shape.window = 7);
    simulator.shape(ids[1], |shape| {
        shape.duplicates = true;
        shape.extra = vec![json!({"status": 200}), json!({"_id": "0".repeat(24), "subscription": "f".repeat(24)})];
    });
    simulator.switch(|switches| switches.compression = false);
    let document = json(&simulator).await;
    assert_is_strict("check", &document);
    assert_eq!((&document["readable"], &document["problem"]), (&json!(true), &Value::Null));
    let list = json!({"entries": 2, "malformed": 0, "repeated": 0, "filtered_out": 0, "over_limit": 0});
    assert_eq!(document["list"], list);

    let [orders, stock] = [0, 1].map(|place| document["webhooks"][place].clone());
    assert_eq!((&orders["webhook"], &stock["webhook"]), (&json!("orders"), &json!("stock")));
    assert_eq!((&orders["webhook_id"], &orders["state"]), (&json!(ids[0].to_string()), &json!("delivering")));
    let entries =
        json!({"success": 7, "failed": 0, "under_way": 0, "malformed": 0, "foreign": 0, "repeated": 0, "ahead": 0});
    assert_eq!(orders["log"]["entries"], entries);
    let (oldest, newest) = simulator.with_world(|world| {
        let attempts = world.attempts(ids[0]);
        let shown = &attempts[attempts.len() - 7..];
        (shown[0].at, shown[6].at)
    });
    assert_eq!(orders["log"]["span_seconds"], json!(newest.millis_since(oldest) as f64 / 1_000.0));

    let truth = simulator.truth(ids[1], START.plus_millis(-7_200_000));
    let (attempts, entries) = (truth.attempts, &stock["log"]["entries"]);
    assert_eq!((&entries["success"], &entries["failed"]), (&json!(attempts - truth.failed()), &json!(truth.failed())));
    assert_eq!((&entries["malformed"], &entries["foreign"]), (&json!(2), &json!(2)));
    assert_eq!(entries["repeated"], json!(attempts));
    let rows = &stock["log"]["rows_per_event"];
    assert_eq!((&rows["logged"], &rows["most"]), (&json!("each_attempt"), &json!(4)));
    assert_eq!((&stock["log"]["encodings"], &stock["log"]["bytes"]), (&json!([]), &stock["log"]["received_bytes"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_that_are_all_cut_at_one_length_are_told_as_a_guess() {
    let (simulator, ids) = company().await;
    let unknown = json!({"kind": "unknown", "entries": null, "seconds": null, "logs": null});
    assert_eq!(json(&simulator).await["retention"], unknown);
    shape_all(&simulator, ids, |shape| shape.window = 20);
    let guess = json!({"kind": "newest", "entries": 20, "seconds": null, "logs": 2});
    assert_eq!(json(&simulator).await["retention"], guess);
    assert_says(&table(&simulator).await, &["Retention: perhaps the newest 20 entries (2 logs have exactly so many)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_log_is_told_with_both_of_its_sizes() {
    let (simulator, _) = company().await;
    let document = json(&simulator).await;
    let log = &document["webhooks"][0]["log"];
    assert_eq!(log["encodings"].as_array().map(Vec::len), Some(1), "{document:#}");
    assert!(log["received_bytes"].as_u64() < log["bytes"].as_u64(), "{document:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_make_no_sense_and_webhooks_that_are_not_watched_are_mentioned() {
    let (simulator, ids) = company().await;
    let [orders, stock] = ids.map(|id| id.to_string());
    let list = json!([
        {"_id": orders, "code": "orders"}, {"code": "nameless"}, {"_id": stock, "code": "stock"},
        {"_id": orders, "code": "orders"}, 7, {"_id": "0".repeat(24), "code": "old"},
    ]);
    simulator.switch(|switches| switches.list_body = Some(list.to_string()));
    simulator.shape(ids[0], |shape| {
        shape.extra = vec![json!({"status": 200}), json!({"_id": "1".repeat(24), "subscription": "f".repeat(24)})];
    });
    let ended = program(&["check", "--webhook.exclude=old", "--webhook.limit=1"]).towards(&simulator).run().await;
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_says(
        &ended.stdout,
        &[
            "Odd entries in the log of orders: 1 malformed (no usable _id), 1 of another webhook",
            "2 entries of the list are malformed (no usable _id) and would not be watched.",
            "1 entry of the list repeats the _id of an earlier one.",
            "1 webhook is left out by --webhook.include or --webhook.exclude.",
            "1 more webhook is over --webhook.limit and would not be watched.",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_cannot_be_read_is_a_document_with_the_problem() {
    let (simulator, ids) = company().await;
    let check = || program(&["check"]).towards(&simulator).env("EXPORTER_OUTPUT", "json");
    let refused = check().env("COTALKER_TOKEN", "wrong").run().await;
    assert_eq!((refused.status, refused.stderr.lines().count()), (Some(1), 1), "{refused:?}");
    let document = document(&refused);
    assert_eq!((&document["readable"], &document["list"]), (&json!(false), &Value::Null));
    assert!(document["problem"].as_str().is_some_and(|problem| problem.contains("401")), "{document:#}");

    simulator.fail(Target::Logs(ids[0]), Fault::Html);
    let partial = self::document(&check().run().await);
    assert_eq!((&partial["readable"], &partial["webhooks"][0]["state"]), (&json!(true), &json!("unreadable")));
    assert!(partial["webhooks"][0]["problem"].as_str().is_some_and(|problem| problem.contains("web page")));
    assert_ne!(partial["webhooks"][1]["state"], json!("unreadable"));

    simulator.fail(Target::AllLogs, Fault::Html);
    let ended = check().run().await;
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("failed to read any webhook's log: orders: "), "{ended:?}");
    assert_eq!(self::document(&ended)["readable"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_check_prints_may_be_table_or_json_and_nothing_else() {
    let (simulator, _) = company().await;
    let ended = program(&["check", "--output=yaml"]).towards(&simulator).run().await;
    ended.assert_complains(2, &["--output", "EXPORTER_OUTPUT", "\"yaml\"", "table or json"]);
}
