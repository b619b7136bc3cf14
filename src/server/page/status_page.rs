//! The page as a whole.

use askama::Template;

use delivery_ledger::UnixMillis;

use super::card::{AttentionCard, card};
use super::clocks::{Clocks, Moment, moment};
use super::headline::headline;
use super::notes::{Note, notes};
use super::row::{QuietRow, row};
use super::state::WebhookState;
use crate::snapshot::{Overview, WebhookRow};

/// How often the page asks for itself again.
const RELOAD_SECONDS: u32 = 30;

/// The page that shows `overview` at `now`, by the local clock.
#[must_use]
pub fn render(overview: &Overview, now: UnixMillis, telemetry_path: &str, version: &str) -> String {
    let view = StatusPage::new(overview, now, telemetry_path, version);
    view.render().unwrap_or_else(|error| {
        tracing::error!(%error, "failed to render the page");
        String::from("failed to render the page\n")
    })
}

#[derive(Template)]
#[template(path = "page.html", whitespace = "minimize")]
struct StatusPage<'a> {
    title: String,
    tone: &'static str,
    headline: String,
    /// What is to be said about the picture as a whole.
    notes: Vec<Note>,
    broken: Vec<AttentionCard>,
    sections: Vec<Section>,
    made_at: Moment,
    listed: Option<Moment>,
    reload_seconds: u32,
    telemetry_path: &'a str,
    version: &'a str,
}

/// Webhooks of one state that need none.
struct Section {
    heading: &'static str,
    state: WebhookState,
    rows: Vec<QuietRow>,
}

impl<'a> StatusPage<'a> {
    fn new(overview: &Overview, now: UnixMillis, telemetry_path: &'a str, version: &'a str) -> Self {
        let clocks = Clocks::of(overview, now);
        let mut webhooks: Vec<(WebhookState, &WebhookRow)> =
            overview.webhooks.iter().map(|webhook| (WebhookState::of(webhook, overview, now), webhook)).collect();
        // The longest trouble first, and the rest as one looks it up.
        webhooks.sort_by_cached_key(|(state, webhook)| {
            let since = if state.needs_attention() { webhook.failing_since.or(webhook.read_at) } else { None };
            (*state, since.unwrap_or(UnixMillis::MAX), webhook.label.to_lowercase(), webhook.id.clone())
        });

        let (broken, quiet): (Vec<_>, Vec<_>) = webhooks.iter().partition(|(state, _)| state.needs_attention());
        let mut sections: Vec<Section> = Vec::new();
        for (state, webhook) in quiet {
            if sections.last().is_none_or(|section| section.state != state) {
                sections.push(Section { heading: heading(state), state, rows: Vec::new() });
            }
            if let Some(section) = sections.last_mut() {
                section.rows.push(row(webhook, &clocks));
            }
        }

        let is_down = overview.is_api_up == Some(false);
        let (tone, headline) = headline(overview, &webhooks, clocks.server_now);
        let title = match broken.len() {
            0 if is_down => String::from("API not readable · Cotalker webhooks"),
            0 => String::from("Cotalker webhooks"),
            some => format!("({some}) Cotalker webhooks"),
        };
        StatusPage {
            title,
            tone: tone.class(),
            headline,
            notes: notes(overview, &clocks),
            broken: broken.into_iter().map(|(state, webhook)| card(state, webhook, &clocks)).collect(),
            sections,
            made_at: moment(now, String::new()),
            listed: overview.listed_at.map(|at| clocks.local_ago(at)),
            reload_seconds: RELOAD_SECONDS,
            telemetry_path,
            version,
        }
    }
}

const fn heading(state: WebhookState) -> &'static str {
    match state {
        WebhookState::Unread => "Not read yet",
        WebhookState::Inactive => "Switched off",
        WebhookState::Healthy => "Delivering",
        WebhookState::Blocked
        | WebhookState::Failing
        | WebhookState::Lost
        | WebhookState::Unreadable
        | WebhookState::Stale => "Needs attention",
    }
}
