//! What goes into the fleet and what comes out: plain values, no I/O.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use crate::id::{AttemptId, WebhookId};
use crate::label_set;
use crate::ledger::Ledger;
use crate::now::Now;
use crate::time::UnixMillis;
use crate::window::Retention;

/// Tells one call from another, so that a response that was overtaken by a newer call changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(super) u64);

/// What a response that has been taken in is known by, should it come again: to be handed back with the next call of its
/// kind. Made and understood by who makes the calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseMark {
    /// The `ETag` that it came with: opaque bytes.
    pub etag: Option<Arc<[u8]>>,
    /// Its body.
    pub body: Option<BodyMark>,
}

/// What the body of a response is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyMark {
    /// Its digests.
    Digests(Arc<BodyDigests>),
    /// Its end has changed before while its beginning, which is too long to be kept, had not: it is read whole each time.
    ReadWhole,
}

/// Digests of a body as it came over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyDigests {
    /// Of each of its blocks, of a length that whoever makes them knows. The last one may be shorter.
    pub blocks: Box<[u128]>,
    /// How many bytes it has.
    pub length: u64,
    /// How many bytes it has after decompression.
    pub decoded_length: u64,
}

/// A list, as the origin of a floor: what is dated up to it is history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The server's time that it came with.
    pub at: UnixMillis,
    /// When it came.
    pub came_at: Now,
}

/// How far a failure of a call reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This call only; others may work.
    Call,
    /// There is no such webhook.
    Gone,
    /// The whole API: further calls would fail the same way.
    Api,
}

/// Why a call failed, as far as the fleet has to know.
pub trait CallFailure: Clone {
    /// How far it reaches.
    fn reach(&self) -> Reach;

    /// Whether it is the same news as `other`: then it is not logged again.
    fn is_like(&self, other: &Self) -> bool;

    /// How long the server asks to leave this one target alone.
    fn retry_after(&self) -> Option<Duration>;
}

label_set! {
    /// How a poll ended.
    PollResult {
        /// The list and every log could be read.
        Ok = "ok",
        /// The list could be read, and some log could not.
        Partial = "partial",
        /// The list could not be read.
        Failed = "failed",
    }
}

/// What the shell has to do. Effects are carried out in order.
#[derive(Clone, Debug)]
pub enum Effect<E> {
    /// Read the list.
    List {
        /// The call to name in the response.
        call: CallId,
        /// What to ask with.
        mark: Option<ResponseMark>,
    },
    /// Read one webhook by its id.
    Describe {
        /// The call to name in the response.
        call: CallId,
        /// Which webhook.
        id: WebhookId,
    },
    /// Read one log against its ledger.
    ReadLog {
        /// The call to name in the response.
        call: CallId,
        /// Which webhook.
        id: WebhookId,
        /// The ledger as it is now. The shell only reads it.
        ledger: Arc<Ledger>,
        /// What to ask with.
        mark: Option<ResponseMark>,
        /// For a ledger that has not taken in a response: the list that its floor follows from. By the time that the log
        /// responds more is known of the server's time.
        listed: Option<Listed>,
    },
    /// Save and show how things stand now.
    Show,
    /// Log one line.
    Notice(Notice<E>),
    /// A poll ended.
    PollEnded {
        /// How.
        result: PollResult,
        /// How long it took.
        took: Duration,
    },
    /// So many polls were left out because the previous one was still running.
    PollsSkipped(u64),
}

/// Which webhook a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its id.
    pub id: WebhookId,
    /// Its code, or its id where it has none.
    pub label: String,
}

/// Something that is worth one line in the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice<E> {
    /// The list could not be read, for a new reason.
    ListFailed(E),
    /// The list can be read again.
    ListRecovered,
    /// The checkpoint is of another API or company.
    OtherAccount {
        /// What the checkpoint was about.
        before: String,
        /// What is polled now.
        now: String,
    },
    /// The list has malformed entries, and had none before.
    ListMalformed(usize),
    /// There are more webhooks than the limit, and were not before.
    OverLimit(usize),
    /// Logs are read this often from now on: the limit of the rate does not let all of them be read each interval, or it
    /// does so again.
    ReadInterval {
        /// How many there are.
        webhooks: usize,
        /// The time between two reads of each.
        interval: Duration,
    },
    /// A webhook is watched that was not there before.
    Appeared(Subject),
    /// A webhook that vanished is back.
    Returned(Subject),
    /// A webhook is gone from the list.
    Vanished(Subject),
    /// A log could not be read, for a new reason.
    LogFailed(Subject, E),
    /// So many logs could not be read in one poll, for new reasons; one of them as an example.
    LogsFailed(usize, Subject, E),
    /// A log can be read again.
    LogRecovered(Subject),
    /// So many logs can be read again since the last poll.
    LogsRecovered(usize),
    /// It was learnt how a log lets go of entries, in another way than was known before.
    LogLearnt(Subject, Retention),
    /// The same was learnt of so many logs in one poll.
    LogsLearnt(usize),
    /// Events of a webhook were lost.
    Lost {
        /// Whose they are.
        subject: Subject,
        /// How many were lost since the last line.
        lost: u64,
        /// The log entry of the one that was lost last: its newest failed attempt.
        newest: AttemptId,
    },
    /// Entries of a log may have been missed.
    Gap(Subject),
    /// A log has entries that are left out, and had none before.
    LeftOut {
        /// Whose log.
        subject: Subject,
        /// Malformed entries.
        malformed: u64,
        /// Entries of another webhook.
        foreign: u64,
    },
    /// The log no longer reaches back to a restored checkpoint; the webhook's counts start from 0.
    Reset(Subject),
    /// So many further notices about single webhooks of this poll were left out.
    Suppressed(u32),
}
