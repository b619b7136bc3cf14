//! Compressed responses, in every form that a server may give them.

use std::io::Write as _;

use async_compression::Level;
use async_compression::tokio::write::{BrotliEncoder, ZstdEncoder};
use async_compression::zstd::CParameter;
use cotalker_webhook_exporter::api::call::CallResult;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::AsyncWriteExt as _;

use crate::responder::{Responder, response};

/// A list of so many webhooks.
fn list(webhooks: usize) -> String {
    let webhooks: Vec<String> =
        (0..webhooks).map(|number| format!(r#"{{"_id":"{number:024x}","code":"hook_{number}"}}"#)).collect();
    format!("[{}]", webhooks.join(","))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

async fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = BrotliEncoder::new(Vec::new());
    encoder.write_all(bytes).await.expect("compressed");
    encoder.shutdown().await.expect("compressed");
    encoder.into_inner()
}

/// A zstd frame whose decompression needs a window of 2 to the power of `window_log`.
async fn zstd(bytes: &[u8], window_log: u32) -> Vec<u8> {
    let window = [CParameter::window_log(window_log)];
    let mut encoder = ZstdEncoder::with_quality_and_params(Vec::new(), Level::Default, &window);
    // Two steps, so that the frame is not made for its length.
    encoder.write_all(&bytes[..1]).await.expect("compressed");
    encoder.flush().await.expect("compressed");
    encoder.write_all(&bytes[1..]).await.expect("compressed");
    encoder.shutdown().await.expect("compressed");
    encoder.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_compression_is_read() {
    let text = list(3);
    let (start, end) = text.as_bytes().split_at(40);
    let two = |one: Vec<u8>, other: Vec<u8>| [one, other].concat();
    for (headers, body) in [
        (&["Content-Encoding: gzip"][..], two(gzip(start), gzip(end))),
        (&["Content-Encoding: gzip"], two(gzip(text.as_bytes()), gzip(b""))),
        (&["Content-Encoding: GZIP"], gzip(text.as_bytes())),
        (&["content-encoding: X-Gzip"], gzip(text.as_bytes())),
        (&["Content-Encoding: gzip, gzip"], gzip(&gzip(text.as_bytes()))),
        (&["Content-Encoding: gzip", "Content-Encoding: br"], brotli(&gzip(text.as_bytes())).await),
        (&["Content-Encoding: identity, BR,"], brotli(text.as_bytes()).await),
        (&["Content-Encoding: Identity"], text.clone().into_bytes()),
        (&["Content-Encoding: zstd"], zstd(text.as_bytes(), 23).await),
        (&["Content-Encoding: zstd"], two(zstd(start, 20).await, zstd(end, 10).await)),
    ] {
        let server = Responder::always(response("200 OK", headers, body)).await;
        match server.client().0.list(None).await {
            Ok(cotalker_webhook_exporter::api::Fetched::Fresh { value, .. }) => {
                assert_eq!((value.webhooks.len(), value.malformed), (3, 0), "{headers:?}");
            }
            other => panic!("{headers:?}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_short_or_damaged_or_asks_for_too_much_is_refused() {
    let text = list(300);
    let cut = |mut bytes: Vec<u8>| {
        bytes.truncate(bytes.len() - 5);
        bytes
    };
    for (encoding, body) in [
        ("gzip", cut(gzip(text.as_bytes()))),
        ("gzip", [gzip(text.as_bytes()), cut(gzip(b" "))].concat()),
        ("br", cut(brotli(text.as_bytes()).await)),
        ("zstd", cut(zstd(text.as_bytes(), 20).await)),
        ("zstd", zstd(text.as_bytes(), 24).await),
        ("zstd", zstd(text.as_bytes(), 27).await),
        ("gzip", text.clone().into_bytes()),
        ("deflate", gzip(text.as_bytes())),
        ("gzip, gzip, gzip, gzip", gzip(&gzip(&gzip(&gzip(text.as_bytes()))))),
    ] {
        let header = format!("Content-Encoding: {encoding}");
        let server = Responder::always(response("200 OK", &[&header], body)).await;
        let error = server.client().0.list(None).await.expect_err(encoding);
        assert_eq!(error.result, CallResult::Malformed, "{encoding}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_is_on_what_is_decompressed() {
    let text = list(2_000);
    let server = Responder::always(response("200 OK", &["Content-Encoding: gzip"], gzip(text.as_bytes()))).await;
    let mut settings = server.settings();
    settings.max_response_bytes = u64::try_from(text.len()).expect("a length");
    crate::responder::client(settings.clone()).0.list(None).await.expect("a list");
    settings.max_response_bytes -= 1;
    let error = crate::responder::client(settings).0.list(None).await.expect_err("too much");
    assert_eq!(error.result, CallResult::TooLarge);
}
