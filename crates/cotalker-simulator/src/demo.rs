//! Worlds to start from: the one that `demo` shows, and one with many webhooks.

use delivery_ledger::UnixMillis;

use crate::world::{Cycle, Receiver, Trigger, WebhookSpec, World};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// How far back the demo's history goes: past the window of any log that it shows.
const DEMO_HISTORY_MS: i64 = 6 * HOUR_MS;

/// Attempts that the demo keeps per webhook at least: more than its busiest logs show, and a bound for one that runs on.
const DEMO_KEPT: usize = 5_000;

/// A company with a webhook for every trigger and most ways to fail, six hours old at `now`.
///
/// Everything is in full swing at once: within ten seconds after `now` there are successes, failures, retries and a lost
/// event, and further losses follow every twenty seconds or so. One webhook is switched off for two minutes of every ten.
#[must_use]
pub fn demo_scenario(now: UnixMillis, seed: u64) -> World {
    let mut world = World::new(now, seed).with_history_limit(DEMO_KEPT);
    let describe = |mut spec: WebhookSpec, description: &str| {
        spec.description = Some(description.to_owned());
        spec
    };

    let busy = WebhookSpec::new("wo_update", Trigger::Task).named("Work orders update").at("hooks.acme.example");
    world.add_since(describe(busy, "Sends updates on work orders").every_ms(2_500), now.plus_millis(-DEMO_HISTORY_MS));

    let flaky = WebhookSpec::new("user_sync", Trigger::User).named("User directory sync").at("id.acme.example:8443");
    world.add_since(flaky.to(Receiver::Flaky { failures: 0.25 }).every_ms(20_000), now.plus_millis(-DEMO_HISTORY_MS));

    let slow = WebhookSpec::new("checklist_bi", Trigger::Survey).named("Checklists → BI").at("bi.acme.example");
    world.add_since(
        slow.to(Receiver::Slow { from_ms: 2_000, to_ms: 9_000 }).every_ms(12_000),
        now.plus_millis(-DEMO_HISTORY_MS),
    );

    let spanish = WebhookSpec::new("activos_sap", Trigger::Property)
        .named("Sincronización de activos – Planta Ñuñoa")
        .at("sap.acme.example");
    add_losing_at(&mut world, spanish.to(Receiver::Down).every_ms(9 * MINUTE_MS), now.plus_millis(55_000));

    let expired = WebhookSpec::new("note_archive", Trigger::Note).named("Note archive").at("archive.acme.example");
    add_losing_at(&mut world, expired.to(Receiver::CertificateExpired).every_ms(100_000), now.plus_millis(75_000));

    let gone = WebhookSpec::new("survey_legacy", Trigger::Survey).named("Legacy forms").at("forms-old.acme.example");
    add_losing_at(&mut world, gone.to(Receiver::DnsGone).every_ms(100_000), now.plus_millis(29_000));

    let rejecting =
        WebhookSpec::new("wo_billing", Trigger::Task).named("Billing of work orders").at("erp.acme.example");
    add_losing_at(&mut world, rejecting.to(Receiver::Rejecting).every_ms(95_000), now.plus_millis(50_000));

    let refused = WebhookSpec::new("session_audit", Trigger::Logout).named("Session audit").at("audit.acme.example");
    add_losing_at(&mut world, refused.to(Receiver::Refused).every_ms(95_000), now.plus_millis(6_000));

    let mut seasonal = WebhookSpec::new("asset_watch", Trigger::Property).named("Asset watch").at("watch.acme.example");
    seasonal.cycle = Some(Cycle { active_ms: 8 * MINUTE_MS, resting_ms: 2 * MINUTE_MS });
    // Two minutes of activity are left at `now`.
    world.add_since(seasonal.every_ms(5_000), now.plus_millis(-DEMO_HISTORY_MS - 6 * MINUTE_MS));
    world
}

/// Adds a webhook that fails always, so old that it loses an event just at `due`.
///
/// What a webhook does depends on its seed and age alone, so a trial one tells when it will lose its next event.
fn add_losing_at(world: &mut World, spec: WebhookSpec, due: UnixMillis) {
    /// Longer than the four attempts of an event ever take.
    const LONGEST_LOSS_MS: i64 = 15 * MINUTE_MS;
    let since = world.now().plus_millis(-DEMO_HISTORY_MS);
    let mut trial = World::new(world.now(), world.seed());
    for _ in world.ids() {
        // Places count: they are part of a webhook's seed.
        trial.add(WebhookSpec::new("", Trigger::Unknown));
    }
    let id = trial.add_since(spec.clone(), since);
    trial.advance_by(LONGEST_LOSS_MS);
    let next = trial.attempts(id).iter().find(|attempt| attempt.is_final && attempt.at >= due);
    let early_ms = next.map_or(0, |loss| loss.at.millis_since(due));
    world.add_since(spec, since.plus_millis(-early_ms));
}

/// A company of `webhooks` webhooks of all triggers, `history_ms` milliseconds old at `now`: most of them healthy, every
/// tenth failing in one way or another, with an event every half to two minutes each. 10,000 of them with an hour of
/// history are a million attempts, some 150 MB: choose a shorter history for so many.
#[must_use]
pub fn many(webhooks: usize, now: UnixMillis, history_ms: i64, seed: u64) -> World {
    let mut world = World::new(now, seed);
    let since = now.plus_millis(-history_ms.max(0));
    for number in 0..webhooks {
        let trigger = Trigger::DOCUMENTED[number % Trigger::DOCUMENTED.len()];
        let receiver = match number % 100 {
            9 => Receiver::Flaky { failures: 0.3 },
            19 => Receiver::Slow { from_ms: 1_000, to_ms: 20_000 },
            29 => Receiver::Down,
            39 => Receiver::Refused,
            49 => Receiver::CertificateExpired,
            59 => Receiver::SelfSigned,
            69 => Receiver::DnsGone,
            79 => Receiver::Reset,
            89 => Receiver::Rejecting,
            99 => Receiver::Weird,
            _ => Receiver::Healthy,
        };
        let every_ms = 30_000 + i64::try_from(number % 10).unwrap_or(0) * 10_000;
        let mut spec = WebhookSpec::new(&format!("hook_{number:05}"), trigger)
            .named(&format!("Webhook no. {number}"))
            .at(&format!("hooks-{}.acme.example", number % 50))
            .to(receiver)
            .every_ms(every_ms);
        spec.active = number % 37 != 36;
        world.add_since(spec, since);
    }
    world
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::world::Verdict;

    const START: UnixMillis = UnixMillis::from_secs(1_760_000_000);
    const SECOND: i64 = 1_000;

    #[test]
    fn the_demo_shows_successes_failures_retries_and_a_loss_within_ten_seconds() {
        for seed in 0..20 {
            let mut world = demo_scenario(START, seed);
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
        let mut world = demo_scenario(START, 1);
        world.advance_by(2 * MINUTE_MS);
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
        let world = demo_scenario(START, 1);
        for code in ["activos_sap", "note_archive", "survey_legacy", "wo_billing", "session_audit"] {
            let truth = world.truth(world.id_of(code).expect(code), UnixMillis::MIN);
            assert!(truth.lost > 20 && truth.delivered == 0, "{code}: {truth:?}");
        }
        for code in ["wo_update", "user_sync", "checklist_bi", "asset_watch"] {
            let truth = world.truth(world.id_of(code).expect(code), UnixMillis::MIN);
            assert!(truth.delivered > 500, "{code}: {truth:?}");
        }
    }
}
