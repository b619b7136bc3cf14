//! Connections that are kept for further calls, and that the API closes just then.

use std::time::Duration;

use cotalker_webhook_exporter::api::call::CallResult;
use cotalker_webhook_exporter::exposition::Format;
use tokio::time::sleep;

use crate::responder::{Reaction, Responder, response};
use test_harness::MetricsPage;

const EMPTY_LIST: &str = "[]";

fn list() -> Vec<u8> {
    response("200 OK", &[], EMPTY_LIST)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_because_a_kept_connection_has_just_been_closed() {
    for milliseconds in [0, 1, 3, 10, 30] {
        let after = Duration::from_millis(milliseconds);
        let server = Responder::start(move |_, _| Reaction::SendAndClose(list(), after)).await;
        let (client, instruments) = server.client();
        for gap in 0..40 {
            client.list(None).await.expect("a list");
            sleep(Duration::from_millis(gap % 8 * milliseconds / 4)).await;
        }
        let page = instruments.render(Format::Text, cotalker_webhook_exporter::clock::now());
        let page = MetricsPage(String::from_utf8(page.text()).expect("UTF-8"));
        assert_eq!(page.calls("list", "ok"), 40.0, "each call is counted once");
    }
}

#[tokio::test]
async fn a_call_that_ends_without_a_byte_on_a_reused_connection_is_made_once_more_on_a_new_one() {
    // Every connection gives one response and ends in the middle of the next call.
    let server = Responder::start(|number, _| if number == 0 { Reaction::Send(list()) } else { Reaction::Close }).await;
    let (client, _) = server.client();
    for _ in 0..3 {
        client.list(None).await.expect("a list");
    }
    // The second call's second try left its connection to nobody, so the third call opened one.
    assert_eq!((server.requests(), server.connections()), (4, 3));
}

#[tokio::test]
async fn a_call_that_ends_without_a_byte_on_a_new_connection_fails_at_once() {
    let server = Responder::start(|_, _| Reaction::Close).await;
    let error = server.client().0.list(None).await.expect_err("no response");
    assert_eq!(error.result, CallResult::Connect);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn connections_are_kept_and_none_for_longer_than_a_minute() {
    let server = Responder::always(list()).await;
    let (client, _) = server.client();
    client.list(None).await.expect("a list");
    client.list(None).await.expect("a list");
    assert_eq!(server.connections(), 1);
    client.renew_connections();
    client.list(None).await.expect("a list");
    client.list(None).await.expect("a list");
    assert_eq!(server.connections(), 2);
    // Calls every two seconds: no connection is idle for long.
    tokio::time::pause();
    for _ in 0..60 {
        tokio::time::advance(Duration::from_secs(2)).await;
        client.list(None).await.expect("a list");
    }
    assert_eq!(server.connections(), 4);
}
