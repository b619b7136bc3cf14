//! Words in each language, times, and texts that somebody else wrote.

use delivery_ledger::{FailureReason, UnixMillis};
use http::HeaderMap;

use super::super::{Links, View, WebhookState, write_not_found};
use crate::api::{CallError, Malformation};
use crate::snapshot::{Overview, WebhookRow};
use crate::words::Language;

use super::fixtures::*;

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
