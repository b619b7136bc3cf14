//! Ready-made worlds: the demo's, and large ones.

use crate::delivery::{UnixMillis, WebhookId};

use super::receiver::Receiver;
use super::world::{Cycle, Trigger, WebhookSpec, World};

/// How much has happened before the demo begins, so that queues, retries and losses are in full swing at once.
const DEMO_HISTORY_MS: i64 = 6 * 60 * 60 * 1_000;

/// How many attempts of a webhook the demo keeps: several windows.
const DEMO_KEEPS: usize = 2_000;

/// A company with every kind of receiver, six hours of history, and enough going on that figures move within seconds.
#[must_use]
pub fn demo_scenario(now: UnixMillis, seed: u64) -> World {
    let mut world = World::new(now, seed).with_history_limit(DEMO_KEEPS);
    let resting = Cycle { active_ms: 40_000, resting_ms: 20_000 };
    let mut deactivated = WebhookSpec::new("asset_sync", Trigger::Property)
        .named("Asset register")
        .at("erp.acme.example")
        .every_ms(4_000);
    deactivated.cycle = Some(resting);
    for spec in [
        WebhookSpec::new("wo_update", Trigger::Task)
            .named("Work Orders Update")
            .at("hooks.acme.example")
            .every_ms(3_000),
        WebhookSpec::new("user_directory", Trigger::User)
            .named("User directory")
            .at("directory.acme.example")
            .every_ms(4_000)
            .to(Receiver::Flaky { failures: 0.25 }),
        WebhookSpec::new("inspeccion_diaria", Trigger::Survey)
            .named("Inspección diaria – ñandú")
            .at("formularios.acme.example:8443")
            .every_ms(12_000)
            .to(Receiver::Slow { from_ms: 4_000, to_ms: 10_000 }),
        WebhookSpec::new("erp_orders", Trigger::Task)
            .named("Purchase orders to the ERP")
            .at("erp.acme.example")
            .every_ms(90_000)
            .to(Receiver::Down),
        WebhookSpec::new("shift_notes", Trigger::Note)
            .named("Shift notes")
            .at("notes.acme.example")
            .every_ms(20_000)
            .to(Receiver::CertificateExpired),
        WebhookSpec::new("contractor_users", Trigger::User)
            .named("Contractors")
            .at("gone.acme.example")
            .every_ms(45_000)
            .to(Receiver::DnsGone),
        WebhookSpec::new("maintenance_tasks", Trigger::Task)
            .named("Maintenance tasks")
            .at("cmms.acme.example")
            .every_ms(15_000)
            .to(Receiver::Rejecting),
        deactivated,
        WebhookSpec::new("logout_audit", Trigger::Logout)
            .named("Logout audit")
            .at("audit.acme.example")
            .every_ms(5_000),
    ] {
        world.add_since(spec, now.plus_millis(-DEMO_HISTORY_MS));
    }
    world
}

/// `count` webhooks with receivers of all kinds, most of them healthy, and an event every `every_ms` on average.
#[must_use]
pub fn many(count: usize, every_ms: i64, history_ms: i64, now: UnixMillis, seed: u64) -> (World, Vec<WebhookId>) {
    let mut world = World::new(now, seed);
    let ids = (0..count)
        .map(|number| {
            let receiver = match number % 20 {
                3 => Receiver::Flaky { failures: 0.3 },
                7 => Receiver::Slow { from_ms: 2_000, to_ms: 20_000 },
                11 => Receiver::Down,
                13 => Receiver::CertificateExpired,
                17 => Receiver::Refused,
                _ => Receiver::Healthy,
            };
            let trigger = Trigger::DOCUMENTED[number % Trigger::DOCUMENTED.len()];
            let spec = WebhookSpec::new(&format!("webhook_{number:05}"), trigger)
                .named(&format!("Webhook {number}"))
                .at(&format!("r{number}.acme.example"))
                .every_ms(every_ms)
                .to(receiver);
            world.add_since(spec, now.plus_millis(-history_ms))
        })
        .collect();
    (world, ids)
}
