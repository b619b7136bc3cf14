//! An API without validators sends the same response again and again: it is known by its body, and not read.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cotalker_webhook_exporter::api::call::CallResult;
use cotalker_webhook_exporter::api::{ApiClient, CallError, Fetched, Listing};
use delivery_ledger::fleet::{BodyMark, ResponseMark};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::responder::{Reaction, Responder, response};

/// Longer than what is held of a body to be read after all.
const MANY: usize = 20_000;

/// A list of so many webhooks.
fn list(webhooks: usize) -> Vec<u8> {
    let webhooks: Vec<String> =
        (0..webhooks).map(|number| format!(r#"{{"_id":"{number:024x}","code":"hook_{number}"}}"#)).collect();
    format!("[{}]", webhooks.join(",")).into_bytes()
}

/// The same with another letter at a place from its end.
fn altered(mut body: Vec<u8>, from_end: usize) -> Vec<u8> {
    let place = body.len() - from_end;
    body[place] = b'X';
    body
}

/// A response whose head does not say how long it is.
fn chunked(headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{}\r\n\r\n", headers.join("\r\n")).into_bytes();
    if headers.is_empty() {
        bytes.truncate(bytes.len() - 2);
    }
    for chunk in body.chunks(10_000) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

/// An API that sends what it is told to.
struct Api {
    server: Responder,
    client: ApiClient,
    reaction: Arc<Mutex<Reaction>>,
    mark: Option<ResponseMark>,
}

impl Api {
    async fn start() -> Self {
        let reaction = Arc::new(Mutex::new(Reaction::Close));
        let next = Arc::clone(&reaction);
        let server = Responder::start(move |_, _| next.lock().expect("no panic").clone()).await;
        let client = server.client().0;
        Self { server, client, reaction, mark: None }
    }

    async fn try_list(&self, reaction: Reaction) -> Result<Fetched<Listing>, CallError> {
        *self.reaction.lock().expect("no panic") = reaction;
        self.client.list(self.mark.as_ref()).await
    }

    /// How many webhooks the list has, `None` if it is the one before, and how many calls it took to tell.
    async fn list(&mut self, response: Vec<u8>) -> (Option<usize>, usize) {
        let before = self.server.requests();
        let fetched = self.try_list(Reaction::Send(response)).await.expect("a list");
        let calls = self.server.requests() - before;
        match fetched {
            Fetched::NotModified { .. } => (None, calls),
            Fetched::Fresh { value, mark, .. } => {
                self.mark = mark;
                assert_eq!(value.malformed, 0);
                (Some(value.webhooks.len()), calls)
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_comes_again_is_known_and_a_changed_one_is_read_whole() {
    for webhooks in [0, 1, 300, MANY] {
        for is_chunked in [false, true] {
            let body = list(webhooks);
            let send = |body: &[u8]| match is_chunked {
                true => chunked(&[], body),
                false => response("200 OK", &[], body),
            };
            let mut api = Api::start().await;
            assert_eq!(api.list(send(&body)).await, (Some(webhooks), 1));
            assert_eq!(api.list(send(&body)).await, (None, 1), "{webhooks} webhooks again");
            assert_eq!(api.list(send(&body)).await, (None, 1), "{webhooks} webhooks for the third time");
            let more = list(webhooks + 1);
            let (found, calls) = api.list(send(&more)).await;
            assert_eq!(found, Some(webhooks + 1), "one more");
            assert!(calls == 1 || is_chunked && webhooks == MANY, "{calls} calls for one more than {webhooks}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_differs_in_one_byte_is_read() {
    for webhooks in [1, 300, MANY] {
        let body = list(webhooks);
        // In the last code, in the one in the middle, in the first.
        for from_end in [4, body.len() / 2, body.len() - 40] {
            let mut api = Api::start().await;
            assert_eq!(api.list(response("200 OK", &[], &body)).await, (Some(webhooks), 1));
            let other = altered(body.clone(), from_end);
            let read = api.try_list(Reaction::Send(response("200 OK", &[], &other))).await;
            assert!(
                !matches!(read, Ok(Fetched::NotModified { .. })),
                "{webhooks} webhooks, {from_end} bytes from the end"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_response_whose_end_changes_costs_one_further_call_once() {
    let body = list(MANY);
    let mut api = Api::start().await;
    assert_eq!(api.list(response("200 OK", &[], &body)).await, (Some(MANY), 1));
    assert_eq!(api.list(response("200 OK", &[], altered(body.clone(), 4))).await, (Some(MANY), 2));
    assert_eq!(api.mark.as_ref().and_then(|mark| mark.body.clone()), Some(BodyMark::ReadWhole));
    for _ in 0..2 {
        assert_eq!(api.list(response("200 OK", &[], &body)).await, (Some(MANY), 1), "it is read whole from now on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_response_that_comes_again_is_not_decompressed() {
    let gzip = |body: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).expect("compressed");
        encoder.finish().expect("compressed")
    };
    let mut api = Api::start().await;
    let send = |body: &[u8]| chunked(&["Content-Encoding: gzip"], &gzip(body));
    assert_eq!(api.list(send(&list(300))).await, (Some(300), 1));
    assert_eq!(api.list(send(&list(300))).await, (None, 1));
    assert_eq!(api.list(send(&list(299))).await, (Some(299), 1));
    assert_eq!(
        api.list(response("200 OK", &[], list(299))).await,
        (Some(299), 1),
        "the same, and not as it came before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_with_an_etag_is_known_by_its_body_only_if_the_api_sends_it_again_all_the_same() {
    let mut api = Api::start().await;
    let send = |tag: &str, webhooks| response("200 OK", &[&format!("ETag: {tag}")], list(webhooks));
    assert_eq!(api.list(send("\"one\"", 3)).await, (Some(3), 1));
    assert_eq!(api.mark.as_ref().and_then(|mark| mark.body.clone()), None, "304 will say it");
    assert_eq!(api.list(send("\"one\"", 3)).await, (Some(3), 1), "the condition was ignored");
    assert_eq!(api.list(send("\"one\"", 3)).await, (None, 1));
    assert_eq!(api.list(send("\"one\"", 4)).await, (Some(4), 1), "a tag that never changes proves nothing");
    assert_eq!(api.list(send("\"two\"", 4)).await, (Some(4), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_breaks_off_is_a_failed_call_however_well_it_began() {
    let body = list(300);
    let mut api = Api::start().await;
    assert_eq!(api.list(chunked(&[], &body)).await, (Some(300), 1));
    let mut cut = chunked(&[], &body);
    cut.truncate(cut.len() - 5);
    let failed = api.try_list(Reaction::SendAndClose(cut, Duration::ZERO)).await.expect_err("it broke off");
    assert_eq!(failed.result, CallResult::Connect);
    assert_eq!(api.list(chunked(&[], &body)).await, (None, 1));
}
