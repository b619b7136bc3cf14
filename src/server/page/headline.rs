//! The headline: how everything stands, in one sentence.

use delivery_ledger::UnixMillis;

use super::entry::Entry;
use crate::snapshot::Overview;
use crate::webhook_state::{Tone, WebhookState, recently_lost, server_time};
use crate::words::{Calm, Headline, Summary, Troubles};

/// The state of everything, and how bad it is.
pub(super) fn headline(overview: &Overview, entries: &[Entry<'_>], now: UnixMillis) -> (Tone, Headline) {
    match (overview.is_api_up, entries) {
        (None, []) => (Tone::Idle, Headline::FirstPoll),
        (Some(true), []) => (Tone::Idle, Headline::NoWebhooks),
        (Some(false), []) => (Tone::Bad, Headline::NoData),
        (Some(false), _) => (Tone::Bad, Headline::LastKnown(summary(overview, entries, now).1)),
        (None | Some(true), _) => {
            let (tone, summary) = summary(overview, entries, now);
            (tone, Headline::Known(summary))
        }
    }
}

/// The state of the webhooks, of which there is at least one. What only the API hides is told as it was.
fn summary(overview: &Overview, entries: &[Entry<'_>], now: UnixMillis) -> (Tone, Summary) {
    let mut counts = [0_u64; WebhookState::ALL.len()];
    let (mut worst, mut broken, mut lost_events) = (Tone::Good, 0, 0_u64);
    let server_now = server_time(overview, now);
    for entry in entries {
        let is_hidden = entry.is_hidden_by_api();
        let state = if is_hidden { WebhookState::last_known(entry.webhook, overview, now) } else { entry.state };
        if let Some(count) = counts.get_mut(state.index()) {
            *count += 1;
        }
        broken += u64::from(state.needs_attention());
        worst = worst.min(state.tone());
        lost_events = lost_events.saturating_add(recently_lost(entry.webhook, server_now));
    }
    let count = |state: WebhookState| counts.get(state.index()).copied().unwrap_or_default();
    if broken > 0 {
        let troubles = Troubles {
            all: u64::try_from(entries.len()).unwrap_or(u64::MAX),
            broken,
            blocked: count(WebhookState::Blocked),
            failing: count(WebhookState::Failing),
            unreadable: count(WebhookState::Unreadable),
            stale: count(WebhookState::Stale),
            lost_events,
        };
        return (worst, Summary::Trouble(troubles));
    }
    let calm = Calm {
        healthy: count(WebhookState::Healthy),
        unread: count(WebhookState::Unread),
        inactive: count(WebhookState::Inactive),
    };
    (if calm.healthy == 0 { Tone::Idle } else { Tone::Good }, Summary::Calm(calm))
}
