//! What state a webhook is in, and the headline over all.

use delivery_ledger::FailureReason;

use super::super::WebhookState;
use crate::snapshot::{Overview, WebhookRow};

use super::fixtures::*;

#[test]
fn each_state_has_its_facts() {
    for (webhook, expected) in [
        (blocked("a"), WebhookState::Blocked),
        (failing("a"), WebhookState::Failing),
        (lossy("a"), WebhookState::Lost),
        (unreadable("a"), WebhookState::Unreadable),
        (stale("a"), WebhookState::Stale),
        (unread("a"), WebhookState::Unread),
        (inactive("a"), WebhookState::Inactive),
        (healthy("a"), WebhookState::Healthy),
    ] {
        assert_eq!(state_of(&webhook), expected);
    }
}

#[test]
fn the_worse_state_wins() {
    assert_eq!(state_of(&WebhookRow { is_readable: Some(false), ..blocked("a") }), WebhookState::Blocked);
    assert_eq!(state_of(&WebhookRow { lost: 1, ..failing("a") }), WebhookState::Failing);
    assert_eq!(state_of(&WebhookRow { is_readable: None, ..lossy("a") }), WebhookState::Lost);
    assert_eq!(state_of(&WebhookRow { is_active: false, ..unreadable("a") }), WebhookState::Unreadable);
}

#[test]
fn a_webhook_that_is_switched_off_does_not_fail_but_its_losses_stay_losses() {
    assert_eq!(state_of(&WebhookRow { is_active: false, ..failing("a") }), WebhookState::Inactive);
    assert_eq!(state_of(&WebhookRow { is_active: false, ..lossy("a") }), WebhookState::Lost);
}

#[test]
fn a_loss_needs_attention_for_three_days() {
    let lost = |seconds| WebhookRow { last_failure: failure(seconds, FailureReason::Dns, None), ..lossy("a") };
    assert_eq!(state_of(&lost(3 * DAY)), WebhookState::Lost);
    assert_eq!(state_of(&lost(3 * DAY + 1)), WebhookState::Healthy);
    assert_eq!(state_of(&WebhookRow { last_failure: None, ..lossy("a") }), WebhookState::Lost);
}

#[test]
fn a_log_is_stale_after_three_intervals_and_never_without_one() {
    let read = |seconds| WebhookRow { read_at: Some(seconds_ago(seconds)), ..healthy("a") };
    assert_eq!(state_of(&read(180)), WebhookState::Healthy);
    assert_eq!(state_of(&read(181)), WebhookState::Stale);
    let of_many = |seconds| WebhookRow { poll_interval_millis: 600_000, ..read(seconds) };
    assert_eq!(state_of(&of_many(1_800)), WebhookState::Healthy, "it is read once in ten minutes");
    assert_eq!(state_of(&of_many(1_801)), WebhookState::Stale);
    assert_eq!(state_of(&WebhookRow { poll_interval_millis: 0, ..read(181) }), WebhookState::Healthy);
}

#[test]
fn what_is_broken_stands_first_and_the_longest_trouble_before_the_rest() {
    let longer = WebhookRow { failing_since: Some(seconds_ago(DAY)), ..failing("longer") };
    let page = page(&overview(vec![
        healthy("zulu"),
        healthy("Alpha"),
        inactive("inactive"),
        unread("unread"),
        stale("stale"),
        unreadable("unreadable"),
        lossy("lossy"),
        failing("failing"),
        longer,
        blocked("blocked"),
    ]));
    let order = ["blocked", "longer", "failing", "lossy", "unreadable", "stale", "unread", "inactive", "Alpha", "zulu"];
    let places: Vec<_> = order.map(|label| page.find(&format!("id=\"w-id-of-{label}\""))).into();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
}

#[test]
fn the_headline_says_the_state_in_one_sentence() {
    for (webhooks, english, spanish) in [
        (vec![healthy("a"), healthy("b")], "All 2 webhooks deliver", "Los 2 webhooks entregan"),
        (vec![healthy("a")], "The webhook delivers", "El webhook entrega"),
        (
            vec![healthy("a"), inactive("b")],
            "The active webhook delivers, 1 switched off",
            "El webhook activo entrega, 1 desactivado",
        ),
        (
            vec![healthy("a"), healthy("b"), inactive("c"), inactive("d")],
            "All 2 active webhooks deliver, 2 switched off",
            "Los 2 webhooks activos entregan, 2 desactivados",
        ),
        (vec![inactive("a")], "The webhook is switched off", "El webhook está desactivado"),
        (vec![inactive("a"), inactive("b")], "All 2 webhooks are switched off", "Los 2 webhooks están desactivados"),
        (vec![healthy("a"), unread("b")], "1 webhook delivers, 1 not read yet", "1 webhook entrega, 1 aún sin leer"),
        (vec![unread("a"), unread("b")], "2 webhooks not read yet", "2 webhooks aún sin leer"),
        (
            vec![blocked("a"), healthy("b"), healthy("c")],
            "1 of 3 webhooks needs attention: 1 blocked, 3 events lost",
            "1 de 3 webhooks requiere atención: 1 bloqueado, 3 eventos perdidos",
        ),
        (
            vec![lossy("a"), failing("b"), unreadable("c"), stale("d")],
            "All 4 webhooks need attention: 1 failing, 2 events lost, 1 log unreadable, 1 stale",
            "Los 4 webhooks requieren atención: 1 fallando, 2 eventos perdidos, 1 log inaccesible, 1 desactualizado",
        ),
        (
            vec![blocked("a"), blocked("b"), unreadable("c"), unreadable("d"), healthy("e")],
            "4 of 5 webhooks need attention: 2 blocked, 6 events lost, 2 logs unreadable",
            "4 de 5 webhooks requieren atención: 2 bloqueados, 6 eventos perdidos, 2 logs inaccesibles",
        ),
        (vec![failing("a")], "The webhook needs attention: 1 failing", "El webhook requiere atención: 1 fallando"),
    ] {
        assert_eq!(headlines(webhooks), [english, spanish]);
    }
}

#[test]
fn nothing_to_show_has_its_own_sentences() {
    let nothing = |is_api_up| Overview { is_api_up, listed_at: None, ..overview(Vec::new()) };
    assert_eq!(headline_of(&nothing(None)), "The first poll is still running");
    assert_eq!(headline_of(&nothing(Some(true))), "There are no webhooks to watch");
    assert_eq!(headline_of(&nothing(Some(false))), "The Cotalker API cannot be read, and there is no data yet");
    assert_has(&page(&nothing(Some(false))), &["The list of webhooks has not been read since the start."]);
    assert_has(&page(&Overview::default()), &["There is no data yet."]);
    assert_has(&spanish_page(&Overview::default()), &["La primera consulta sigue en curso", "Aún no hay datos."]);
    assert_has(&spanish_page(&nothing(Some(true))), &["No hay webhooks que monitorear", "no lista ningún webhook"]);
}
