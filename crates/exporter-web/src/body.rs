//! A body of several shared pieces.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// The most that is handed to the connection at once: large enough that a write is worth its call, small enough that
/// a stream that has to copy (TLS) copies little.
const LARGEST_FRAME: usize = 256 * 1024;

/// Pieces that are sent one after the other without being copied together. Knows its length.
#[derive(Debug)]
pub struct Pieces(VecDeque<Bytes>);

impl Pieces {
    /// A body of these pieces, in this order.
    pub fn new(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self(pieces.into_iter().filter(|piece| !piece.is_empty()).collect())
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(piece) = self.0.front_mut() else { return Poll::Ready(None) };
        let data = piece.split_to(piece.len().min(LARGEST_FRAME));
        if piece.is_empty() {
            self.0.pop_front();
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| u64::try_from(piece.len()).unwrap_or(u64::MAX)).sum())
    }
}
