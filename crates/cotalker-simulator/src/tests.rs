use std::collections::{BTreeMap, BTreeSet, HashSet};

use flate2::read::GzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, DATE, ETAG, IF_NONE_MATCH, LOCATION, RETRY_AFTER};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use std::io::Read as _;

use delivery_ledger::Action;

use super::world::LoggedAttempt;
use super::*;

const START: UnixMillis = UnixMillis::from_secs(1_760_000_000);
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

fn world() -> World {
    World::new(START, 7)
}

fn tasks() -> WebhookSpec {
    WebhookSpec::new("wo_update", Trigger::Task)
}

/// A simulator with one webhook that has this many delivered events in its log.
async fn with_log(entries: usize) -> (Simulator, WebhookId) {
    let mut world = world();
    let id = world.add(tasks());
    world.emit(id, Action::Edit, entries);
    world.advance_by(HOUR);
    assert_eq!(world.attempts(id).len(), entries);
    (Simulator::start(world, Settings::default()).await.expect("loopback"), id)
}

/// A plain client: no proxy, no redirects, no decompression.
fn client() -> Client {
    // Whoever is first; the others find it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

fn logs(id: WebhookId) -> String {
    format!("/api/v3/webhook/subscription/logs/{id}")
}

const LIST: &str = "/api/v3/webhook/subscription";

async fn get(simulator: &Simulator, path: &str) -> Response {
    let url = format!("{}{path}", simulator.base_url());
    client().get(url).bearer_auth(simulator.token()).send().await.expect("an answer")
}

async fn rows(simulator: &Simulator, id: WebhookId) -> Vec<Value> {
    let text = get(simulator, &logs(id)).await.text().await.expect("a whole body");
    serde_json::from_str(&text).expect("an array")
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["_id"].as_str().unwrap_or_default().to_owned()).collect()
}

fn newest_first(simulator: &Simulator, id: WebhookId) -> Vec<String> {
    simulator.with_world(|world| world.attempts(id).iter().rev().map(|attempt| attempt.id.to_string()).collect())
}

// The world.

#[test]
fn the_next_event_is_sent_only_after_the_one_before_it_is_settled() {
    let mut world = world();
    let ids = [
        world.add(tasks().to(Receiver::Flaky { failures: 0.5 }).every_ms(10 * SECOND)),
        world.add(tasks().to(Receiver::Rejecting).every_ms(10 * SECOND)),
        world.add(tasks().to(Receiver::Slow { from_ms: SECOND, to_ms: 40 * SECOND }).every_ms(10 * SECOND)),
    ];
    world.advance_by(6 * HOUR);
    for id in ids {
        let attempts = world.attempts(id);
        assert!(attempts.len() > 100);
        for pair in attempts.windows(2) {
            let [before, after] = pair else { unreachable!() };
            assert!(before.at < after.at);
            if before.is_final {
                assert_eq!((after.event.number, after.retry), (before.event.number + 1, 0));
            } else {
                assert_eq!((after.event.number, after.retry), (before.event.number, before.retry + 1));
                assert!(after.at.millis_since(before.at) >= RETRY_AFTER_MS);
            }
            assert!(after.event.created_at <= after.at);
        }
    }
}

#[test]
fn a_dead_receiver_is_tried_four_times_at_the_spacing_of_the_documented_sample_and_then_the_event_is_lost() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::Down));
    world.emit(id, Action::Create, 2);
    world.advance_by(HOUR);

    let attempts = world.attempts(id);
    assert_eq!(attempts.len(), 8);
    assert_eq!(attempts.iter().map(|attempt| attempt.retry).collect::<Vec<_>>(), [0, 1, 2, 3, 0, 1, 2, 3]);
    for attempt in attempts {
        assert_eq!(attempt.status, Some(409));
        assert!(attempt.response.starts_with("connect ETIMEDOUT 203.0.113."), "{}", attempt.response);
        assert_eq!(attempt.is_final, attempt.retry == MAX_RETRY);
    }
    // The sample: 2 min 40 s from one entry to the next, the first one some 130 s after the event.
    for pair in attempts[..4].windows(2) {
        let gap = pair[1].at.millis_since(pair[0].at);
        assert!((159_900..=160_100).contains(&gap), "{gap}");
    }
    assert!((129_900..=130_100).contains(&attempts[0].at.millis_since(START)));
    assert_eq!(attempts[0].event, attempts[3].event);

    let truth = world.truth(id, START);
    assert_eq!((truth.attempts, truth.retries, truth.lost, truth.delivered, truth.pending), (8, 6, 2, 0, 0));
    assert_eq!(truth.failures, BTreeMap::from([("timeout", 8)]));
    assert!(truth.responses.is_empty());
    assert_eq!(truth.events, BTreeMap::from([(("COTTask", "create"), 2)]));
}

#[test]
fn a_script_is_followed_to_its_end_and_the_truth_tells_it() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::scripted([
        Reply::answer(500, "oops"),
        Reply::timeout(),
        Reply::answer(204, ""),
        Reply::answer(301, "elsewhere"),
        Reply::answer(409, "locked"),
        Reply::answer(210, "?"),
        Reply::transport_error(Verdict::Dns, "getaddrinfo ENOTFOUND hooks.acme.example"),
        Reply::transport_error(Verdict::Reset, "socket hang up"),
    ])));
    world.emit(id, Action::Edit, 3);
    world.advance_by(8 * MINUTE);

    let truth = world.truth(id, START);
    assert_eq!(
        truth.failures,
        BTreeMap::from([
            ("http_5xx", 1),
            ("timeout", 1),
            ("http_3xx", 1),
            ("http_4xx", 1),
            ("other", 1),
            ("dns", 1),
            ("reset", 1),
        ])
    );
    assert_eq!(truth.responses, BTreeMap::from([(500, 1), (200, 1), (204, 1), (301, 1), (409, 1), (210, 1)]));
    assert_eq!((truth.attempts, truth.delivered, truth.lost, truth.pending), (9, 2, 1, 0));
    assert_eq!(truth.delays_ms[0], 20 + RETRY_AFTER_MS + 130_000 + RETRY_AFTER_MS + 20);
}

#[test]
fn an_event_that_has_been_tried_is_pending_until_it_is_settled() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::Refused));
    world.emit(id, Action::Edit, 3);
    assert_eq!(world.truth(id, START), Truth::default());
    world.advance_by(SECOND);
    assert_eq!((world.truth(id, START).pending, world.queued(id)), (1, 2));

    world.set_receiver(id, Receiver::Healthy);
    world.advance_by(MINUTE);
    let truth = world.truth(id, START);
    assert_eq!((truth.pending, truth.delivered, truth.lost, truth.retries), (0, 3, 0, 1));
}

#[test]
fn the_truth_since_some_time_counts_an_event_from_its_first_attempt_after_it() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::Refused));
    world.emit(id, Action::Edit, 1);
    world.advance_by(10 * SECOND);
    let since = world.now();
    world.advance_by(HOUR);
    let truth = world.truth(id, since);
    assert_eq!((truth.attempts, truth.retries, truth.lost), (3, 3, 1));
    assert_eq!(truth.events.values().sum::<u64>(), 1);
}

#[test]
fn the_truth_equals_the_history() {
    let mut world = demo::demo_scenario(START, 3);
    world.advance_by(HOUR);
    for id in world.ids() {
        let attempts = world.attempts(id);
        let truth = world.truth(id, UnixMillis::MIN);
        let events: HashSet<u64> = attempts.iter().map(|attempt| attempt.event.number).collect();
        let settled =
            |verdict: fn(Verdict) -> bool| count(attempts, |attempt| attempt.is_final && verdict(attempt.verdict));
        assert_eq!(truth.attempts, count(attempts, |_| true));
        assert_eq!(truth.failed(), count(attempts, |attempt| attempt.verdict != Verdict::Taken));
        assert_eq!(truth.events.values().sum::<u64>(), u64::try_from(events.len()).expect("small"));
        assert_eq!(truth.delivered, settled(|verdict| verdict == Verdict::Taken));
        assert_eq!(truth.lost, settled(|verdict| verdict != Verdict::Taken));
        assert_eq!(truth.delivered + truth.lost + truth.pending, u64::try_from(events.len()).expect("small"));
        assert!(truth.pending <= 1);
    }
}

fn count(attempts: &[LoggedAttempt], is_meant: impl Fn(&LoggedAttempt) -> bool) -> u64 {
    u64::try_from(attempts.iter().filter(|attempt| is_meant(attempt)).count()).expect("small")
}

#[test]
fn the_same_seed_gives_the_same_world_however_time_passes() {
    let (mut at_once, mut by_steps) = (demo::many(100, START, 0, 11), demo::many(100, START, 0, 11));
    let mut other = demo::many(100, START, 0, 12);
    at_once.advance_by(2 * HOUR);
    other.advance_by(2 * HOUR);
    for _ in 0..480 {
        by_steps.advance_by(15 * SECOND);
    }
    assert_eq!(at_once.ids(), by_steps.ids());
    for id in at_once.ids() {
        assert_eq!(at_once.attempts(id), by_steps.attempts(id));
    }
    assert_ne!(at_once.ids(), other.ids());
}

#[test]
fn a_changed_webhook_leaves_the_others_as_they_were() {
    let (mut plain, mut changed) = (demo::many(3, START, 0, 1), demo::many(3, START, 0, 1));
    let ids = plain.ids();
    changed.set_receiver(ids[1], Receiver::Down);
    plain.advance_by(HOUR);
    changed.advance_by(HOUR);
    assert_eq!(plain.attempts(ids[0]), changed.attempts(ids[0]));
    assert_eq!(plain.attempts(ids[2]), changed.attempts(ids[2]));
    assert_ne!(plain.attempts(ids[1]), changed.attempts(ids[1]));
}

#[test]
fn ids_are_unique_and_dated_by_what_they_name() {
    let mut world = demo::many(50, START, HOUR, 5);
    world.advance_by(HOUR);
    let mut seen: HashSet<_> = world.ids().into_iter().map(|id| id.0).collect();
    assert_eq!(seen.len(), 50);
    for id in world.ids() {
        for attempt in world.attempts(id) {
            assert_eq!(attempt.id.0.made_at(), attempt.at.start_of_second());
            assert!(seen.insert(attempt.id.0));
        }
        assert!(world.attempts(id).windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}

#[test]
fn a_resting_webhook_sends_nothing_and_goes_on_with_what_waited() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::scripted([Reply::answer(503, "later")])));
    world.emit(id, Action::Edit, 2);
    world.advance_by(SECOND);
    world.change(id, |spec| spec.active = false);
    world.emit(id, Action::Edit, 1);
    world.advance_by(HOUR);
    assert_eq!(world.attempts(id).len(), 1);

    world.change(id, |spec| spec.active = true);
    let woken = world.now();
    world.advance_by(MINUTE);
    let attempts = world.attempts(id);
    assert_eq!(attempts.len(), 3);
    assert_eq!((attempts[1].retry, attempts[2].retry), (1, 0));
    assert!(attempts[1].at > woken && attempts[1].at.millis_since(woken) < SECOND);
}

#[test]
fn a_cycle_switches_a_webhook_off_and_on() {
    let mut world = world();
    let mut spec = tasks().every_ms(SECOND);
    spec.cycle = Some(Cycle { active_ms: 10 * MINUTE, resting_ms: 5 * MINUTE });
    let id = world.add(spec);
    let mut seen = Vec::new();
    for _ in 0..6 {
        world.advance_by(5 * MINUTE - 10 * SECOND);
        seen.push(world.spec(id).active);
        world.advance_by(10 * SECOND);
    }
    assert_eq!(seen, [true, true, false, true, true, false]);
}

#[test]
fn a_bounded_history_forgets_the_oldest_and_keeps_enough() {
    let mut world = World::new(START, 1).with_history_limit(100);
    let id = world.add(tasks().every_ms(SECOND));
    for _ in 0..60 {
        world.advance_by(MINUTE);
        assert!(world.attempts(id).len() <= 150);
    }
    assert!(world.attempts(id).len() >= 100);
    let newest = world.attempts(id).last().expect("attempts").clone();
    let (_, shown) = world.find(id).expect("it is there").newest_first().next().expect("attempts");
    assert_eq!(*shown, newest);
}

// The demo.

#[test]
fn the_demo_shows_successes_failures_retries_and_a_loss_within_ten_seconds() {
    for seed in 0..20 {
        let mut world = demo::demo_scenario(START, seed);
        let triggers: BTreeSet<_> = world.ids().iter().map(|id| world.spec(*id).trigger).collect();
        assert_eq!(triggers.len(), Trigger::DOCUMENTED.len());
        world.advance_by(10 * SECOND);
        let mut sum = [0; 4];
        for id in world.ids() {
            let truth = world.truth(id, START);
            for (sum, more) in sum.iter_mut().zip([truth.delivered, truth.failed(), truth.retries, truth.lost]) {
                *sum += more;
            }
        }
        assert!(sum.iter().all(|sum| *sum > 0), "seed {seed}: {sum:?}");
    }
}

#[test]
fn the_demo_loses_an_event_at_least_every_thirty_seconds() {
    let mut world = demo::demo_scenario(START, 1);
    world.advance_by(2 * MINUTE);
    let mut lost: Vec<_> = world
        .ids()
        .iter()
        .flat_map(|id| world.attempts(*id))
        .filter(|attempt| attempt.at > START && attempt.is_final && attempt.verdict != Verdict::Taken)
        .map(|attempt| attempt.at.millis_since(START))
        .collect();
    lost.sort_unstable();
    assert!(lost.windows(2).all(|pair| pair[1] - pair[0] <= 30 * SECOND), "{lost:?}");
}

#[test]
fn the_demo_has_hours_of_history_with_losses_everywhere_it_should() {
    let world = demo::demo_scenario(START, 1);
    for code in ["activos_sap", "note_archive", "survey_legacy", "wo_billing", "session_audit"] {
        let truth = world.truth(world.id_of(code).expect(code), UnixMillis::MIN);
        assert!(truth.lost > 20 && truth.delivered == 0, "{code}: {truth:?}");
    }
    for code in ["wo_update", "user_sync", "checklist_bi", "asset_watch"] {
        let truth = world.truth(world.id_of(code).expect(code), UnixMillis::MIN);
        assert!(truth.delivered > 500, "{code}: {truth:?}");
    }
}

// What entries look like.

#[test]
fn entries_of_every_kind_parse_and_carry_all_documented_fields() {
    for trigger in Trigger::DOCUMENTED.into_iter().chain([Trigger::Unknown]) {
        let mut world = world();
        let id = world.add(WebhookSpec::new("any", trigger).to(Receiver::Flaky { failures: 0.5 }).every_ms(SECOND));
        world.advance_by(30 * MINUTE);
        let mut actions = BTreeSet::new();
        for attempt in world.attempts(id) {
            let entry = payload::entry_value(attempt, id.0, world.company());
            assert_eq!(entry["_id"], json!(attempt.id.to_string()));
            assert_eq!(entry["subscription"], json!(id.to_string()));
            assert_eq!(entry["company"], json!(world.company().to_string()));
            assert_eq!(entry["createdAt"], json!(payload::iso(attempt.at)));
            assert_eq!(entry["status"], json!(attempt.status));
            assert_eq!(entry["retry"], json!(attempt.retry));
            assert_eq!(entry["response"], json!(&*attempt.response));
            assert_eq!(entry["__v"], json!(0));
            let event = &entry["event"];
            actions.insert(attempt.event.action);
            assert_eq!(event["type"], json!(trigger.event_type()));
            assert_eq!(event["event"], json!(attempt.event.action.as_str()));
            assert_eq!(event["createdAt"], json!(payload::iso(attempt.event.created_at)));
            assert_eq!(event["company"], entry["company"]);
            let subject = json!(attempt.event.subject.to_string());
            if trigger == Trigger::Logout {
                assert_eq!(event["data"], Value::Null);
                assert_eq!(event["extraData"]["userId"], subject);
                assert!(event["extraData"]["timestamp"].is_string());
            } else {
                assert_eq!(event["data"]["_id"], subject);
                assert_eq!(event["extraData"], Value::Null);
                assert!(event["data"].to_string().contains(SECRET_MARKER));
                assert_eq!(event["diff"].is_object(), attempt.event.action == Action::Edit);
                if attempt.event.action == Action::Edit {
                    assert!(event["diff"].to_string().contains(SECRET_MARKER));
                }
            }
            if trigger == Trigger::User {
                assert!(event["data"]["password"].is_string());
            }
        }
        assert_eq!(actions.len(), if trigger == Trigger::Logout { 1 } else { 3 }, "{trigger:?}");
    }
}

#[test]
fn entries_have_the_size_that_is_wanted() {
    let mut world = world();
    let id = world.add(tasks().entry_bytes(3_000, 3_000));
    world.emit(id, Action::Create, 50);
    world.emit(id, Action::Edit, 50);
    world.advance_by(MINUTE);
    for attempt in world.attempts(id) {
        let mut entry = Vec::new();
        payload::write_entry(&mut entry, attempt, id.0, world.company(), (3_000, 3_000));
        assert!((2_700..=3_600).contains(&entry.len()), "{}", entry.len());
    }
}

#[test]
fn dates_are_written_as_the_api_writes_them() {
    assert_eq!(payload::iso(UnixMillis::from_millis(1_651_781_080_084)), "2022-05-05T20:04:40.084Z");
    assert_eq!(payload::iso(UnixMillis::from_secs(1_651_781_080)), "2022-05-05T20:04:40.000Z");
}

// The API.

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
    assert_eq!(ids(&rows(&simulator, id).await), all);
    simulator.shape(id, |shape| shape.window = 10);
    assert_eq!(ids(&rows(&simulator, id).await), all[..10]);
    simulator.shape(id, |shape| shape.window = 0);
    assert!(rows(&simulator, id).await.is_empty());
}

#[tokio::test]
async fn a_long_log_arrives_whole_though_it_is_made_up_while_it_is_sent() {
    let (simulator, id) = with_log(1_000).await;
    let all = newest_first(&simulator, id);
    assert_eq!(ids(&rows(&simulator, id).await), all);
    let first = simulator.with_world(|world| payload::entry_value(&world.attempts(id)[0], id.0, world.company()));
    assert_eq!(rows(&simulator, id).await.last(), Some(&first));
}

#[tokio::test]
async fn a_log_can_be_shown_in_any_order_twice_with_holes_and_late() {
    let (simulator, id) = with_log(20).await;
    let all = newest_first(&simulator, id);

    simulator.shape(id, |shape| shape.order = Order::OldestFirst);
    assert_eq!(ids(&rows(&simulator, id).await), all.iter().rev().cloned().collect::<Vec<_>>());
    simulator.shape(id, |shape| shape.order = Order::Shuffled);
    let mut shuffled = ids(&rows(&simulator, id).await);
    assert_ne!(shuffled, all);
    shuffled.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(shuffled, all);

    simulator.shape(id, |shape| *shape = LogShape { duplicates: true, ..LogShape::default() });
    assert_eq!(rows(&simulator, id).await.len(), 40);

    let third = simulator.with_world(|world| world.attempts(id)[17].id);
    simulator.shape(id, |shape| {
        *shape = LogShape { hidden: HashSet::from([third]), window: 5, ..LogShape::default() };
    });
    assert_eq!(ids(&rows(&simulator, id).await), [&all[..2], &all[3..6]].concat());

    simulator.shape(id, |shape| *shape = LogShape { lag_ms: 2 * HOUR, ..LogShape::default() });
    assert!(rows(&simulator, id).await.is_empty());
    simulator.advance(Duration::from_secs(2 * 3_600));
    assert_eq!(rows(&simulator, id).await.len(), 20);

    simulator.shape(id, |shape| *shape = LogShape { extra: vec![json!({"_id": 3})], ..LogShape::default() });
    let shown = rows(&simulator, id).await;
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
    assert_eq!(rows(&simulator, id).await.len(), 8);
    simulator.shape(id, |shape| shape.final_rows_only = true);
    let shown = rows(&simulator, id).await;
    assert_eq!(shown.iter().map(|row| row["retry"].clone()).collect::<Vec<_>>(), [json!(3), json!(3)]);
}

#[tokio::test]
async fn time_stands_still_until_it_is_advanced_and_the_date_is_the_simulated_one() {
    let mut world = world();
    let id = world.add(tasks().every_ms(10 * SECOND));
    let simulator = Simulator::start(world, Settings::default()).await.expect("loopback");
    let date = |response: &Response| response.headers().get(DATE).map(|date| date.to_str().expect("text").to_owned());

    let response = get(&simulator, &logs(id)).await;
    assert_eq!(date(&response).as_deref(), Some("Thu, 09 Oct 2025 08:53:20 GMT"));
    assert_eq!(response.text().await.expect("a body"), "[]");

    simulator.advance(Duration::from_secs(60));
    assert_eq!(simulator.now(), START.plus_millis(MINUTE));
    let response = get(&simulator, &logs(id)).await;
    assert_eq!(date(&response).as_deref(), Some("Thu, 09 Oct 2025 08:54:20 GMT"));
    assert_ne!(response.text().await.expect("a body"), "[]");

    simulator.switch(|switches| switches.date_offset_ms = -20 * SECOND);
    assert_eq!(date(&get(&simulator, LIST).await).as_deref(), Some("Thu, 09 Oct 2025 08:54:00 GMT"));
    simulator.fail_next(1, Target::List, Fault::DateOffset(-SECOND));
    assert_eq!(date(&get(&simulator, LIST).await).as_deref(), Some("Thu, 09 Oct 2025 08:53:59 GMT"));
    simulator.fail_next(1, Target::Everything, Fault::NoDate);
    assert_eq!(date(&get(&simulator, LIST).await), None);
    simulator.switch(|switches| switches.date = false);
    assert_eq!(date(&get(&simulator, LIST).await), None);
}

#[tokio::test]
async fn a_running_clock_goes_at_its_speed() {
    let earliest = Instant::now();
    let settings = Settings { speed: 1e6, ..Settings::default() };
    let simulator = Simulator::start(world(), settings).await.expect("loopback");
    let latest = Instant::now();
    // A real microsecond is a simulated second; how many pass here does not matter.
    let least = latest.elapsed().as_secs_f64() * 1e6;
    let passed = simulator.now().millis_since(START).div_euclid(SECOND);
    let most = earliest.elapsed().as_secs_f64() * 1e6;
    let passed = f64::from(i32::try_from(passed).expect("less than half an hour"));
    assert!(least - 1.0 <= passed && passed <= most, "{least} {passed} {most}");
}

#[tokio::test]
async fn who_has_no_valid_token_gets_401_and_who_may_not_list_gets_403() {
    let (simulator, id) = with_log(1).await;
    let status = async |token: Option<&str>, path: &str| {
        let request = client().get(format!("{}{path}", simulator.base_url()));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.expect("an answer").status().as_u16()
    };
    let old = simulator.token();
    assert_eq!(status(None, LIST).await, 401);
    assert_eq!(status(Some("wrong"), LIST).await, 401);
    assert_eq!(status(Some(&old), LIST).await, 200);

    let new = simulator.rotate_token();
    assert_eq!(simulator.token(), new);
    assert_eq!(status(Some(&old), LIST).await, 401);
    assert_eq!(status(Some(&new), LIST).await, 200);

    let by_id = simulator.add_token(false);
    assert_eq!(status(Some(&by_id), LIST).await, 403);
    assert_eq!(status(Some(&by_id), &format!("{LIST}/{id}")).await, 200);
    assert_eq!(status(Some(&by_id), &logs(id)).await, 200);
    simulator.revoke(&by_id);
    assert_eq!(status(Some(&by_id), &logs(id)).await, 401);
    simulator.allow_listing(false);
    assert_eq!(status(Some(&new), LIST).await, 403);
}

#[tokio::test]
async fn further_headers_can_be_required() {
    let (simulator, _) = with_log(1).await;
    simulator.switch(|switches| {
        switches.required_company = Some("c1".to_owned());
        switches.requires_admin = true;
    });
    assert_eq!(get(&simulator, LIST).await.status(), 403);
    let url = format!("{}{LIST}", simulator.base_url());
    let request = client().get(url).bearer_auth(simulator.token()).header("Company", "c1").header("admin", "true");
    assert_eq!(request.send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_login_gives_a_token_that_expires() {
    let (simulator, _) = with_log(1).await;
    let (email, password) = simulator.login();
    let log_in = async |password: &str| {
        let request = client()
            .post(format!("{}/auth/local", simulator.base_url()))
            .header("Content-Type", "application/json")
            .body(json!({ "email": email, "password": password }).to_string());
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let body: Value = response.text().await.expect("a body").parse().expect("JSON");
        (status, body["token"].as_str().unwrap_or_default().to_owned())
    };
    let list = async |token: &str| {
        let request = client().get(format!("{}{LIST}", simulator.base_url())).bearer_auth(token);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(log_in("wrong").await.0, 401);
    let (status, token) = log_in(&password).await;
    assert_eq!((status, token.split('.').count(), simulator.logins()), (200, 3, 1));
    assert_eq!(list(&token).await, 200);
    simulator.advance(Duration::from_secs(3_600));
    assert_eq!(list(&token).await, 401);

    let (_, token) = log_in(&password).await;
    assert_eq!(list(&token).await, 200);
    simulator.expire_logins();
    assert_eq!(list(&token).await, 401);
    simulator.set_password("new");
    assert_eq!(log_in(&password).await.0, 401);
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let (simulator, id) = with_log(1).await;
    let unknown = "62742dd824c886d54e60f02b";
    for path in [
        format!("{LIST}/{unknown}"),
        format!("{LIST}/logs/{unknown}"),
        format!("{LIST}/logs/nonsense"),
        format!("{LIST}/logs"),
        "/api/v3/other".to_owned(),
        "/".to_owned(),
    ] {
        assert_eq!(get(&simulator, &path).await.status(), 404, "{path}");
    }
    simulator.with_world(|world| world.set_listed(id, false));
    assert_eq!(get(&simulator, &logs(id)).await.status(), 404);
    assert_eq!(get(&simulator, LIST).await.text().await.expect("a body"), "[]");
    simulator.with_world(|world| world.set_listed(id, true));
    assert_eq!(get(&simulator, &logs(id)).await.status(), 200);
}

#[tokio::test]
async fn a_prefix_is_part_of_the_base_url() {
    let settings = Settings { prefix: "/cotalker/".to_owned(), ..Settings::default() };
    let simulator = Simulator::start(world(), settings).await.expect("loopback");
    assert!(simulator.base_url().ends_with("/cotalker"));
    assert_eq!(get(&simulator, LIST).await.status(), 200);
    let bare = format!("http://{}{LIST}", simulator.address());
    assert_eq!(client().get(bare).bearer_auth(simulator.token()).send().await.expect("an answer").status(), 404);
}

#[tokio::test]
async fn what_has_not_changed_is_304_to_those_who_know_it() {
    let (simulator, id) = with_log(3).await;
    for path in [LIST.to_owned(), format!("{LIST}/{id}"), logs(id)] {
        let response = get(&simulator, &path).await;
        let tag = response.headers()[ETAG].clone();
        assert!(tag.to_str().expect("text").starts_with("W/\""));
        let again = async || {
            let request = client().get(format!("{}{path}", simulator.base_url())).bearer_auth(simulator.token());
            request.header(IF_NONE_MATCH, &tag).send().await.expect("an answer")
        };
        let unchanged = again().await;
        assert_eq!(unchanged.status(), 304, "{path}");
        assert_eq!(unchanged.headers()[ETAG], tag);
        assert!(unchanged.bytes().await.expect("no body").is_empty());

        simulator.with_world(|world| {
            world.change(id, |spec| spec.name.push('!'));
            world.emit(id, Action::Edit, 1);
        });
        simulator.advance(Duration::from_secs(1));
        assert_eq!(again().await.status(), 200, "{path}");
    }
    simulator.switch(|switches| switches.etag = false);
    assert!(!get(&simulator, LIST).await.headers().contains_key(ETAG));
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_accept_it() {
    let (simulator, id) = with_log(200).await;
    let plain = get(&simulator, &logs(id)).await;
    assert!(!plain.headers().contains_key(CONTENT_ENCODING));
    let plain = plain.bytes().await.expect("a body");
    let ask = async |accepted: &str| {
        let request = client().get(format!("{}{}", simulator.base_url(), logs(id))).bearer_auth(simulator.token());
        request.header("Accept-Encoding", accepted).send().await.expect("an answer")
    };
    let packed = ask("gzip").await;
    assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
    let packed = packed.bytes().await.expect("a body");
    assert!(packed.len() < plain.len() / 2);
    let mut unpacked = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut unpacked).expect("gzip");
    assert_eq!(unpacked, plain);
    for encoding in ["br", "zstd"] {
        assert_eq!(ask(encoding).await.headers()[CONTENT_ENCODING], encoding);
    }
    simulator.switch(|switches| switches.compression = false);
    assert!(!ask("gzip").await.headers().contains_key(CONTENT_ENCODING));
}

#[tokio::test]
async fn calls_are_recorded() {
    let (simulator, id) = with_log(1).await;
    get(&simulator, LIST).await;
    get(&simulator, &logs(id)).await;
    get(&simulator, "/nothing?x=1").await;
    let calls = simulator.calls();
    assert_eq!(
        calls.iter().map(|call| call.endpoint).collect::<Vec<_>>(),
        [Endpoint::List, Endpoint::Logs, Endpoint::Unknown]
    );
    assert_eq!(calls[1].webhook, Some(id));
    assert_eq!(calls[1].status, Some(200));
    assert_eq!(calls[1].headers["authorization"], format!("Bearer {}", simulator.token()));
    assert_eq!((calls[2].path.as_str(), calls[2].status), ("/nothing?x=1", Some(404)));
    assert_eq!((simulator.count(Endpoint::List), simulator.peak(Endpoint::List)), (1, 1));
    simulator.forget_calls();
    assert!(simulator.calls().is_empty());
    assert_eq!(simulator.count(Endpoint::List), 0);
}

#[tokio::test]
async fn a_dropped_simulator_does_not_listen_any_more() {
    let (simulator, _) = with_log(1).await;
    let url = format!("{}{LIST}", simulator.base_url());
    drop(simulator);
    // The task is aborted when the runtime comes to it.
    tokio::task::yield_now().await;
    assert!(client().get(url).send().await.is_err());
}

// Faults, as a plain client sees them.

#[tokio::test]
async fn a_status_fault_comes_with_its_retry_after_for_the_next_calls_only() {
    let (simulator, _) = with_log(1).await;
    let fault = Fault::Status { code: 429, retry_after: Some("7".to_owned()) };
    simulator.fail_next(2, Target::List, fault);
    for _ in 0..2 {
        let response = get(&simulator, LIST).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()[RETRY_AFTER], "7");
    }
    assert_eq!(get(&simulator, LIST).await.status(), 200);
}

#[tokio::test]
async fn a_fault_meets_only_the_calls_that_it_is_set_on() {
    let (simulator, id) = with_log(1).await;
    let other = simulator.with_world(|world| world.add(WebhookSpec::new("note_archive", Trigger::Note)));
    let status = async |path: &str| get(&simulator, path).await.status().as_u16();
    let broken = || Fault::Status { code: 500, retry_after: None };

    simulator.fail(Target::Logs(id), broken());
    assert_eq!((status(&logs(id)).await, status(&logs(other)).await, status(LIST).await), (500, 200, 200));
    simulator.clear(Target::Logs(id));
    simulator.fail(Target::AllLogs, broken());
    assert_eq!((status(&logs(id)).await, status(&logs(other)).await, status(LIST).await), (500, 500, 200));
    simulator.clear(Target::Logs(id));
    assert_eq!(status(&logs(id)).await, 500);
    simulator.clear_all();
    simulator.fail(Target::Webhook(id), broken());
    assert_eq!((status(&format!("{LIST}/{id}")).await, status(&format!("{LIST}/{other}")).await), (500, 200));
    simulator.fail(Target::Everything, broken());
    assert_eq!((status("/").await, status(LIST).await), (500, 500));
}

#[tokio::test]
async fn bodies_are_broken_as_the_fault_says() {
    let (simulator, id) = with_log(20).await;
    let right = get(&simulator, &logs(id)).await.bytes().await.expect("a body");
    let with = async |fault: Fault| {
        simulator.fail_next(1, Target::Logs(id), fault);
        get(&simulator, &logs(id)).await
    };

    let html = with(Fault::Html).await;
    assert_eq!(html.status(), 200);
    assert!(html.text().await.expect("a body").contains("<html>"));

    let object: Value = with(Fault::NotAnArray).await.text().await.expect("a body").parse().expect("JSON");
    assert!(object.is_object());

    let cut_off = with(Fault::CutOff).await;
    assert_eq!(cut_off.headers()[CONTENT_LENGTH], right.len().to_string());
    let mut cut_off = cut_off;
    assert!(cut_off.chunk().await.expect("the first part arrives").is_some());
    let ended = loop {
        match cut_off.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert!(ended.is_err());

    let truncated = with(Fault::TruncatedJson).await.bytes().await.expect("it ends well");
    assert_eq!(truncated, right[..right.len() / 2]);

    let garbage = with(Fault::TrailingGarbage).await.bytes().await.expect("it ends well");
    assert!(garbage.starts_with(&right) && garbage.len() > right.len());

    assert!(with(Fault::EmptyBody).await.bytes().await.expect("it ends well").is_empty());

    let broken = with(Fault::BrokenGzip).await;
    assert_eq!(broken.headers()[CONTENT_ENCODING], "gzip");
    let broken = broken.bytes().await.expect("it ends well");
    assert!(GzDecoder::new(&*broken).read_to_end(&mut Vec::new()).is_err());

    let redirect = with(Fault::Redirect { to: "http://127.0.0.1:1/".to_owned() }).await;
    assert_eq!(
        (redirect.status().as_u16(), &redirect.headers()[LOCATION]),
        (302, &"http://127.0.0.1:1/".parse().expect("a header"))
    );
}

#[tokio::test]
async fn answers_are_as_large_as_the_fault_says() {
    let (simulator, id) = with_log(1).await;
    for fault in [Fault::Oversize { bytes: 3 << 20 }, Fault::HugeEntry { bytes: 3 << 20 }] {
        simulator.fail_next(1, Target::Logs(id), fault.clone());
        let response = get(&simulator, &logs(id)).await;
        assert!(!response.headers().contains_key(CONTENT_LENGTH));
        let body = response.bytes().await.expect("it ends well");
        assert!((3 << 20..4 << 20).contains(&body.len()), "{}", body.len());
        assert!(serde_json::from_slice::<Value>(&body).expect("JSON").is_array(), "{fault:?}");
    }
    for size in [2, 1 << 20, (16 << 20) + 5] {
        simulator.fail_next(1, Target::Logs(id), Fault::Bomb { decompressed_bytes: size });
        let packed = get(&simulator, &logs(id)).await.bytes().await.expect("it ends well");
        let mut unpacked = Vec::new();
        GzDecoder::new(&*packed).read_to_end(&mut unpacked).expect("gzip");
        assert_eq!(u64::try_from(unpacked.len()).expect("small"), size);
        assert_eq!(serde_json::from_slice::<Value>(&unpacked).expect("JSON"), json!([]));
        assert!(packed.len() < 64 + unpacked.len() / 500);
    }
}

#[tokio::test]
async fn a_reset_closes_the_connection_without_an_answer() {
    let (simulator, _) = with_log(1).await;
    simulator.fail_next(1, Target::List, Fault::Reset);
    let url = format!("{}{LIST}", simulator.base_url());
    assert!(client().get(&url).bearer_auth(simulator.token()).send().await.is_err());
    assert_eq!(simulator.calls()[0].status, None);
    assert_eq!(get(&simulator, LIST).await.status(), 200);
}

#[tokio::test]
async fn a_held_call_is_answered_when_the_fault_is_cleared() {
    let (simulator, _) = with_log(1).await;
    simulator.fail_next(1, Target::List, Fault::Hold);
    let held = async { get(&simulator, LIST).await.status().as_u16() };
    let release = async {
        simulator.wait_for(Endpoint::List, 1).await;
        assert_eq!(get(&simulator, LIST).await.status(), 200);
        assert_eq!((simulator.calls()[0].status, simulator.peak(Endpoint::List)), (None, 2));
        simulator.clear(Target::List);
    };
    assert_eq!(tokio::join!(held, release).0, 200);
}

#[tokio::test]
async fn a_hanging_call_is_never_answered_and_a_dripping_one_byte_by_byte() {
    let (simulator, id) = with_log(1).await;
    simulator.fail(Target::List, Fault::Hang);
    let url = format!("{}{LIST}", simulator.base_url());
    assert!(
        client()
            .get(url)
            .bearer_auth(simulator.token())
            .timeout(Duration::from_millis(50))
            .send()
            .await
            .expect_err("no answer")
            .is_timeout()
    );

    simulator.fail(Target::Logs(id), Fault::Drip);
    let mut dripping = get(&simulator, &logs(id)).await;
    assert!(dripping.content_length().is_some_and(|length| length > 500));
    assert_eq!(dripping.chunk().await.expect("a drop").as_deref(), Some(&b"["[..]));
}

#[tokio::test]
async fn it_serves_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let settings = Settings { tls: Some(Arc::new(config)), ..Settings::default() };
    let simulator = Simulator::start(world(), settings).await.expect("loopback");
    let ca = reqwest::Certificate::from_der(made.cert.der()).expect("a certificate");
    let client = Client::builder().no_proxy().tls_certs_only([ca]).build().expect("a client");
    let request = client.get(format!("{}{LIST}", simulator.base_url())).bearer_auth(simulator.token());
    assert_eq!(request.send().await.expect("an answer").status(), 200);
}
