//! What needs attention: one card for one cause.

use delivery_ledger::FailureReason;

use crate::snapshot::{Overview, Part, WebhookRow};

use super::fixtures::*;

#[test]
fn a_replica_that_stands_by_says_that_another_polls_each_interval() {
    let standby = Overview { part: Part::StandsBy, poll_interval_millis: 600_000, ..overview(vec![healthy("a")]) };
    let text = page(&standby);
    assert!(text.contains("Standby: another replica polls each interval. This one polls every 10 minutes"), "{text}");
    let text = page(&Overview { part: Part::LeadsUnsure, ..overview(vec![healthy("a")]) });
    assert!(text.contains("polls as if it held it"), "{text}");
    assert!(!page(&overview(vec![healthy("a")])).contains("replica"));
}

#[test]
fn an_api_that_cannot_be_read_is_one_card_with_cause_and_advice() {
    let many = api_down((0..300).map(|number| healthy(&format!("hook-{number}"))).collect());
    assert_eq!(headline_of(&many), "The Cotalker API cannot be read. Last known: all 300 webhooks deliver");
    let english = page(&many);
    assert_has(
        &english,
        &[
            "The API responded with 401: the token or login is wrong or has expired.",
            "The data is stale, and no count changes. The list of webhooks was last read 15 minutes ago.",
            "300 logs cannot be read because of this.",
            "Give a valid token in --cotalker.token-file",
            "<title>Cotalker API not readable",
            "Not readable now",
        ],
    );
    assert_eq!(english.matches("<article").count(), 1);
    let spanish = spanish_page(&many);
    assert_has(
        &spanish,
        &[
            "No se puede leer la API de Cotalker. Último estado conocido: los 300 webhooks entregan",
            "La API respondió 401: el token o el inicio de sesión es incorrecto o expiró.",
            "Por esto no se pueden leer 300 logs.",
            "Indicar un token válido",
        ],
    );
}

#[test]
fn what_was_broken_before_the_api_was_stays_in_sight() {
    let down = api_down(vec![blocked("broken"), healthy("fine"), healthy("forbidden")]);
    let mut webhooks: Vec<WebhookRow> = down.webhooks.iter().cloned().collect();
    webhooks[2].problem = Some(status(403));
    let page = page(&Overview { webhooks: webhooks.into(), ..down });
    assert_eq!(page.matches("<article").count(), 3, "the API, the blocked one, the one that has a problem of its own");
    assert_eq!(page.matches("the API responded with 403").count(), 1);
    assert_eq!(page.to_lowercase().matches("the api responded with 401").count(), 1);
    let headline = between(&page, "<h1>", "</h1>");
    assert!(
        headline.ends_with("2 of 3 webhooks need attention: 1 blocked, 3 events lost, 1 log unreadable"),
        "{headline}"
    );
}

#[test]
fn a_blocked_webhook_says_why_since_when_and_what_is_at_stake() {
    let overview = overview(vec![blocked("a")]);
    assert_has(
        &page(&overview),
        &[
            "failing for 12 minutes, since 02:47<",
            "The receiver does not respond (timeout). The last 5 attempts failed, the newest 40 s ago.",
            "All later events wait: Cotalker delivers strictly in order.",
            "4 events are pending; the oldest has been pending for 11 minutes.",
            "3 events have been lost since counting started. Cotalker will not send them again.",
            "Check that hooks.example.com is up and responds in time.",
            "<a href=\"webhooks/id-of-a#lost\">Replay the lost events by hand.</a>",
            "1,234",
        ],
    );
    assert_has(
        &spanish_page(&overview),
        &[
            "desde hace 12 minutos (02:47)",
            "El receptor no responde (timeout). Los últimos 5 intentos fallaron, el más reciente hace 40 s.",
            "Todos los eventos posteriores esperan: Cotalker entrega en estricto orden.",
            "4 eventos están pendientes; el más antiguo, desde hace 11 minutos.",
            "Se perdieron 3 eventos desde que comenzó el conteo. Cotalker no los volverá a enviar.",
            "Verificar que hooks.example.com esté en línea y responda a tiempo.",
            "Reenviar a mano los eventos perdidos.",
            "1234",
        ],
    );
}

#[test]
fn one_of_a_kind_is_told_in_the_singular() {
    let overview = overview(vec![WebhookRow { pending: 1, lost: 1, gaps: 1, consecutive_failures: 1, ..blocked("a") }]);
    assert_has(
        &page(&overview),
        &[
            "1 event has been pending for 11 minutes.",
            "1 event has been lost since counting started. Cotalker will not send it again.",
            "The last attempt failed 40 s ago.",
            "A poll had no overlap with the previous poll: entries may have been missed, and counts may be too low.",
        ],
    );
    assert_has(
        &spanish_page(&overview),
        &[
            "1 evento está pendiente desde hace 11 minutos.",
            "Se perdió 1 evento desde que comenzó el conteo. Cotalker no lo volverá a enviar.",
            "El último intento falló hace 40 s.",
            "Una consulta no se traslapó con la anterior",
        ],
    );
}

#[test]
fn stale_data_is_called_stale() {
    let overview = Overview { listed_at: Some(seconds_ago(4 * MINUTE)), ..overview(vec![stale("a")]) };
    assert_has(
        &page(&overview),
        &[
            "The data is stale: a poll is due every minute, but the list of webhooks was last read 4 minutes ago.",
            "The data is stale: a poll is due every minute, but the log has not been read.",
            "last read 4 minutes ago, at 02:55",
        ],
    );
    assert_has(
        &spanish_page(&overview),
        &["corresponde una consulta cada minuto, pero el log no se ha leído", "última lectura hace 4 minutos (02:55)"],
    );
}

#[test]
fn webhooks_of_one_cause_are_one_card_that_lists_them() {
    let elsewhere = WebhookRow { target_host: "other.example.com".into(), ..blocked("elsewhere") };
    let refused = WebhookRow { last_failure: failure(40, FailureReason::Refused, None), ..blocked("refused") };
    let page = page(&overview(vec![
        blocked("a"),
        failing("b"),
        elsewhere,
        refused,
        lossy("c"),
        lossy("d"),
        unreadable("e"),
        unreadable("f"),
        WebhookRow { problem: Some(status(404)), ..unreadable("g") },
        stale("h"),
        stale("i"),
    ]));
    let cards = page.matches("<article").count() + page.matches("<details class=\"card").count();
    assert_eq!(cards, 7, "a cause each: a+b, elsewhere, refused, c+d, e+f, g, h+i");
    for (cause, webhooks) in [
        ("hooks.example.com</bdi></h3>\n<bdi class=\"name\">2 webhooks", ["a", "b"]),
        ("Lost events of 2 webhooks", ["c", "d"]),
        (
            "The logs of 2 webhooks cannot be read: the API responded with 403: the token lacks the permission.",
            ["e", "f"],
        ),
        ("The data is stale: a poll is due every minute, but the logs have not been read.", ["h", "i"]),
    ] {
        let (_, rest) = page.split_once(cause).expect("the cause");
        let rest = between(rest, "<ul class=\"members\">", "</ul>");
        for webhook in webhooks {
            assert_has(rest, &[&format!("<li id=\"w-id-of-{webhook}\">")]);
        }
    }
}

#[test]
fn a_cause_of_many_webhooks_folds_most_of_them() {
    let page = page(&overview((0..200).map(|number| failing(&format!("hook-{number}"))).collect()));
    assert_eq!(page.matches("<article").count(), 1);
    let (shown, folded) = page.split_once("<summary>195 more</summary>").expect("a fold");
    assert_eq!((shown.matches("<li id=").count(), folded.matches("<li id=").count()), (5, 195));
}

#[test]
fn the_worst_causes_are_told_in_full_more_are_a_line_each_and_very_many_are_folded() {
    let broken =
        |number: usize| WebhookRow { target_host: format!("host-{number}"), ..blocked(&format!("hook-{number}")) };
    let cards = |page: &str| (page.matches("<article").count(), page.matches("<details class=\"card").count());
    let page_of = |webhooks: usize| page(&overview((0..webhooks).map(broken).collect()));
    assert_eq!(cards(&page_of(3)), (3, 0));
    assert_eq!(cards(&page_of(8)), (3, 5));
    let many = page_of(300);
    let (shown, folded) = many.split_once("<summary>285 more</summary>").expect("a fold");
    assert_eq!((cards(shown), cards(folded)), ((3, 12), (0, 285)));
    assert_has(shown, &["the receiver does not respond (timeout)"]);
}
