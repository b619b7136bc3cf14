//! `check` and the daemon watch the same webhooks. That both select by one rule is tested on many lists where the rule
//! is; here a few lists go all the way through both programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cotalker_simulator::{Receiver, Simulator, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::poller::Filter;
use delivery_ledger::WebhookId;
use regex::Regex;

use test_harness::{MetricsPage, START, Setup, program, serve};

/// So many random lists.
const LISTS: u64 = 6;

/// A reproducible sequence of numbers (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below a usize")
    }
}

/// A list in any order that shows some webhooks twice. Each of its entries has another code, so that a code tells which
/// entry was taken; the code may be missing from one of them.
fn list(ids: &[WebhookId], numbers: &mut Numbers) -> String {
    let mut body = String::new();
    for entry in 0..ids.len() + 4 {
        let id = ids[numbers.below(ids.len())];
        let kind = ["orders", "users", "notes"][numbers.below(3)];
        let code = if entry == 2 { String::new() } else { format!("{kind}-{entry}") };
        let active = numbers.below(4) > 0;
        let separator = if entry == 0 { "" } else { "," };
        write!(body, r#"{separator}{{"_id":"{id}","code":"{code}","isActive":{active}}}"#).expect("a string");
    }
    format!("[{body}]")
}

/// The labels of the webhooks in the table that `check` prints, and how many it says are over the limit.
fn told_by_check(text: &str) -> (BTreeSet<String>, usize) {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next());
    let labels = rows.filter(|label| *label != "webhook");
    let dropped = text.lines().find_map(|line| line.split_once(" more webhook")?.0.parse().ok());
    (labels.map(str::to_owned).collect(), dropped.unwrap_or(0))
}

/// The labels of the webhooks on the page of metrics, and how many it says are over the limit.
fn shown_by_the_daemon(page: &MetricsPage) -> (BTreeSet<String>, usize) {
    let samples = page.0.lines().filter_map(|line| line.strip_prefix("cotalker_webhook_delivery_attempts_total{"));
    let labels = samples.filter_map(|sample| sample.split_once("webhook=\"")?.1.split('"').next());
    let dropped = page.0.lines().find_map(|line| line.strip_prefix("cotalker_webhooks_dropped ")?.parse().ok());
    (labels.map(str::to_owned).collect(), dropped.expect("how many are dropped"))
}

async fn company() -> (Simulator, Vec<WebhookId>) {
    let mut world = World::new(START, 11);
    for number in 0..7 {
        world.add(WebhookSpec::new(&format!("w-{number}"), Trigger::Task).to(Receiver::Refused));
    }
    let ids = world.ids();
    (serve(world).await, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn check_and_the_daemon_watch_the_same_webhooks() {
    let (simulator, ids) = company().await;
    let (mut seen, mut left_out) = (0, 0);
    for seed in 0..LISTS {
        let mut numbers = Numbers(seed);
        let body = list(&ids, &mut numbers);
        simulator.switch(|switches| switches.list_body = Some(body.clone()));
        let include = [None, Some("orders-.*|users-.*"), Some(".*[0-7]"), Some("")][numbers.below(4)];
        let exclude = [None, None, Some("users-.*")][numbers.below(3)];
        let limit = [1, 2, 3, 10_000][numbers.below(4)];

        let mut check = program(&["check"]).towards(&simulator).arg(format!("--webhook.limit={limit}"));
        for (flag, expression) in [("include", include), ("exclude", exclude)] {
            if let Some(expression) = expression {
                check = check.arg(format!("--webhook.{flag}={expression}"));
            }
        }
        let ended = check.run().await;
        assert_eq!(ended.status, Some(0), "{ended:?}");

        let anchored = |expression: &str| Regex::new(&format!("^(?:{expression})$")).expect("an expression");
        let filter = Filter { include: include.map(anchored), exclude: exclude.map(anchored) };
        let setup = Setup::of(&simulator).poller(|poller| (poller.filter, poller.limit) = (filter, limit));
        let page = setup.start().await.first_poll().await;

        let case = format!("list {body}, include {include:?}, exclude {exclude:?}, limit {limit}");
        let (told, shown) = (told_by_check(&ended.stdout), shown_by_the_daemon(&page));
        assert_eq!(told, shown, "{case}:\n{}", ended.stdout);
        (seen, left_out) = (seen + shown.0.len(), left_out + shown.1);
    }
    assert!(seen >= 5 && left_out >= 3, "these lists show too little: {seen} webhooks, {left_out} over the limit");
}
