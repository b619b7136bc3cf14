//! Where counting of a webhook starts: one function for each way in which a webhook comes to be watched.

use crate::attempt::Position;
use crate::id::WebhookId;
use crate::time::UnixMillis;

/// What a first start without state does with entries that are already in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// They are history and do not count.
    Ignore,
    /// They count.
    Count,
}

/// The floor of a webhook that the first list shows, or that is named by its id: everything dated up to the second of
/// that response is history.
#[must_use]
pub fn first_start(history: History, listed_at: UnixMillis) -> Position {
    match history {
        History::Ignore => Position::after(listed_at.end_of_second()),
        History::Count => Position::START,
    }
}

/// The floor of a webhook that was not in the previous list of this process. It did not exist then, so all that it did
/// in that second counts.
#[must_use]
pub fn appeared(previous_list: UnixMillis) -> Position {
    Position::before(previous_list.start_of_second())
}

/// The floor of a webhook that the first list after a restart shows and that the state does not know. One that is older
/// than the last list before the restart was there all the time and not watched (another token, another filter): its
/// past is history. A younger one counts from its beginning.
#[must_use]
pub fn after_restart(id: WebhookId, last_list: UnixMillis, listed_at: UnixMillis) -> Position {
    if id.0.made_at() < last_list.start_of_second() {
        Position::after(listed_at.end_of_second())
    } else {
        Position::START
    }
}

/// The floor of a webhook whose counts start from 0 again because its log no longer reaches back to what was counted.
#[must_use]
pub fn reset(read_at: UnixMillis) -> Position {
    Position::after(read_at.end_of_second())
}
