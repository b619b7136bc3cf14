//! What to know about the data as a whole before one relies on it.

use super::clocks::{Clocks, Moment};
use super::state::{Tone, is_stale};
use crate::snapshot::{Overview, Part};
use crate::words::{capitalised, clip, every, plural};

/// One note, above everything else.
pub(super) struct Note {
    pub(super) tone: &'static str,
    pub(super) text: String,
    pub(super) when: Option<Moment>,
}

/// The notes, the most important one first.
pub(super) fn notes(overview: &Overview, clocks: &Clocks) -> Vec<Note> {
    let mut notes = Vec::new();
    notes.extend(note_on_replicas(overview));
    match overview.is_api_up {
        Some(false) => {
            let problem = overview.api_problem.as_deref().unwrap_or("the exporter's log says why");
            let consequence = match overview.listed_at {
                Some(_) => "The data is stale, and no count changes. The list of webhooks was last read",
                None => "The list of webhooks has not been read since the start.",
            };
            notes.push(Note {
                tone: Tone::Bad.class(),
                text: format!("{}. {consequence}", capitalised(&clip(problem.trim_end_matches('.')))),
                when: overview.listed_at.map(|at| clocks.local_ago(at)),
            });
        }
        None if overview.webhooks.is_empty() => notes.push(Note {
            tone: Tone::Idle.class(),
            text: String::from("There is no data yet. Webhooks appear here once the list of webhooks has been read."),
            when: None,
        }),
        None => notes.push(Note {
            tone: Tone::Idle.class(),
            text: String::from("The first poll since the start is still running. The data is from before the start."),
            when: None,
        }),
        Some(true) => {
            if let Some(at) = overview.listed_at
                && is_stale(at, overview, clocks.now)
            {
                let interval = every(overview.poll_interval_millis);
                notes.push(Note {
                    tone: Tone::Doubtful.class(),
                    text: format!(
                        "The data is stale: a poll is due {interval}, but the list of webhooks was last read"
                    ),
                    when: Some(clocks.local_ago(at)),
                });
            }
            if overview.webhooks.is_empty() {
                notes.push(Note {
                    tone: Tone::Idle.class(),
                    text: String::from(
                        "The API can be read, but lists no webhook to watch. If it should, check --cotalker.company, the \
                         token's permissions, --webhook.include and --webhook.exclude.",
                    ),
                    when: None,
                });
            }
        }
    }
    if overview.dropped > 0 {
        let verb = if overview.dropped == 1 { "is" } else { "are" };
        notes.push(Note {
            tone: Tone::Doubtful.class(),
            text: format!(
                "{} {verb} not watched and not shown: there are more than --webhook.limit.",
                plural(overview.dropped, "further webhook")
            ),
            when: None,
        });
    }
    notes
}

/// What this replica's part means for what the page shows.
fn note_on_replicas(overview: &Overview) -> Option<Note> {
    let (tone, text) = match overview.part {
        Part::Leads => return None,
        Part::StandsBy => {
            let interval = every(overview.poll_interval_millis);
            let text =
                format!("Standby: another replica polls each interval. This one polls {interval}, so its data lags.");
            (Tone::Idle, text)
        }
        Part::LeadsUnsure => {
            let text =
                "The Lease can be neither read nor renewed, so this replica polls as if it held it. The log says why.";
            (Tone::Doubtful, text.to_owned())
        }
    };
    Some(Note { tone: tone.class(), text, when: None })
}
