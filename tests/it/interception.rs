//! A web page with a status that refuses: something in front of the API, which says nothing of the token.

use cotalker_webhook_exporter::api::call::CallResult;
use cotalker_webhook_exporter::api::credentials::Credentials;
use cotalker_webhook_exporter::exposition::Format;
use delivery_ledger::fleet::{CallFailure as _, Reach};

use crate::responder::{Responder, client, response};
use test_harness::MetricsPage;
use test_harness::program;

const PAGES: [(&str, &str, &str); 4] = [
    ("401 Unauthorized", "Content-Type: text/html; charset=utf-8", "Log in"),
    ("401 Unauthorized", "Content-Type: application/json", "\r\n  <!doctype html><title>Log in</title>"),
    ("403 Forbidden", "Content-Type: Text/HTML", "<html>Blocked"),
    ("403 Forbidden", "X-Type: none", "<html>Blocked"),
];

#[tokio::test]
async fn a_page_that_refuses_is_told_apart_from_the_api_and_renews_no_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let password = folder.path().join("password");
    std::fs::write(&password, "s3cret").expect("written");
    for (status, header, body) in PAGES {
        let refusal = response(status, &[header], body);
        let server = Responder::start(move |_, head| {
            crate::responder::Reaction::Send(match head.starts_with("POST") {
                true => response("200 OK", &[], r#"{"token":"abc"}"#),
                false => refusal.clone(),
            })
        })
        .await;
        let mut settings = server.settings();
        settings.credentials = Credentials::Login { email: "me@x".to_owned(), password_file: password.clone() };
        let (client, instruments) = client(settings);
        let error = client.list(None).await.expect_err("a refusal");
        assert_eq!(error.result, CallResult::HttpError, "{error}");
        assert_eq!(
            error.to_string(),
            format!("something in front of the API responded with {} and a web page, not JSON", &status[..3])
        );
        assert!(error.advice().contains("the token may be right"), "{}", error.advice());
        assert_eq!(error.reach(), Reach::Api, "it says the same to every call");
        assert_eq!(server.requests(), 2, "a login and a list");
        let page = instruments.render(Format::Text, cotalker_webhook_exporter::clock::now());
        let page = MetricsPage(String::from_utf8(page.text()).expect("UTF-8"));
        assert_eq!(page.failures("list"), ["http_error"]);
    }
}

#[tokio::test]
async fn what_the_api_itself_refuses_is_the_tokens_matter() {
    for (status, result) in [("401 Unauthorized", CallResult::Unauthorized), ("403 Forbidden", CallResult::Forbidden)] {
        for body in ["", "  ", r#"{"message":"<no>"}"#] {
            let server = Responder::always(response(status, &["Content-Type: application/json"], body)).await;
            let error = server.client().0.list(None).await.expect_err("a refusal");
            assert_eq!(error.result, result, "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_so_too() {
    let server = Responder::always(response("403 Forbidden", &["Content-Type: text/html"], "<p>Blocked")).await;
    let check = program(&["check"]).env("COTALKER_BASE_URL", &server.base_url()).env("COTALKER_TOKEN", "x");
    let ended = check.run().await;
    ended.assert_complains(1, &["something in front of the API responded with 403", "firewall"]);
}
