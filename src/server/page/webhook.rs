//! What cards and rows both say of a webhook.

use crate::snapshot::WebhookRow;
use crate::words::{clip, grouped};

/// Which webhook it is.
pub(super) struct Identity {
    pub(super) label: String,
    pub(super) name: String,
    /// The receiver, the trigger and the id, as far as they are known.
    pub(super) particulars: Vec<String>,
}

impl Identity {
    pub(super) fn of(webhook: &WebhookRow) -> Self {
        let name = if webhook.name == webhook.label { "" } else { &webhook.name };
        let particulars = [&webhook.target_host, &webhook.trigger, &webhook.id];
        Self {
            label: clip(&webhook.label),
            name: clip(name),
            particulars: particulars.into_iter().filter(|text| !text.is_empty()).map(|text| clip(text)).collect(),
        }
    }
}

/// What is worth knowing about a webhook in whatever state.
pub(super) fn remarks(webhook: &WebhookRow) -> Option<String> {
    (webhook.gaps > 0).then(|| {
        let polls = if webhook.gaps == 1 { "A poll".into() } else { format!("{} polls", grouped(webhook.gaps)) };
        format!(
            "{polls} had no overlap with the previous poll: entries may have been missed, and counts may be too low."
        )
    })
}
