//! The JSON API: what it says is what the metrics say, and what its schema describes.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use cotalker_simulator::demo::demo_scenario;
use cotalker_simulator::{Fault, Simulator, Target};
use delivery_ledger::{Action, EventType, FailureReason, History};
use jsonschema::Validator;
use serde_json::{Value, json};

use test_harness::{Daemon, START, Site, serve};

/// The schema that the documentation has, asked for one of its parts.
fn schema(part: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api-v1.schema.json");
    let mut schema: Value = serde_json::from_slice(&std::fs::read(path).expect("the schema")).expect("JSON");
    let _ = schema.as_object_mut().and_then(|schema| schema.remove("anyOf"));
    schema["$ref"] = json!(format!("#/$defs/{part}"));
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema")
}

#[track_caller]
fn assert_valid(part: &str, value: &Value) {
    let errors: Vec<String> =
        schema(part).iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{part}: {errors:#?}\n{value:#}");
}

async fn get(site: &Site, path: &str) -> (u16, Value) {
    let (status, text) = site.get(path).await;
    (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}")))
}

/// The demo's world after some hours, and an exporter that has read all of it.
async fn demo() -> (Simulator, Daemon) {
    let simulator = serve(demo_scenario(START, 10_942)).await;
    let exporter = Daemon::start(&simulator, History::Count).await;
    exporter.first_poll().await;
    (simulator, exporter)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_is_as_the_schema_says_and_says_what_the_metrics_say() {
    let (simulator, exporter) = demo().await;
    let page = exporter.scrape().await;
    let (status, list) = get(&exporter.site, "/api/v1/webhooks").await;
    assert_eq!(status, 200);
    assert_valid("list", &list);
    assert_eq!(
        (&list["api_up"], &list["api_problem"], &list["poll_interval_seconds"]),
        (&json!(true), &json!(null), &json!(1))
    );

    let ids = simulator.with_world(|world| world.ids());
    let webhooks = list["webhooks"].as_array().expect("an array");
    assert_eq!(webhooks.len(), ids.len());
    let mut told = BTreeSet::new();
    for webhook in webhooks {
        let id = webhook["id"].as_str().expect("an id");
        let (status, details) = get(&exporter.site, &format!("/api/v1/webhooks/{id}")).await;
        assert_eq!(status, 200);
        assert_valid("details", &details);
        // A poll may come in between: then the log has been read again, and is the same.
        for (name, value) in webhook.as_object().expect("an object").iter().filter(|(name, _)| *name != "read_at") {
            assert_eq!(&details[name], value, "{id} {name}");
        }
        for (name, metric) in [
            ("attempts", "cotalker_webhook_delivery_attempts_total"),
            ("failures", "cotalker_webhook_delivery_failures_total"),
            ("delivered", "cotalker_webhook_events_delivered_total"),
            ("lost", "cotalker_webhook_events_lost_total"),
            ("pending", "cotalker_webhook_events_pending"),
            ("consecutive_failures", "cotalker_webhook_consecutive_failures"),
            ("gaps", "cotalker_webhook_log_gaps_total"),
        ] {
            assert_eq!(webhook[name].as_f64(), page.sum(metric, &[&format!("webhook_id=\"{id}\"")]), "{id} {name}");
        }
        for (list, count, most) in
            [("lost_events", "lost", 100), ("pending_events", "pending", 100), ("recent_attempts", "attempts", 20)]
        {
            let listed = details[list].as_array().expect("an array").len() as u64;
            assert_eq!(Some(listed), details[count].as_u64().map(|count| count.min(most)), "{id} {list}");
            told.extend((listed > 0).then_some(list));
        }
        told.extend(webhook["state"].as_str().filter(|state| ["blocked", "healthy"].contains(state)));
    }
    assert_eq!(told.len(), 5, "something of everything is told: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_api_cannot_be_read_the_list_says_so_and_why() {
    let (simulator, exporter) = demo().await;
    simulator.fail(Target::List, Fault::Status { code: 500, retry_after: None });
    simulator.fail(Target::AllLogs, Fault::Status { code: 500, retry_after: None });
    simulator.advance(Duration::from_secs(1));
    exporter.wait_for("trouble", |page| page.sum("cotalker_up", &[]) == Some(0.0)).await;
    exporter.whole_poll().await;
    let (_, list) = get(&exporter.site, "/api/v1/webhooks").await;
    assert_valid("list", &list);
    assert_eq!(list["api_up"], json!(false));
    let has = |part| list["api_problem"].as_str().is_some_and(|problem: &str| problem.contains(part));
    assert!(has("500") && has("--cotalker.base-url"), "why, and what to do about it: {list}");
    let webhook = &list["webhooks"][0];
    assert_eq!(webhook["readable"], json!(false));
    assert!(webhook["problem"].is_string() && webhook["attempts"].as_u64() > Some(0), "{webhook}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_an_error_in_json() {
    let (simulator, exporter) = demo().await;
    let id = simulator.with_world(|world| world.ids()[0]).to_string();
    for path in ["ffffffffffffffffffffffff", "x", "", &format!("{id}/"), &id[..23]] {
        let (status, error) = get(&exporter.site, &format!("/api/v1/webhooks/{path}")).await;
        assert_eq!(status, 404, "{path}");
        assert_valid("error", &error);
    }
    let (status, error) = get(&exporter.site, "/api/v1/nothing").await;
    assert_eq!((status, &error), (404, &json!({"error": "not found"})));
    assert_eq!(get(&exporter.site, &format!("/api/v1/webhooks/{}", id.to_uppercase())).await.0, 200);
}

#[test]
fn the_schema_names_every_member_of_the_closed_sets() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api-v1.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).expect("the schema")).expect("JSON");
    let named = |part: &str| schema["$defs"][part]["enum"].clone();
    let reasons: Vec<&str> = FailureReason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(named("reason"), json!(reasons));
    let with_null = |texts: Vec<&str>| texts.into_iter().map(Value::from).chain([Value::Null]).collect::<Value>();
    assert_eq!(named("event_type"), with_null(EventType::ALL.iter().map(|kind| kind.as_str()).collect()));
    assert_eq!(named("action"), with_null(Action::ALL.iter().map(|action| action.as_str()).collect()));
}

#[test]
fn the_schema_refuses_what_it_does_not_describe() {
    let failure = json!({
        "entry_id": "62742dd824c886d54e60f02b", "attempted_at": "2022-05-05T20:04:40.084Z", "retry": 3,
        "reason": "timeout", "status": null, "message": "x",
    });
    assert_valid("failure", &failure);
    for (name, value) in [
        ("entry_id", json!("x")),
        ("attempted_at", json!("yesterday")),
        ("attempted_at", json!("2022-05-05T20:04:40+02:00")),
        ("retry", json!(-1)),
        ("reason", json!("bad luck")),
        ("response", json!("what the receiver said")),
    ] {
        let mut odd = failure.clone();
        odd[name] = value;
        assert!(!schema("failure").is_valid(&odd), "{odd}");
    }
}
