use std::sync::Arc;

use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, Failure, FailureReason, Ledger, ObjectId, Outcome, Policy,
    Position, Retention, ServerTime, SubjectId, UnixMillis,
};
use http::{HeaderMap, StatusCode};

use super::{Links, PageQuery, View, WebhookState, write_not_found, write_status_page, write_webhook_page};
use crate::api::{CallError, Malformation};
use crate::snapshot::{Overview, Part, WebhookRow};
use crate::words::Language;

/// 2026-03-01 02:59:58 UTC.
const NOW: UnixMillis = UnixMillis::from_secs(1_772_333_998);
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

fn seconds_ago(seconds: i64) -> UnixMillis {
    NOW.plus_millis(-1_000 * seconds)
}

fn failure(seconds: i64, reason: FailureReason, status: Option<u16>) -> Option<Failure> {
    {
        let at = seconds_ago(seconds);
        Some(Failure { position: Position::after(at), at, reason, status, retry: 1 })
    }
}

fn status(code: u16) -> CallError {
    CallError::from_status(StatusCode::from_u16(code).expect("a status"))
}

fn healthy(label: &str) -> WebhookRow {
    WebhookRow {
        id: format!("id-of-{label}"),
        label: label.into(),
        name: format!("Name of {label}"),
        trigger: "create-edit-delete-task".into(),
        target_host: "hooks.example.com".into(),
        is_active: true,
        is_readable: Some(true),
        problem: None,
        read_at: Some(seconds_ago(12)),
        is_blocked: false,
        consecutive_failures: 0,
        failing_since: None,
        last_success: Some(seconds_ago(3 * MINUTE)),
        last_failure: None,
        attempts: 1234,
        failures: 0,
        pending: 0,
        pending_since: None,
        delivered: 1234,
        lost: 0,
        gaps: 0,
        retention: Retention::Unknown,
        lost_events: Arc::default(),
        pending_events: Arc::default(),
        recent: Arc::default(),
    }
}

fn failing(label: &str) -> WebhookRow {
    WebhookRow {
        consecutive_failures: 5,
        failing_since: Some(seconds_ago(12 * MINUTE)),
        last_failure: failure(40, FailureReason::Timeout, None),
        ..healthy(label)
    }
}

fn blocked(label: &str) -> WebhookRow {
    WebhookRow {
        is_blocked: true,
        pending: 4,
        pending_since: Some(seconds_ago(11 * MINUTE)),
        lost: 3,
        ..failing(label)
    }
}

fn lossy(label: &str) -> WebhookRow {
    WebhookRow { lost: 2, last_failure: failure(7_300, FailureReason::Http5xx, Some(503)), ..healthy(label) }
}

fn unreadable(label: &str) -> WebhookRow {
    WebhookRow {
        is_readable: Some(false),
        problem: Some(status(403)),
        read_at: Some(seconds_ago(21 * MINUTE)),
        ..healthy(label)
    }
}

fn stale(label: &str) -> WebhookRow {
    WebhookRow { read_at: Some(seconds_ago(4 * MINUTE)), ..healthy(label) }
}

fn unread(label: &str) -> WebhookRow {
    WebhookRow { is_readable: None, read_at: None, ..healthy(label) }
}

fn inactive(label: &str) -> WebhookRow {
    WebhookRow { is_active: false, ..healthy(label) }
}

fn overview(webhooks: Vec<WebhookRow>) -> Overview {
    Overview {
        webhooks,
        dropped: 0,
        is_api_up: Some(true),
        api_problem: None,
        listed_at: Some(seconds_ago(12)),
        server_ahead_millis: 0,
        poll_interval_millis: 60_000,
        part: Part::Leads,
    }
}

fn view(language: Language, query: &str) -> View {
    View {
        language,
        query: PageQuery::parse(query),
        links: Links::from_root(&HeaderMap::new()),
        now: NOW,
        telemetry_path: "/metrics".into(),
        version: "1.2.3",
    }
}

fn page_for(overview: &Overview, view: &View) -> String {
    let mut page = String::new();
    write_status_page(overview, view, &mut page).expect("a page");
    page
}

fn page(overview: &Overview) -> String {
    page_for(overview, &view(Language::English, ""))
}

fn spanish_page(overview: &Overview) -> String {
    page_for(overview, &view(Language::Spanish, ""))
}

fn filtered(overview: &Overview, query: &str) -> String {
    page_for(overview, &view(Language::English, query))
}

/// What stands between two texts.
#[track_caller]
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("no {start}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} after {start}")).0
}

#[test]
fn a_replica_that_stands_by_says_that_another_polls_each_interval() {
    let standby = Overview { part: Part::StandsBy, poll_interval_millis: 600_000, ..overview(vec![healthy("a")]) };
    let text = page(&standby);
    assert!(text.contains("Standby: another replica polls each interval. This one polls every 10 minutes"), "{text}");
    let text = page(&Overview { part: Part::LeadsUnsure, ..overview(vec![healthy("a")]) });
    assert!(text.contains("polls as if it held it"), "{text}");
    assert!(!page(&overview(vec![healthy("a")])).contains("replica"));
}

fn headline_of(overview: &Overview) -> String {
    between(&page(overview), "<h1>", "</h1>").into()
}

fn headlines(webhooks: Vec<WebhookRow>) -> [String; 2] {
    let overview = overview(webhooks);
    [page(&overview), spanish_page(&overview)].map(|page| between(&page, "<h1>", "</h1>").into())
}

#[track_caller]
fn assert_has(page: &str, expected: &[&str]) {
    for text in expected {
        assert!(page.contains(text), "{text:?} is missing in {page}");
    }
}

fn state_of(webhook: &WebhookRow) -> WebhookState {
    WebhookState::of(webhook, &overview(Vec::new()), NOW)
}

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
    assert_eq!(WebhookState::of(&read(181), &Overview::default(), NOW), WebhookState::Healthy);
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

/// The API responds with 401 to all calls since a quarter of an hour.
fn api_down(webhooks: Vec<WebhookRow>) -> Overview {
    let webhooks = webhooks.into_iter().map(|webhook| WebhookRow {
        is_readable: Some(false),
        problem: Some(status(401)),
        read_at: Some(seconds_ago(15 * MINUTE)),
        ..webhook
    });
    Overview {
        is_api_up: Some(false),
        api_problem: Some(status(401)),
        listed_at: Some(seconds_ago(15 * MINUTE)),
        ..overview(webhooks.collect())
    }
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
    let mut down = api_down(vec![blocked("broken"), healthy("fine"), healthy("forbidden")]);
    down.webhooks[2].problem = Some(status(403));
    let page = page(&down);
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
            "for 12 minutes, since 02:47<",
            "The receiver does not respond (timeout). The last 5 attempts failed, the newest 40 s ago.",
            "All later events wait: Cotalker delivers strictly in order.",
            "4 events are pending, the oldest for 11 minutes.",
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
            "4 eventos están pendientes, el más antiguo desde hace 11 minutos.",
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
            "1 event is pending, for 11 minutes.",
            "1 event has been lost since counting started. Cotalker will not send it again.",
            "The last attempt failed 40 s ago.",
            "A poll had no overlap with the previous poll: entries may have been missed, and counts may be too low.",
        ],
    );
    assert_has(
        &spanish_page(&overview),
        &[
            "1 evento está pendiente, desde hace 11 minutos.",
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
    assert_eq!(page.matches("<article").count(), 7, "a cause each: a+b, elsewhere, refused, c+d, e+f, g, h+i");
    for (cause, webhooks) in [
        ("hooks.example.com</bdi></h3>\n<bdi class=\"name\">2 webhooks", ["a", "b"]),
        ("Lost events of 2 webhooks", ["c", "d"]),
        (
            "The logs of 2 webhooks cannot be read: the API responded with 403: the token lacks the permission.",
            ["e", "f"],
        ),
        ("The data is stale: a poll is due every minute, but the logs have not been read.", ["h", "i"]),
    ] {
        let rest = between(&page, cause, "</article>");
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
fn many_causes_are_a_line_each_and_very_many_are_folded() {
    let broken =
        |number: usize| WebhookRow { target_host: format!("host-{number}"), ..blocked(&format!("hook-{number}")) };
    let page_of = |webhooks: usize| page(&overview((0..webhooks).map(broken).collect()));
    assert_eq!((page_of(8).matches("<article").count(), page_of(8).matches("<details class=\"card").count()), (8, 0));
    let many = page_of(300);
    assert_eq!((many.matches("<article").count(), many.matches("<details class=\"card").count()), (0, 300));
    let (shown, folded) = many.split_once("<summary>276 more</summary>").expect("a fold");
    assert_eq!(
        (shown.matches("<details class=\"card").count(), folded.matches("<details class=\"card").count()),
        (24, 276)
    );
    assert_has(shown, &["the receiver does not respond (timeout)"]);
}

#[test]
fn every_webhook_has_one_place_and_a_link_to_its_page() {
    let hosts =
        |number: usize, webhook: WebhookRow| WebhookRow { target_host: format!("host-{}", number % 40), ..webhook };
    let makes = [healthy as fn(&str) -> WebhookRow, blocked, lossy, unreadable, stale, unread, inactive];
    let webhooks: Vec<_> = (0..210).map(|number| hosts(number, makes[number % 7](&format!("hook-{number}")))).collect();
    let page = page(&overview(webhooks.clone()));
    for webhook in webhooks {
        assert_eq!(page.matches(&format!("id=\"w-{}\"", webhook.id)).count(), 1);
        assert_has(&page, &[&format!("href=\"webhooks/{}\"", webhook.id)]);
    }
}

#[test]
fn what_needs_no_attention_is_folded_unless_it_is_little_or_asked_for() {
    let all = |webhooks: usize| overview((0..webhooks).map(|number| healthy(&format!("hook-{number}"))).collect());
    let is_open = |page: &str| page.contains("<details class=\"fold\" open>");
    assert!(is_open(&page(&all(10))) && !is_open(&page(&all(11))));
    assert!(is_open(&filtered(&all(300), "state=healthy")));
}

#[test]
fn the_filter_looks_into_code_name_id_and_host_whatever_the_case() {
    let webhooks = vec![
        WebhookRow { target_host: "erp.acme.example".into(), ..healthy("billing") },
        WebhookRow { name: "Planta Ñuñoa".into(), ..healthy("assets") },
        WebhookRow { id: "6b05ABCDEF".into(), ..blocked("users") },
    ];
    let overview = overview(webhooks);
    for (query, expected) in [
        ("q=BILL", vec!["billing"]),
        ("q=planta+%C3%B1u", vec!["assets"]),
        ("q=05abc", vec!["users"]),
        ("q=erp.ACME", vec!["billing"]),
        ("q=example", vec!["users", "assets", "billing"]),
        ("state=blocked", vec!["users"]),
        ("state=attention", vec!["users"]),
        ("state=healthy", vec!["assets", "billing"]),
        ("state=healthy&q=bill", vec!["billing"]),
        ("state=stale", vec![]),
        ("q=nothing", vec![]),
    ] {
        let page = filtered(&overview, query);
        let shown: Vec<_> = ["users", "assets", "billing"]
            .into_iter()
            .filter(|label| page.contains(&format!("<bdi>{label}</bdi>")))
            .collect();
        assert_eq!(shown, expected, "{query}");
        assert_has(&page, &[&format!("{} of 3 webhooks<a href=\"?\">Clear the filter</a>", expected.len())]);
        assert_eq!(page.contains("No webhook matches the filter."), expected.is_empty(), "{query}");
        assert_has(&page, &["<h1>1 of 3 webhooks needs attention"]);
    }
    let everything = page(&overview);
    assert!(!everything.contains("Clear the filter"));
}

#[test]
fn the_filter_keeps_what_was_asked_for() {
    let overview = overview(vec![healthy("a")]);
    let page = filtered(&overview, "q=%22%3E%3Cb%3E&state=healthy&refresh=0");
    assert_has(
        &page,
        &[
            "name=\"q\" value=\"&#34;&#62;&#60;b&#62;\"",
            "<option value=\"healthy\" selected>",
            "<input type=\"hidden\" name=\"refresh\" value=\"0\">",
            "href=\"?refresh=0\"",
            "Does not reload.",
            "href=\"?q=%22%3E%3Cb%3E&#38;state=healthy\">Reload every 30 s</a>",
        ],
    );
    let page = filtered(&overview, "q=a");
    assert_has(&page, &["Reloads every 30 s.", "href=\"?q=a&#38;refresh=0\">Stop reloading</a>"]);
}

#[test]
fn every_reason_and_every_state_has_its_words_in_every_language() {
    for language in Language::ALL {
        let words = language.words();
        for &reason in FailureReason::ALL {
            for status in [None, Some(401), Some(404), Some(429), Some(503)] {
                assert!(!words.why(reason, status).is_empty());
                for host in ["", "a.example"] {
                    let remedy = words.remedy(reason, status, host);
                    assert!(remedy.ends_with('.') && !remedy.contains("  "), "{remedy}");
                    assert!(!remedy.contains("de el "), "{remedy}");
                }
            }
        }
        for (number, state) in WebhookState::ALL.into_iter().enumerate() {
            assert_eq!(state.index(), number);
            assert!(!words.state(state).is_empty() && !words.section(state).is_empty());
        }
    }
    let [english, spanish] = Language::ALL.map(Language::words);
    let why = |reason, status| [english.why(reason, status), spanish.why(reason, status)];
    assert_eq!(
        why(FailureReason::Http5xx, Some(503)),
        ["the receiver responded with 503", "el receptor respondió 503"]
    );
    assert_eq!(
        why(FailureReason::CertificateExpired, None),
        ["the receiver's certificate has expired", "el certificado del receptor está vencido"]
    );
    assert_eq!(spanish.remedy(FailureReason::Dns, None, ""), "Revisar el registro DNS del receptor.");
    assert_eq!(spanish.remedy(FailureReason::Dns, None, "a.example"), "Revisar el registro DNS de a.example.");
}

#[test]
fn spanish_pages_have_no_english_sentence_left() {
    let webhooks = vec![
        blocked("a"),
        failing("b"),
        WebhookRow { gaps: 2, ..lossy("c") },
        unreadable("d"),
        WebhookRow { problem: Some(CallError::malformed(Malformation::WebPage)), ..unreadable("e") },
        stale("f"),
        unread("g"),
        inactive("h"),
        healthy("i"),
    ];
    let webhooks = webhooks.into_iter().map(|webhook| WebhookRow { name: String::new(), ..webhook }).collect();
    let overview = Overview { dropped: 2, listed_at: Some(seconds_ago(4 * MINUTE)), ..overview(webhooks) };
    let page = spanish_page(&overview);
    assert!(page.contains("<html lang=\"es\">"));
    let (_, body) = page.split_once("</style>").expect("a style");
    for word in [" the ", " The ", " and ", " is ", " are ", " not ", " with ", " of ", " ago", " for ", " since "] {
        assert!(!body.contains(word), "{word:?} in {body}");
    }
}

#[test]
fn ages_in_logs_go_by_the_servers_clock_and_those_of_polls_by_the_local_one() {
    let ahead = Overview { server_ahead_millis: 600_000, ..overview(vec![healthy("a")]) };
    let page = page(&ahead);
    assert!(page.contains(">13 minutes ago</time>"), "the last success, 3 minutes before the local now");
    assert!(page.contains(">12 s ago</time>"), "the last poll");
}

#[test]
fn times_are_said_to_be_utc_once() {
    let webhooks = vec![blocked("a"), stale("b"), healthy("c")];
    for (language, said) in
        [(Language::English, "All times are UTC."), (Language::Spanish, "Todas las horas están en UTC.")]
    {
        let page = page_for(&overview(webhooks.clone()), &view(language, ""));
        assert_has(&page, &[said, "2026-03-01 02:59:58"]);
        assert_eq!(page.matches("UTC").count(), 1);
    }
}

#[test]
fn hostile_names_are_text_and_whole() {
    let name = format!("<img src=x onerror=alert(1)>\u{202e}🎉{}", "w".repeat(5_000));
    let label = "\"><script>alert(1)</script>".to_owned();
    for make in [healthy as fn(&str) -> WebhookRow, blocked] {
        let webhook = WebhookRow { name: name.clone(), label: label.clone(), target_host: label.clone(), ..make("a") };
        let page = page(&overview(vec![webhook]));
        assert!(!page.contains("<script") && !page.contains("<img"));
        assert_has(&page, &[&"w".repeat(5_000)]);
    }
}

#[test]
fn further_webhooks_are_mentioned_and_the_footer_links() {
    let overview = Overview { dropped: 1, ..overview(vec![healthy("a")]) };
    let view = View { telemetry_path: "/x\"y".into(), ..view(Language::English, "") };
    let page = page_for(&overview, &view);
    assert!(!page.contains("<script"));
    assert_has(
        &page,
        &[
            "1 further webhook is not watched",
            "href=\"x&#34;y\"",
            "href=\"-/healthy\"",
            "href=\"-/ready\"",
            "1.2.3",
            "<link rel=\"icon\" href=\"data:image/svg+xml,",
        ],
    );
}

#[test]
fn no_page_reloads_by_itself_or_has_an_absolute_link() {
    for page in [page(&overview(vec![blocked("a"), healthy("b")])), {
        let mut page = String::new();
        let view = View { links: Links::from_below(&HeaderMap::new()), ..view(Language::Spanish, "") };
        write_not_found(&view, &mut page).expect("a page");
        assert_has(&page, &["Webhook no encontrado", "href=\"../\">Todos los webhooks</a>", "href=\"../metrics\""]);
        page
    }] {
        assert!(!page.contains("http-equiv") && !page.contains("href=\"/") && !page.contains("<script"));
    }
}

#[test]
fn times_that_no_calendar_has_break_nothing() {
    for at in [UnixMillis::MIN, UnixMillis::MAX] {
        let webhook =
            WebhookRow { last_success: Some(at), failing_since: Some(at), pending_since: Some(at), ..blocked("a") };
        assert!(page(&overview(vec![webhook])).contains("datetime=\"?\""));
    }
}

/// An attempt of an event; both are told apart by one number.
fn attempt(seconds: i64, number: u8, retry: u32, outcome: Outcome) -> Attempt {
    let at = seconds_ago(seconds);
    let second = u32::try_from(at.as_millis() / 1_000).expect("a second").to_be_bytes();
    let id = |tail: u8| {
        let mut bytes = [tail; 12];
        bytes[..4].copy_from_slice(&second);
        ObjectId::from_bytes(bytes)
    };
    let event = Event {
        key: EventKey::of([None, None, None, None, Some(&number.to_string())]),
        event_type: EventType::Task,
        action: Action::Edit,
        created_at: Some(seconds_ago(3_600)),
        subject: Some(SubjectId(ObjectId::from_bytes([number; 12]))),
    };
    Attempt { id: AttemptId(id(number)), at, outcome, retry, event: Some(event) }
}

/// A webhook with what a log of these attempts comes to.
fn with_log(webhook: WebhookRow, attempts: Vec<Attempt>) -> WebhookRow {
    let policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };
    let mut ledger = Ledger::new(Position::START);
    let now = ServerTime::certain(NOW);
    let mut reading = ledger.read(now, &policy);
    attempts.into_iter().for_each(|attempt| reading.observe(attempt));
    let response = reading.finish();
    ledger.fold(response, &policy);
    let events = ledger.events();
    WebhookRow {
        lost: events.lost(),
        pending: events.pending(),
        lost_events: Arc::clone(events.lost_events()),
        pending_events: Arc::clone(events.pending_events()),
        recent: Arc::clone(ledger.recent()),
        ..webhook
    }
}

fn webhook_page(overview: &Overview, id: &str, language: Language) -> Option<String> {
    let mut page = String::new();
    let view = View { links: Links::from_below(&HeaderMap::new()), ..view(language, "") };
    write_webhook_page(overview, id, &view, &mut page).expect("a page").then_some(page)
}

#[test]
fn the_page_of_a_webhook_lists_what_to_replay_with_its_ids() {
    let timeout = Outcome::Failure { reason: FailureReason::Timeout, status: None };
    let refused = Outcome::Failure { reason: FailureReason::Http4xx, status: Some(422) };
    let attempts = vec![
        attempt(600, 0xaa, 3, timeout),
        attempt(300, 0xbb, 1, refused),
        attempt(100, 0xcc, 0, Outcome::Success { status: 204 }),
    ];
    let webhook = WebhookRow { retention: Retention::Newest(100), ..with_log(blocked("a"), attempts) };
    let overview = overview(vec![webhook]);
    let page = webhook_page(&overview, "id-of-a", Language::English).expect("a page");
    let entry = |seconds: i64, number: u8| attempt(seconds, number, 0, timeout).id.to_string();
    let table = |id: &str| between(&page, &format!("<section id=\"{id}\">"), "</section>").to_owned();

    let lost = table("lost");
    assert_has(
        &lost,
        &[
            &entry(600, 0xaa),
            "<code>aaaaaaaaaaaaaaaaaaaaaaaa</code>",
            "COTTask edit",
            "<time datetime=\"2026-03-01T01:59:58Z\">01:59:58</time>",
            "<time datetime=\"2026-03-01T02:49:58Z\">02:49:58</time>",
            "the receiver does not respond (timeout)",
            "data-name=\"Retry\">3<",
            "Lost events <span class=\"count\">1</span>",
        ],
    );
    assert_eq!(lost.matches("<tr>").count(), 2, "a head and one event");
    let pending = table("pending");
    assert_has(&pending, &[&entry(300, 0xbb), "<code>bbbbbbbbbbbbbbbbbbbbbbbb</code>", "refused the event with 422"]);
    let newest = table("attempts");
    assert_has(&newest, &[&entry(100, 0xcc), &entry(300, 0xbb), &entry(600, 0xaa), "delivered, 204"]);
    assert_has(
        &page,
        &["the newest 100 entries", "href=\"../\">All webhooks</a>", "href=\"../metrics\"", "href=\"#lost\""],
    );
    assert_eq!(page.matches("All times are UTC.").count(), 1);
}

#[test]
fn the_page_of_a_webhook_says_what_it_does_not_list() {
    let webhook = WebhookRow { lost: 214, retention: Retention::ForMillis(72 * 3_600_000), ..healthy("a") };
    let mut overview = overview(vec![webhook]);
    for (language, expected) in [
        (Language::English, ["None of the 214 can be listed", "No event is pending.", "entries for at least 3 days"]),
        (
            Language::Spanish,
            [
                "No se puede mostrar ninguno de los 214",
                "Ningún evento está pendiente.",
                "las entradas por al menos 3 días",
            ],
        ),
    ] {
        assert_has(&webhook_page(&overview, "id-of-a", language).expect("a page"), &expected);
    }
    assert_eq!(webhook_page(&overview, "id-of-b", Language::English), None);
    overview.webhooks[0] = healthy("a");
    assert_has(&webhook_page(&overview, "ID-OF-A", Language::English).expect("a page"), &["No lost event is known."]);
    assert_has(&webhook_page(&overview, "id-of-a", Language::English).expect("a page"), &["not known yet"]);
}

#[test]
fn the_page_of_a_webhook_tells_of_an_api_that_cannot_be_read() {
    let page = webhook_page(&api_down(vec![healthy("a")]), "id-of-a", Language::Spanish).expect("a page");
    assert_has(&page, &["La API respondió 401", "log inaccesible"]);
}

#[test]
fn an_event_that_was_delivered_after_all_needs_no_replay() {
    let timeout = Outcome::Failure { reason: FailureReason::Timeout, status: None };
    let webhook = with_log(lossy("a"), vec![attempt(600, 1, 3, timeout)]);
    assert_eq!(webhook.lost, 1);
    let policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };
    let mut ledger = Ledger::new(Position::START);
    for outcome in [timeout, Outcome::Success { status: 200 }] {
        let now = ServerTime::certain(NOW);
        let mut reading = ledger.read(now, &policy);
        let seconds = if outcome == timeout { 600 } else { 60 };
        reading.observe(attempt(seconds, 1, 3, outcome));
        let response = reading.finish();
        ledger.fold(response, &policy);
    }
    let webhook = WebhookRow { lost_events: Arc::clone(ledger.events().lost_events()), ..webhook };
    let page = webhook_page(&overview(vec![webhook]), "id-of-a", Language::English).expect("a page");
    assert_has(&page, &["Delivered after all at 02:58:58: nothing to replay."]);
}
