//! What cards and rows both say of a webhook.

use crate::snapshot::WebhookRow;
use crate::webhook_state::WebhookState;
use crate::words::Words;

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
            label: webhook.label.clone(),
            name: name.to_owned(),
            particulars: particulars.into_iter().filter(|text| !text.is_empty()).cloned().collect(),
        }
    }
}

/// A state as it is shown.
pub(super) struct Chip {
    pub(super) class: &'static str,
    pub(super) symbol: &'static str,
    pub(super) word: &'static str,
}

impl Chip {
    pub(super) fn of(state: WebhookState, words: &dyn Words) -> Self {
        Self { class: state.tone().class(), symbol: state.symbol(), word: words.state(state) }
    }
}

/// What is worth knowing about a webhook in whatever state.
pub(super) fn remarks(webhook: &WebhookRow, words: &dyn Words) -> Option<String> {
    (webhook.gaps > 0).then(|| words.gaps(webhook.gaps))
}
