//! The page as a whole.

use std::fmt;

use askama::Template;

use super::card::{Card, api_card, card};
use super::cause::{Affected, causes};
use super::clocks::{Clocks, Moment, moment};
use super::entry::{Entry, entries};
use super::favicon::favicon;
use super::headline::headline;
use super::notes::{Note, notes};
use super::query::{NEEDS_ATTENTION, StateFilter};
use super::row::{QuietRow, row};
use super::view::View;
use crate::snapshot::Overview;
use crate::webhook_state::WebhookState;
use crate::words::{Labels, Words, format};

/// So many causes, the worst, are shown in full. The others are one line each, which opens. A convention: two screens of a
/// phone, so that what is broken is seen as a whole without much scrolling.
const MOST_IN_FULL: usize = 3;

/// Up to so many others are shown at all before one has to ask for the rest: two screens of a phone at one line each.
const MOST_IN_BRIEF: usize = 12;

/// Up to so many webhooks that need no attention are shown at once. A convention: two screens of a phone.
const MOST_UNFOLDED: usize = 10;

/// Writes the page that shows `overview`.
///
/// # Errors
///
/// If writing fails.
pub(crate) fn write_status_page(overview: &Overview, view: &View, to: &mut impl fmt::Write) -> fmt::Result {
    StatusPage::new(overview, view).render_into(to).map_err(|_| fmt::Error)
}

/// What takes memory for each webhook, such as a row, is made while the page is written, one after the other.
#[derive(Template)]
#[template(path = "status.html", whitespace = "minimize")]
struct StatusPage<'a> {
    view: &'a View,
    words: &'static dyn Words,
    labels: &'static Labels,
    clocks: Clocks,
    title: String,
    icon: &'static str,
    tone: &'static str,
    headline: String,
    as_of: Moment,
    list_read: Option<String>,
    notes: Vec<Note>,
    api: Option<Card>,
    is_filtered: bool,
    found: String,
    options: Vec<StateOption>,
    needing: String,
    /// The worst causes, those that follow, and the rest.
    in_full: Vec<Affected<'a>>,
    in_brief: Vec<Affected<'a>>,
    further: Vec<Affected<'a>>,
    more: String,
    sections: Vec<Section<'a>>,
}

/// One choice of the filter.
struct StateOption {
    key: &'static str,
    word: &'static str,
    is_chosen: bool,
}

/// Webhooks of one state that need no attention.
struct Section<'a> {
    state: WebhookState,
    heading: &'static str,
    entries: Vec<Entry<'a>>,
    is_open: bool,
}

impl Section<'_> {
    fn count(&self) -> u64 {
        count(self.entries.len())
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl<'a> StatusPage<'a> {
    fn new(overview: &'a Overview, view: &'a View) -> Self {
        let (words, labels) = (view.words(), view.labels());
        let clocks = Clocks::of(overview, view.now, words);
        let all = entries(overview, view.now);
        let (tone, headline) = headline(overview, &all, view.now);
        let needing = all.iter().filter(|entry| entry.needs_attention()).count();
        let hidden = all.iter().filter(|entry| entry.is_hidden_by_api()).count();
        let is_filtered = view.query.is_filter();
        let admits = view.query.filter();
        let shown: Vec<Entry<'_>> = all.iter().filter(|entry| admits(entry.webhook, entry.state)).copied().collect();

        let (broken, quiet): (Vec<_>, Vec<_>) = shown.iter().partition(|entry| entry.needs_attention());
        let shown_needing = count(broken.len());
        let mut in_full = causes(broken.into_iter());
        let mut in_brief = in_full.split_off(in_full.len().min(MOST_IN_FULL));
        let further = in_brief.split_off(in_brief.len().min(MOST_IN_BRIEF));
        StatusPage {
            view,
            words,
            labels,
            clocks,
            title: title(overview, needing, labels),
            icon: favicon(tone),
            tone: tone.class(),
            headline: words.headline(&headline),
            as_of: moment(view.now, format(view.now, "%Y-%m-%d %H:%M:%S")),
            list_read: overview.listed_at.map(|at| words.list_read(clocks.local_age(at))),
            notes: notes(overview, &clocks),
            api: api_card(overview, count(hidden), &clocks),
            is_filtered,
            found: words.found(count(shown.len()), count(all.len())),
            options: options(view),
            needing: words.number(shown_needing),
            more: words.more(count(further.len())),
            in_full,
            in_brief,
            further,
            sections: sections(quiet, is_filtered, words),
        }
    }

    fn card(&self, affected: &Affected<'_>) -> Card {
        card(affected, &self.clocks)
    }

    fn row(&self, entry: &Entry<'_>) -> QuietRow {
        row(entry, &self.clocks)
    }
}

/// Webhooks that need no attention, by state. Who looks for some wants to see them, however many they are.
fn sections<'a>(quiet: Vec<Entry<'a>>, is_filtered: bool, words: &dyn Words) -> Vec<Section<'a>> {
    let is_open = is_filtered || quiet.len() <= MOST_UNFOLDED;
    let mut sections: Vec<Section<'_>> = Vec::new();
    for entry in quiet {
        let state = entry.state;
        if sections.last().is_none_or(|section| section.state != state) {
            sections.push(Section { state, heading: words.section(state), entries: Vec::new(), is_open });
        }
        if let Some(section) = sections.last_mut() {
            section.entries.push(entry);
        }
    }
    sections
}

fn title(overview: &Overview, needing: usize, labels: &Labels) -> String {
    let product = labels.product;
    if overview.is_api_up == Some(false) {
        return format!("{} {} · {product}", labels.api_title, labels.api_state);
    }
    if needing == 0 { product.to_owned() } else { format!("({needing}) {product}") }
}

fn options(view: &View) -> Vec<StateOption> {
    let (words, labels, chosen) = (view.words(), view.labels(), view.query.state);
    let option = |key, word, filter| StateOption { key, word, is_chosen: chosen == filter };
    let general = [
        option("", labels.any_state, StateFilter::Any),
        option(NEEDS_ATTENTION, labels.needs_attention, StateFilter::NeedsAttention),
    ];
    let states = WebhookState::ALL.map(|state| option(state.key(), words.state(state), StateFilter::One(state)));
    general.into_iter().chain(states).collect()
}
