//! The pages for who is on call, as the exporter serves them about a simulated Cotalker.

use cotalker_simulator::{Endpoint, Fault, Receiver, Simulator, Target, Trigger, WebhookSpec, World};
use delivery_ledger::{History, WebhookId};
use http::HeaderMap;
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, REFRESH, VARY};
use test_harness::{Daemon, START, client, happen, serve, until};

/// A webhook that delivers, and one whose receiver refuses connections; both have had three events.
async fn company() -> (Simulator, WebhookId, WebhookId) {
    let mut world = World::new(START, 4);
    let fine = world.add(WebhookSpec::new("fine", Trigger::Task));
    let refused = world.add(WebhookSpec::new("refused", Trigger::Task).at("erp.acme.example").to(Receiver::Refused));
    let simulator = serve(world).await;
    happen(&simulator, &[fine, refused], 3);
    (simulator, fine, refused)
}

struct Page {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Page {
    async fn of(daemon: &Daemon, path: &str, language: &str) -> Self {
        let url = format!("{}{path}", daemon.site.root());
        let response = client().get(url).header(ACCEPT_LANGUAGE, language).send().await.expect("a response");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.expect("text") }
    }

    fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_work_behind_a_prefix_in_the_language_that_is_asked_for() {
    let (simulator, _, refused) = company().await;
    let daemon = Daemon::start(&simulator, History::Count).await;
    daemon.whole_good_poll().await;
    for (wanted, tag, all) in
        [("es-CL,es;q=0.9,en;q=0.8", "es", "Todos los webhooks"), ("fr,en;q=0.1", "en", "All webhooks")]
    {
        let home = Page::of(&daemon, "/?q=REFUSED&state=attention", wanted).await;
        assert_eq!((home.status, home.header(CONTENT_LANGUAGE)), (200, Some(tag)));
        assert_eq!(home.header(VARY), Some("Accept-Language, Accept-Encoding"));
        assert_eq!(home.header(REFRESH), Some("30"));
        assert!(home.header(CONTENT_SECURITY_POLICY).is_some_and(|policy| !policy.contains("script")));
        assert!(home.text.contains(&format!("id=\"w-{refused}\"")) && !home.text.contains("<bdi>fine</bdi>"));
        assert!(home.text.contains(&format!("href=\"webhooks/{refused}\"")));
        let below = Page::of(&daemon, &format!("/webhooks/{refused}?refresh=0"), wanted).await;
        assert_eq!((below.status, below.header(CONTENT_LANGUAGE), below.header(REFRESH)), (200, Some(tag), None));
        assert!(below.text.contains(&format!("href=\"../\">{all}")) && below.text.contains("erp.acme.example"));
        for page in [home, below] {
            assert!(
                !page.text.contains("href=\"/") && !page.text.contains("http-equiv") && !page.text.contains("<script")
            );
        }
    }
    for path in ["/webhooks/000000000000000000000000", "/webhooks/x"] {
        let missing = Page::of(&daemon, path, "es").await;
        assert_eq!(
            (missing.status, missing.header(CONTENT_LANGUAGE), missing.header(REFRESH)),
            (404, Some("es"), None)
        );
    }
    for path in ["/webhooks", "/webhooks/", "/webhooks/a/b"] {
        assert_eq!(daemon.site.get(path).await.0, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_webhook_shows_each_lost_event_by_the_ids_of_the_log() {
    let (simulator, _, refused) = company().await;
    // The four attempts of an event take a few minutes.
    simulator.advance(std::time::Duration::from_secs(1_800));
    let daemon = Daemon::start(&simulator, History::Count).await;
    let page = daemon.whole_good_poll().await;
    let lost = page.of(refused, "events_lost_total");
    assert_eq!(lost, Some(3.0));
    let finals = simulator.with_world(|world| {
        let attempts = world.attempts(refused).iter().filter(|attempt| attempt.is_final);
        attempts.map(|attempt| attempt.id.to_string()).collect::<Vec<_>>()
    });
    assert_eq!(finals.len(), 3);
    let page = Page::of(&daemon, &format!("/webhooks/{refused}"), "en").await.text;
    let (_, rest) = page.split_once("id=\"lost\"").expect("lost events");
    let (lost, _) = rest.split_once("</table>").expect("its end");
    for id in finals {
        assert!(lost.contains(&format!("<code>{id}</code>")), "{id} in {lost}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_that_fail_for_one_cause_are_one_card_in_either_language() {
    let mut world = World::new(START, 4);
    let ids: Vec<_> =
        (0..12).map(|number| world.add(WebhookSpec::new(&format!("hook_{number}"), Trigger::Task))).collect();
    let simulator = serve(world).await;
    let daemon = Daemon::start(&simulator, History::Count).await;
    daemon.whole_good_poll().await;
    for id in &ids[..7] {
        simulator.fail(Target::Logs(*id), Fault::Html);
    }
    for (language, cause) in [
        ("en", "The logs of 7 webhooks cannot be read: the response is a web page, not JSON."),
        ("es", "No se pueden leer los logs de 7 webhooks: la respuesta es una página web, no JSON."),
    ] {
        let page = until("seven logs that cannot be read", async || {
            Some(Page::of(&daemon, "/", language).await.text).filter(|page| page.contains(cause))
        });
        assert_eq!(page.await.matches("<article").count(), 1);
    }
    assert!(simulator.count(Endpoint::Logs) > 0);
}
