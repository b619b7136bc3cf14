//! What to know about the data as a whole before one relies on it.

use super::clocks::Clocks;
use crate::snapshot::{Overview, Part};
use crate::webhook_state::{Tone, is_stale};
use crate::words::Words;

/// One note, above everything else.
pub(super) struct Note {
    pub(super) tone: &'static str,
    pub(super) text: String,
}

/// The notes, the most important one first. An API that cannot be read is no note: it has a card.
pub(super) fn notes(overview: &Overview, clocks: &Clocks) -> Vec<Note> {
    let words = clocks.words;
    let labels = words.labels();
    let note = |tone: Tone, text: String| Note { tone: tone.class(), text };
    let mut notes = Vec::new();
    notes.extend(note_on_replicas(overview, words));
    match overview.is_api_up {
        Some(false) => {}
        None if overview.webhooks.is_empty() => notes.push(note(Tone::Idle, labels.no_data.to_owned())),
        None => notes.push(note(Tone::Idle, labels.first_poll_runs.to_owned())),
        Some(true) => {
            if let Some(at) = overview.listed_at
                && is_stale(at, overview.poll_interval_millis, clocks.now)
            {
                let read = clocks.local_age(at);
                notes.push(note(Tone::Doubtful, words.list_stale(overview.poll_interval_millis, read)));
            }
            if overview.webhooks.is_empty() {
                notes.push(note(Tone::Idle, labels.nothing_listed.to_owned()));
            }
        }
    }
    if overview.dropped > 0 {
        notes.push(note(Tone::Doubtful, words.over_limit(overview.dropped)));
    }
    notes
}

/// What this replica's part means for what the page shows.
fn note_on_replicas(overview: &Overview, words: &dyn Words) -> Option<Note> {
    let (tone, text) = match overview.part {
        Part::Leads => return None,
        Part::StandsBy => (Tone::Idle, words.stands_by(overview.poll_interval_millis)),
        Part::LeadsUnsure => (Tone::Doubtful, words.labels().leads_unsure.to_owned()),
    };
    Some(Note { tone: tone.class(), text })
}
