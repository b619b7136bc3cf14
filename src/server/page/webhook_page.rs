//! One webhook: how it stands, why, and which events to send again.

use std::fmt;

use askama::Template;

use super::card::{Card, Fact, api_card, facts};
use super::clocks::{Clocks, Moment, moment};
use super::entry::Entry;
use super::favicon::favicon;
use super::replay_row::ReplayRow;
use super::story::{LOST, Story, story};
use super::view::View;
use super::webhook::{Chip, Identity};
use crate::snapshot::{Overview, WebhookRow};
use crate::words::{Labels, Words, format};

/// Of more pending events than this only the newest are listed: a page is bounded, whatever happens. As many as of the lost
/// ones: docs/specification.md, rule 11.
const MOST_PENDING: usize = delivery_ledger::MAX_LOST;

/// So many lines of a table are shown at once. A convention: three screens of a phone.
const MOST_AT_ONCE: usize = 10;

/// Writes the page of a webhook; says whether there is one with this id.
///
/// # Errors
///
/// If writing fails.
pub(crate) fn write_webhook_page(
    overview: &Overview,
    id: &str,
    view: &View,
    to: &mut impl fmt::Write,
) -> Result<bool, fmt::Error> {
    let Some(webhook) = overview.webhooks.find(&id.to_ascii_lowercase()) else { return Ok(false) };
    WebhookPage::new(overview, webhook, view).render_into(to).map_err(|_| fmt::Error)?;
    Ok(true)
}

#[derive(Template)]
#[template(path = "webhook.html", whitespace = "minimize")]
struct WebhookPage<'a> {
    view: &'a View,
    labels: &'static Labels,
    title: String,
    icon: &'static str,
    chip: Chip,
    who: Identity,
    as_of: Moment,
    api: Option<Card>,
    story: Story,
    facts: Vec<Fact>,
    tables: [Table; 3],
}

/// Events or attempts.
struct Table {
    /// Where on the page it is.
    id: &'static str,
    heading: &'static str,
    /// How many there are, if that is known.
    count: Option<String>,
    /// The newest, and the rest.
    rows: Vec<ReplayRow>,
    others: Vec<ReplayRow>,
    /// The words that the rest is folded behind.
    more: String,
    /// That there are more, or none.
    remark: Option<String>,
    /// What the time of the attempt is called.
    attempt: &'static str,
    has_settled: bool,
}

impl<'a> WebhookPage<'a> {
    fn new(overview: &Overview, webhook: &WebhookRow, view: &'a View) -> Self {
        let (words, labels) = (view.words(), view.labels());
        let clocks = Clocks::of(overview, view.now, words);
        let entry = Entry::of(webhook, overview, view.now);
        let mut facts = facts(webhook, &clocks);
        facts.push(Fact {
            name: labels.log_keeps,
            value: words.retention(webhook.retention),
            when: None,
            is_bad: false,
        });
        Self {
            view,
            labels,
            title: format!("{} · {}", webhook.label, labels.product),
            icon: favicon(entry.state.tone()),
            chip: Chip::of(entry.state, words),
            who: Identity::of(webhook),
            as_of: moment(view.now, format(view.now, "%Y-%m-%d %H:%M:%S")),
            api: api_card(overview, 0, &clocks),
            story: story(&entry, &clocks),
            facts,
            tables: [lost(webhook, &clocks), pending(webhook, &clocks), attempts(webhook, &clocks)],
        }
    }
}

impl WebhookPage<'_> {
    /// Whether there is any id to explain.
    fn lists_something(&self) -> bool {
        self.tables.iter().any(|table| !table.rows.is_empty())
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The newest of `rows`, the rest, and the words that the rest is folded behind.
fn folded(mut rows: Vec<ReplayRow>, words: &dyn Words) -> (Vec<ReplayRow>, Vec<ReplayRow>, String) {
    let others = rows.split_off(rows.len().min(MOST_AT_ONCE));
    let more = words.more(count(others.len()));
    (rows, others, more)
}

/// That there are more than are listed, or none at all.
fn remark(listed: usize, all: u64, none: &str, words: &dyn Words) -> Option<String> {
    match count(listed) {
        0 if all == 0 => Some(none.to_owned()),
        some if some < all => Some(words.listed(some, all)),
        _ => None,
    }
}

fn lost(webhook: &WebhookRow, clocks: &Clocks) -> Table {
    let (words, labels) = (clocks.words, clocks.words.labels());
    let rows: Vec<_> =
        webhook.lost_events.newest_first().into_iter().map(|lost| ReplayRow::of_lost(lost, clocks)).collect();
    let remark = remark(rows.len(), webhook.lost, labels.no_lost, words);
    let (rows, others, more) = folded(rows, words);
    Table {
        id: LOST,
        heading: labels.lost_events,
        count: Some(words.number(webhook.lost)),
        remark,
        rows,
        others,
        more,
        attempt: labels.last_attempt,
        has_settled: true,
    }
}

fn pending(webhook: &WebhookRow, clocks: &Clocks) -> Table {
    let (words, labels) = (clocks.words, clocks.words.labels());
    let newest = webhook.pending_events.newest_first().into_iter().take(MOST_PENDING);
    let rows: Vec<_> = newest.map(|pending| ReplayRow::of_pending(pending, clocks)).collect();
    let remark = remark(rows.len(), webhook.pending, labels.no_pending, words);
    let (rows, others, more) = folded(rows, words);
    Table {
        id: "pending",
        heading: labels.pending_events,
        count: Some(words.number(webhook.pending)),
        remark,
        rows,
        others,
        more,
        attempt: labels.last_attempt,
        has_settled: false,
    }
}

fn attempts(webhook: &WebhookRow, clocks: &Clocks) -> Table {
    let labels = clocks.words.labels();
    let newest = webhook.recent.newest_first().iter();
    let rows: Vec<_> = newest.map(|attempt| ReplayRow::of_attempt(attempt, clocks)).collect();
    let remark = rows.is_empty().then(|| labels.no_attempts.to_owned());
    let (rows, others, more) = folded(rows, clocks.words);
    Table {
        id: "attempts",
        heading: labels.newest_attempts,
        count: None,
        remark,
        rows,
        others,
        more,
        attempt: labels.attempt_at,
        has_settled: false,
    }
}
