//! The body of a response as it comes over the network, compressed or not.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use delivery_ledger::fleet::BodyDigests;
use http::HeaderMap;
use reqwest::{Error, Response};

use super::digester::{DigestKey, Digester};
use super::lock::lock;

/// So much of a body is held while it looks like the one before. One that differs further down has to be asked for again. A
/// convention: more than most logs have, and little even of several calls at once.
const MOST_HELD_BYTES: usize = 256 * 1024;

/// A body of which some has come.
pub(super) struct Arriving {
    response: Response,
    /// What has come and was not handed on.
    held: VecDeque<Bytes>,
    tally: Arc<Mutex<Tally>>,
}

/// What has come of a body. Shared with who reads it through decoders.
#[derive(Default)]
pub(super) struct Tally {
    length: u64,
    digester: Option<Digester>,
}

impl Tally {
    fn add(&mut self, chunk: &Bytes) {
        self.length = self.length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if let Some(digester) = &mut self.digester {
            digester.update(chunk);
        }
    }

    /// Bytes so far.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// The digests of a body that is whole, if they were wanted.
    pub(super) fn digests(&mut self, decoded_length: u64) -> Option<BodyDigests> {
        self.digester.take().map(|digester| digester.finish(decoded_length))
    }
}

/// What a body is, compared with the one before.
pub(super) enum Compared {
    /// The same.
    Same,
    /// Another one, of which nothing has been dropped.
    Other(Arriving),
    /// Another one, whose beginning is gone: it was that of the one before.
    TooLate,
}

impl Arriving {
    pub(super) fn of(response: Response) -> Self {
        Self { response, held: VecDeque::new(), tally: Arc::default() }
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Whether it may be so long, as far as its head says.
    pub(super) fn may_have_length(&self, length: u64) -> bool {
        self.response.content_length().is_none_or(|said| said == length)
    }

    pub(super) fn tally(&self) -> Arc<Mutex<Tally>> {
        Arc::clone(&self.tally)
    }

    /// From here on digests are made of it. Nothing of it must have come.
    pub(super) fn digest(&mut self, key: DigestKey) {
        lock(&self.tally).digester = Some(Digester::new(key));
    }

    /// The next bytes; `None` at the end of a body that is whole.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        match self.held.pop_front() {
            Some(chunk) => Ok(Some(chunk)),
            None => self.receive().await,
        }
    }

    async fn receive(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self.response.chunk().await?;
        if let Some(chunk) = &chunk {
            lock(&self.tally).add(chunk);
        }
        Ok(chunk)
    }

    /// Takes in the body for as long as it looks like the one with these digests. It must be digested with the same key.
    pub(super) async fn compare(mut self, known: &BodyDigests) -> Result<Compared, Error> {
        let (mut held_bytes, mut is_whole) = (0, true);
        loop {
            let chunk = self.receive().await?;
            let is_at_end = chunk.is_none();
            let looks_the_same = lock(&self.tally).digester.as_ref().is_some_and(|digester| match is_at_end {
                true => digester.is(known),
                false => digester.may_become(known),
            });
            held_bytes += chunk.as_ref().map_or(0, Bytes::len);
            self.held.extend(chunk.filter(|_| is_whole));
            match (looks_the_same, is_at_end) {
                (true, true) => return Ok(Compared::Same),
                (true, false) if held_bytes > MOST_HELD_BYTES => {
                    self.held.clear();
                    is_whole = false;
                }
                (true, false) => {}
                (false, _) if is_whole => return Ok(Compared::Other(self)),
                (false, _) => return Ok(Compared::TooLate),
            }
        }
    }
}
