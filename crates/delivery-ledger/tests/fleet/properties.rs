//! Whatever happens to an account and its exporter: [`Shell`] checks after every input that the fleet is as the model.

use std::time::Duration;

use delivery_ledger::fleet::{FleetSettings, PollResult};
use delivery_ledger::{Policy, WebhookId};
use proptest::prelude::*;

use crate::cloud::{Cloud, TIMEOUT, server_time};
use crate::model::Model;
use crate::scale::LONGEST;
use crate::shell::Shell;
use crate::steps::{MADE, PROCESS_STARTS, Step, Story, stories};

/// As many cases as `PROPTEST_CASES` asks for, but no fewer than `count`.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count.max(ProptestConfig::default().cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn begin(story: &Story, by_id: bool) -> Shell {
    let mut cloud = Cloud::default();
    for (code, is_there, attempts) in &story.hooks {
        let index = cloud.make(code, MADE, *is_there);
        for attempt in 0..*attempts {
            let minutes = 30 * u64::try_from(attempt).expect("few");
            cloud.attempt(index, Duration::from_secs(minutes * 60), attempt == 1);
        }
    }
    let ids: Vec<WebhookId> = cloud.hooks.iter().map(|hook| hook.id).filter(|_| by_id).collect();
    let settings = FleetSettings {
        policy: Policy { max_retries: 3, pending_timeout_millis: 900_000 },
        interval: story.interval,
        concurrency: story.concurrency,
        history: story.history,
        ids,
    };
    let model = Model::new(story.history, story.limit, story.admitted);
    let mut shell = Shell::new(cloud, model, settings, story.limit, story.has_etags, story.seed, PROCESS_STARTS);
    shell.limit_rate(story.rate());
    shell
}

fn take_step(shell: &mut Shell, step: &Step, by_id: bool) {
    let hooks = shell.cloud.hooks.len();
    match step {
        Step::Nothing => {}
        Step::Attempts(index, count, fail) => {
            (0..*count).for_each(|_| shell.cloud.attempt(index % hooks, shell.clock, *fail));
        }
        Step::Flip(index) => {
            let hook = &mut shell.cloud.hooks[index % hooks];
            hook.is_there = !hook.is_there;
        }
        Step::Swap(one, other) => {
            let (one, other) = (one % hooks, other % hooks);
            let code = shell.cloud.hooks[one].code.clone();
            shell.cloud.hooks[one].code = std::mem::replace(&mut shell.cloud.hooks[other].code, code);
        }
        Step::Rename(index, code) => shell.cloud.hooks[index % hooks].code = (*code).to_owned(),
        Step::Make(code) if !by_id && hooks < 8 => {
            shell.cloud.make(code, server_time(shell.clock), true);
        }
        Step::Make(_) => {}
        Step::Malformed(index) => shell.cloud.malformed = *index,
        Step::Weather(target, weather) => {
            shell.cloud.weather.insert(*target, *weather);
        }
        Step::Calm => shell.cloud.weather.clear(),
        Step::Stall(time) => shell.stall(*time),
        Step::Restart(from) => shell.restart(*from),
        Step::Lead(leads) => shell.lead(*leads),
    }
}

/// Once every call works, everything is read, and read again in every interval; and all of it counts once.
fn expect_recovery(shell: &mut Shell, story: &Story) {
    shell.cloud.weather.clear();
    shell.cloud.malformed = None;
    shell.lead(true);
    // What began before still ends as it does, and may ask for a pause.
    shell.pass(TIMEOUT);
    let pause = shell.paused_until.saturating_sub(shell.clock);
    // Where not all logs can be read in each interval each is read within ten.
    let turn = if story.budget.is_some() && !shell.is_by_id() { LONGEST } else { 1 };
    shell.pass(pause + story.interval * (11 + turn));
    shell.results.clear();
    for index in 0..shell.cloud.hooks.len() {
        shell.cloud.attempt(index, shell.clock, false);
    }
    shell.pass(story.interval * (2 + turn));
    // A chosen webhook that is not there is told as a failed call.
    let may_be_partial = shell.is_by_id() && shell.cloud.hooks.iter().any(|hook| !hook.is_there);
    if !may_be_partial {
        assert!(shell.results.iter().all(|result| *result == PollResult::Ok), "calm, but {:?}", shell.results);
    }
    assert!(shell.results.len() >= 2, "calm, but only {} polls in three intervals", shell.results.len());
    for watched in shell.model.watched.values() {
        let log = &shell.cloud.hooks[shell.cloud.index_of(watched.webhook.id)].log;
        assert_eq!((watched.is_up, watched.known.seen), (Some(true), log.len()), "calm, but {watched:?} is not read");
    }
}

fn live(story: &Story, by_id: bool) {
    let mut shell = begin(story, by_id);
    for (step, time) in &story.steps {
        take_step(&mut shell, step, by_id);
        shell.pass(*time);
    }
    expect_recovery(&mut shell, story);
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn whatever_happens_every_attempt_above_the_baseline_counts_once_and_polls_go_on(story in stories(false)) {
        live(&story, false);
    }

    #[test]
    fn whatever_happens_to_chosen_webhooks_the_same_holds(story in stories(true)) {
        live(&story, true);
    }
}
