//! A simulator with something in it, and a plain client that asks it.

use cotalker_simulator::{Settings, Simulator, Trigger, WebhookSpec, World};
use delivery_ledger::{Action, UnixMillis, WebhookId};
use reqwest::{Client, Response};
use serde_json::Value;

pub(crate) const START: UnixMillis = UnixMillis::from_secs(1_760_000_000);
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;

pub(crate) fn world() -> World {
    World::new(START, 7)
}

pub(crate) fn tasks() -> WebhookSpec {
    WebhookSpec::new("wo_update", Trigger::Task)
}

/// A simulator with one webhook that has this many delivered events in its log.
pub(crate) async fn with_log(entries: usize) -> (Simulator, WebhookId) {
    let mut world = world();
    let id = world.add(tasks());
    world.emit(id, Action::Edit, entries);
    world.advance_by(HOUR);
    assert_eq!(world.attempts(id).len(), entries);
    (Simulator::start(world, Settings::default()).await.expect("loopback"), id)
}

/// A plain client: no proxy, no redirects, no decompression.
pub(crate) fn client() -> Client {
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

pub(crate) fn logs(id: WebhookId) -> String {
    format!("/api/v3/webhook/subscription/logs/{id}")
}

pub(crate) const LIST: &str = "/api/v3/webhook/subscription";

pub(crate) async fn get(simulator: &Simulator, path: &str) -> Response {
    let url = format!("{}{path}", simulator.base_url());
    client().get(url).bearer_auth(simulator.token()).send().await.expect("a response")
}

pub(crate) async fn entries(simulator: &Simulator, id: WebhookId) -> Vec<Value> {
    let text = get(simulator, &logs(id)).await.text().await.expect("a whole body");
    serde_json::from_str(&text).expect("an array")
}

pub(crate) fn ids(entries: &[Value]) -> Vec<String> {
    entries.iter().map(|entry| entry["_id"].as_str().unwrap_or_default().to_owned()).collect()
}

pub(crate) fn newest_first(simulator: &Simulator, id: WebhookId) -> Vec<String> {
    simulator.with_world(|world| world.attempts(id).iter().rev().map(|attempt| attempt.id.to_string()).collect())
}
