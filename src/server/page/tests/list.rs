//! The list of webhooks: places, folding, the filter.

use crate::snapshot::WebhookRow;

use super::fixtures::*;

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
