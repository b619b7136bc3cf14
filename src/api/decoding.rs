//! Bodies of responses as they were before their compression.
//!
//! The HTTP client could decompress too, but not name a limit: a zstd frame may ask for 128 MiB of memory, and a server
//! may send several gzip members, name its encoding in capitals, or compress twice.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use bytes::Bytes;
use delivery_ledger::fleet::BodyDigests;
use futures::stream::try_unfold;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader};
use tokio_util::io::StreamReader;

use super::arriving::{Arriving, Tally};
use super::cause::Malformation;
use super::error::CallError;
use super::fetched::Transfer;
use super::lock::lock;

/// What the exporter asks for.
pub(super) const ACCEPTED: &str = "gzip, br, zstd";

/// The largest window of a zstd frame, as a power of two: 8 MiB. Source: RFC 9659.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The most encodings on top of each other. A convention: a server and a proxy that both compress make two.
const MOST_ENCODINGS: usize = 3;

/// How much is decompressed at once: so much that of the usual log entries hardly one in forty comes in two pieces, which
/// costs more to read.
const CHUNK_BYTES: usize = 128 * 1024;

/// A body, chunk by chunk.
pub(super) struct Decoded {
    body: Body,
    encodings: Vec<Encoding>,
    /// What came.
    tally: Arc<Mutex<Tally>>,
    /// Bytes after decompression.
    bytes: u64,
}

enum Body {
    /// It is not compressed.
    Plain { arriving: Arriving, chunk: Option<Bytes> },
    /// It is, once or more often. So many bytes of the reader's buffer have been handed out.
    Compressed { reader: Pin<Box<dyn AsyncBufRead + Send>>, taken: usize },
}

#[derive(Clone, Copy)]
enum Encoding {
    Gzip,
    Brotli,
    Zstd,
}

impl Encoding {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

impl Decoded {
    /// The body that is arriving.
    ///
    /// # Errors
    ///
    /// If it has an encoding that was not asked for, or too many.
    pub(super) fn of(arriving: Arriving) -> Result<Self, CallError> {
        let encodings = encodings(arriving.headers())?;
        let tally = arriving.tally();
        if encodings.is_empty() {
            return Ok(Self { body: Body::Plain { arriving, chunk: None }, encodings, tally, bytes: 0 });
        }
        let chunks = try_unfold(arriving, |mut arriving| async {
            let chunk = arriving.chunk().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>(chunk.map(|chunk| (chunk, arriving)))
        });
        let body: Pin<Box<dyn AsyncBufRead + Send>> = Box::pin(StreamReader::new(Box::pin(chunks)));
        // They are named in the order in which they were applied. Source: RFC 9110, section 8.4.
        let reader = encodings.iter().rev().copied().fold(body, decoder);
        Ok(Self { body: Body::Compressed { reader, taken: 0 }, encodings, tally, bytes: 0 })
    }

    /// The next bytes; `None` at the end of a body that is whole.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or the compression does.
    pub(super) async fn chunk(&mut self) -> Result<Option<&[u8]>, CallError> {
        let chunk = match &mut self.body {
            Body::Plain { arriving, chunk } => {
                *chunk = arriving.chunk().await.map_err(CallError::from_transport)?;
                chunk.as_deref()
            }
            Body::Compressed { reader, taken } => {
                reader.consume(std::mem::take(taken));
                let decompressed = reader.fill_buf().await.map_err(failure)?;
                *taken = decompressed.len();
                (!decompressed.is_empty()).then_some(decompressed)
            }
        };
        let length = chunk.map_or(0, |chunk| u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        self.bytes = self.bytes.saturating_add(length);
        Ok(chunk)
    }

    /// The digests of a body that has ended, if they were wanted.
    pub(super) fn digests(&self) -> Option<BodyDigests> {
        lock(&self.tally).digests(self.bytes)
    }

    /// How it came so far.
    pub(super) fn transfer(&self) -> Transfer {
        let received_bytes = lock(&self.tally).length();
        let encodings = self.encodings.iter().map(|encoding| encoding.as_str()).collect();
        Transfer { encodings, received_bytes, bytes: self.bytes }
    }
}

fn decoder(compressed: Pin<Box<dyn AsyncBufRead + Send>>, encoding: Encoding) -> Pin<Box<dyn AsyncBufRead + Send>> {
    match encoding {
        Encoding::Gzip => {
            let mut decoder = GzipDecoder::new(compressed);
            decoder.multiple_members(true);
            Box::pin(BufReader::with_capacity(CHUNK_BYTES, decoder))
        }
        Encoding::Brotli => Box::pin(BufReader::with_capacity(CHUNK_BYTES, BrotliDecoder::new(compressed))),
        Encoding::Zstd => {
            let mut decoder = ZstdDecoder::with_params(compressed, &[DParameter::window_log_max(ZSTD_WINDOW_LOG)]);
            decoder.multiple_members(true);
            Box::pin(BufReader::with_capacity(CHUNK_BYTES, decoder))
        }
    }
}

/// The encodings that the headers name, in their order.
fn encodings(headers: &HeaderMap) -> Result<Vec<Encoding>, CallError> {
    let mut encodings = Vec::new();
    for header in headers.get_all(CONTENT_ENCODING) {
        for name in header.to_str().unwrap_or("?").split(',').map(str::trim) {
            encodings.push(match name.to_ascii_lowercase().as_str() {
                "" | "identity" => continue,
                "gzip" | "x-gzip" => Encoding::Gzip,
                "br" => Encoding::Brotli,
                "zstd" => Encoding::Zstd,
                _ => return Err(CallError::malformed(Malformation::UnknownEncoding)),
            });
        }
    }
    if encodings.len() > MOST_ENCODINGS {
        return Err(CallError::malformed(Malformation::TooManyEncodings));
    }
    Ok(encodings)
}

/// What went wrong: the connection, whose error comes through the decoders as it is, or the compressed bytes.
fn failure(error: io::Error) -> CallError {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => CallError::from_transport(error),
        Err(_) => CallError::malformed(Malformation::Compression),
    }
}
