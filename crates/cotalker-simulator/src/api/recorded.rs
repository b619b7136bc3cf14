//! A call is under way until its response has been sent, or given up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};

use super::recorder::Endpoint;
use super::shared::Shared;

/// Ends the record of a call when its response has been sent, or given up.
pub(crate) struct UnderWay(Arc<Shared>, Endpoint);

impl UnderWay {
    pub(crate) const fn new(shared: Arc<Shared>, endpoint: Endpoint) -> Self {
        Self(shared, endpoint)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().recorder.ended(self.1);
    }
}

/// A body whose call is under way until it is sent. It announces its length if the one inside does.
pub(crate) struct Recorded {
    body: Body,
    _under_way: UnderWay,
}

impl Recorded {
    pub(crate) const fn new(body: Body, under_way: UnderWay) -> Self {
        Self { body, _under_way: under_way }
    }
}

impl hyper::body::Body for Recorded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
