//! The page for people: what is broken stands first, in words that need no handbook at three in the morning.

mod state;
#[cfg(test)]
mod tests;

use askama::Template;

use crate::snapshot::{Overview, WebhookRow};
use delivery_ledger::UnixMillis;

pub use self::state::State;
use self::state::{Tone, is_stale, recently_lost, server_time};
use crate::words::{ago, capitalised, clip, every, format, grouped, plural, remedy, span};

/// How often the page asks for itself again.
const RELOAD_SECONDS: u32 = 30;

/// The page that shows `overview` at `now`, by the local clock.
#[must_use]
pub fn render(overview: &Overview, now: UnixMillis, telemetry_path: &str, version: &str) -> String {
    let view = View::new(overview, now, telemetry_path, version);
    view.render().unwrap_or_else(|error| {
        tracing::error!(%error, "failed to render the page");
        String::from("failed to render the page\n")
    })
}

#[derive(Template)]
#[template(path = "page.html", whitespace = "minimize")]
struct View<'a> {
    title: String,
    tone: &'static str,
    headline: String,
    /// What is to be said about the picture as a whole.
    notes: Vec<Note>,
    broken: Vec<Card>,
    sections: Vec<Section>,
    made_at: Moment,
    listed: Option<Moment>,
    reload_seconds: u32,
    telemetry_path: &'a str,
    version: &'a str,
}

struct Note {
    tone: &'static str,
    text: String,
    when: Option<Moment>,
}

/// A point in time, in words, and exactly.
struct Moment {
    words: String,
    /// For machines.
    iso: String,
    /// For people who want to compare it with a log.
    utc: String,
}

/// Which webhook it is.
struct Identity {
    label: String,
    name: String,
    /// The receiver, the trigger and the id, as far as they are known.
    particulars: Vec<String>,
}

impl Identity {
    fn of(webhook: &WebhookRow) -> Self {
        let name = if webhook.name == webhook.label { "" } else { &webhook.name };
        let particulars = [&webhook.target_host, &webhook.trigger, &webhook.id];
        Self {
            label: clip(&webhook.label),
            name: clip(name),
            particulars: particulars.into_iter().filter(|text| !text.is_empty()).map(|text| clip(text)).collect(),
        }
    }
}

/// A webhook that needs attention.
struct Card {
    state: State,
    who: Identity,
    since: Option<Moment>,
    sentences: Vec<String>,
    to_do: Vec<String>,
    facts: Vec<Fact>,
}

struct Fact {
    name: &'static str,
    value: String,
    when: Option<Moment>,
    is_bad: bool,
}

/// Webhooks of one state that need none.
struct Section {
    heading: &'static str,
    state: State,
    rows: Vec<Row>,
}

struct Row {
    who: Identity,
    notes: Vec<String>,
    last_success: Option<Moment>,
    attempts: Count,
    failures: Count,
    delivered: Count,
    pending: Count,
    lost: Count,
    read: Option<Moment>,
}

struct Count {
    text: String,
    is_zero: bool,
}

impl Count {
    fn of(number: u64) -> Self {
        Self { text: grouped(number), is_zero: number == 0 }
    }
}

impl<'a> View<'a> {
    fn new(overview: &Overview, now: UnixMillis, telemetry_path: &'a str, version: &'a str) -> Self {
        let clocks = Clocks::of(overview, now);
        let mut webhooks: Vec<(State, &WebhookRow)> =
            overview.webhooks.iter().map(|webhook| (State::of(webhook, overview, now), webhook)).collect();
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
        View {
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

const fn heading(state: State) -> &'static str {
    match state {
        State::Unread => "Not read yet",
        State::Inactive => "Switched off",
        State::Healthy => "Delivering",
        State::Blocked | State::Failing | State::Lost | State::Unreadable | State::Stale => "Needs attention",
    }
}

/// The two clocks that ages go by.
struct Clocks {
    /// The exporter's own, for what it did itself.
    now: UnixMillis,
    /// The server's, for what stands in logs.
    server_now: UnixMillis,
    /// The time between two polls.
    poll_interval_millis: i64,
}

impl Clocks {
    const fn of(overview: &Overview, now: UnixMillis) -> Self {
        Self { now, server_now: server_time(overview, now), poll_interval_millis: overview.poll_interval_millis }
    }

    fn local_ago(&self, at: UnixMillis) -> Moment {
        moment(at, ago(self.now.millis_since(at)))
    }

    fn server_ago(&self, at: UnixMillis) -> Moment {
        moment(at, ago(self.server_now.millis_since(at)))
    }

    /// `for 12 minutes, since 02:48 UTC`: a phone shows no tooltips.
    fn server_since(&self, at: UnixMillis) -> Moment {
        let words = format!("for {}, since {}", span(self.server_now.millis_since(at)), self.clock_time(at));
        moment(at, words)
    }

    /// The time of day, and the day if it is another one than the server's today.
    fn clock_time(&self, at: UnixMillis) -> String {
        let day = |at| format(at, "%Y-%m-%d");
        format(at, if day(at) == day(self.server_now) { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" })
    }
}

/// The state of everything in one sentence.
fn headline(overview: &Overview, webhooks: &[(State, &WebhookRow)], server_now: UnixMillis) -> (Tone, String) {
    match (overview.is_api_up, webhooks) {
        (None, []) => (Tone::Idle, String::from("The first poll is still running")),
        (Some(true), []) => (Tone::Idle, String::from("There are no webhooks to watch")),
        (Some(false), []) => (Tone::Bad, String::from("The Cotalker API cannot be read, and nothing is known")),
        (Some(false), _) => {
            let (_, known) = summary(webhooks, server_now);
            let known = known.replacen("All ", "all ", 1).replacen("The ", "the ", 1);
            (Tone::Bad, format!("The Cotalker API cannot be read. As last known, {known}"))
        }
        (None | Some(true), _) => summary(webhooks, server_now),
    }
}

/// The state of the webhooks, of which there is at least one.
fn summary(webhooks: &[(State, &WebhookRow)], server_now: UnixMillis) -> (Tone, String) {
    let count = |wanted| webhooks.iter().filter(|(state, _)| *state == wanted).count();
    let all = webhooks.len();
    let broken = webhooks.iter().filter(|(state, _)| state.needs_attention()).count();
    if broken > 0 {
        let lost = webhooks.iter().map(|(_, webhook)| recently_lost(webhook, server_now)).fold(0, u64::saturating_add);
        let logs = |n| if n == 1 { "log" } else { "logs" };
        let unreadable = count(State::Unreadable);
        let parts: Vec<String> = [
            (count(State::Blocked), format!("{} blocked", count(State::Blocked))),
            (count(State::Failing), format!("{} failing", count(State::Failing))),
            (usize::from(lost > 0), format!("{} lost", plural(lost, "event"))),
            (unreadable, format!("{unreadable} {} unreadable", logs(unreadable))),
            (count(State::Stale), format!("{} out of date", count(State::Stale))),
        ]
        .into_iter()
        .filter_map(|(number, text)| (number > 0).then_some(text))
        .collect();
        let subject = match (broken, all) {
            (1, 1) => String::from("The webhook needs"),
            (_, _) if broken == all => format!("All {all} webhooks need"),
            (1, _) => format!("1 of {all} webhooks needs"),
            (_, _) => format!("{broken} of {all} webhooks need"),
        };
        let worst = webhooks.iter().map(|(state, _)| state.tone()).min().unwrap_or(Tone::Good);
        return (worst, format!("{subject} attention: {}", parts.join(", ")));
    }

    let (healthy, unread, inactive) = (count(State::Healthy), count(State::Unread), count(State::Inactive));
    let mut text = match (healthy, unread) {
        (0, 0) if all == 1 => return (Tone::Idle, String::from("The webhook is switched off")),
        (0, 0) => return (Tone::Idle, format!("All {all} webhooks are switched off")),
        (0, _) => format!("{} not read yet", plural(u64::try_from(unread).unwrap_or(u64::MAX), "webhook")),
        (1, 0) => String::from(if inactive == 0 { "The webhook delivers" } else { "The active webhook delivers" }),
        (_, 0) if inactive == 0 => format!("All {healthy} webhooks deliver"),
        (_, 0) => format!("All {healthy} active webhooks deliver"),
        (1, _) => format!("1 webhook delivers, {unread} not read yet"),
        (_, _) => format!("{healthy} webhooks deliver, {unread} not read yet"),
    };
    if inactive > 0 {
        text.push_str(&format!(", {inactive} switched off"));
    }
    (if healthy == 0 { Tone::Idle } else { Tone::Good }, text)
}

/// What has to be known about the picture as a whole before one believes it.
fn notes(overview: &Overview, clocks: &Clocks) -> Vec<Note> {
    let mut notes = Vec::new();
    match overview.is_api_up {
        Some(false) => {
            let problem = overview.api_problem.as_deref().unwrap_or("The cause is in the exporter's log");
            let consequence = match overview.listed_at {
                Some(_) => "All counts stay as they were. The list of webhooks was last read",
                None => "No list of webhooks has been read since the start.",
            };
            notes.push(Note {
                tone: Tone::Bad.class(),
                text: format!("{}. {consequence}", capitalised(&clip(problem.trim_end_matches('.')))),
                when: overview.listed_at.map(|at| clocks.local_ago(at)),
            });
        }
        None if overview.webhooks.is_empty() => notes.push(Note {
            tone: Tone::Idle.class(),
            text: String::from("Nothing is known yet. The webhooks appear here once their list has been read."),
            when: None,
        }),
        None => notes.push(Note {
            tone: Tone::Idle.class(),
            text: String::from("The first poll since the start is still running. This is what was known before it."),
            when: None,
        }),
        Some(true) => {
            if let Some(at) = overview.listed_at
                && is_stale(at, overview, clocks.now)
            {
                let interval = every(overview.poll_interval_millis);
                notes.push(Note {
                    tone: Tone::Doubtful.class(),
                    text: format!("This picture is old: a poll is due {interval}, but the list was last read"),
                    when: Some(clocks.local_ago(at)),
                });
            }
            if overview.webhooks.is_empty() {
                notes.push(Note {
                    tone: Tone::Idle.class(),
                    text: String::from(
                        "The API was read and gave no webhook that is to be watched. If there should be some, check \
                         the company, the token's rights, and the settings that select webhooks.",
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
                "{} {verb} not watched and not shown: there are more than --webhook.limit allows.",
                plural(overview.dropped, "further webhook")
            ),
            when: None,
        });
    }
    notes
}

fn card(state: State, webhook: &WebhookRow, clocks: &Clocks) -> Card {
    let since = match state {
        State::Blocked | State::Failing => webhook.failing_since.map(|at| clocks.server_since(at)),
        State::Lost => webhook.last_failure.map(|failure| {
            let at = failure.position.at;
            moment(at, format!("last failure {}", ago(clocks.server_now.millis_since(at))))
        }),
        State::Unreadable | State::Stale => webhook.read_at.map(|at| {
            moment(at, format!("last read {}, at {}", ago(clocks.now.millis_since(at)), clocks.clock_time(at)))
        }),
        State::Unread | State::Inactive | State::Healthy => None,
    };
    let (sentences, to_do) = story(state, webhook, clocks);
    Card { state, who: Identity::of(webhook), since, sentences, to_do, facts: facts(webhook, clocks) }
}

/// Why a webhook needs attention and what is at stake, and what to do about it.
fn story(state: State, webhook: &WebhookRow, clocks: &Clocks) -> (Vec<String>, Vec<String>) {
    let mut sentences = Vec::new();
    let mut to_do = Vec::new();
    let is_failing = matches!(state, State::Blocked | State::Failing);

    if let Some(failure) = webhook.last_failure.filter(|_| is_failing) {
        let last = ago(clocks.server_now.millis_since(failure.position.at));
        let why = capitalised(&failure.reason.explain(failure.status));
        sentences.push(match webhook.consecutive_failures {
            0 | 1 => format!("{why}. The last attempt failed, {last}."),
            some => format!("{why}. The last {} attempts failed, the newest {last}.", grouped(some)),
        });
        to_do.push(remedy(&failure, &webhook.target_host));
    }
    if state == State::Blocked {
        sentences.push(String::from(
            "Cotalker delivers strictly in order: everything behind the failed event waits until it is delivered or \
             given up.",
        ));
    }
    if webhook.pending > 0 {
        let since = webhook.pending_since.map_or_else(String::new, |at| {
            let verb = if webhook.pending == 1 { "" } else { "the longest " };
            format!(", {verb}for {}", span(clocks.server_now.millis_since(at)))
        });
        let verb = if webhook.pending == 1 { "waits" } else { "wait" };
        sentences.push(format!("{} {verb} to be sent again{since}.", plural(webhook.pending, "event")));
    }
    if webhook.lost > 0 {
        let (verb, them) = if webhook.lost == 1 { ("was", "it") } else { ("were", "them") };
        let lost = plural(webhook.lost, "event");
        sentences.push(format!("{lost} {verb} lost since counting began. Cotalker will not send {them} again."));
        if state == State::Lost
            && let Some(failure) = webhook.last_failure
        {
            sentences.push(format!(
                "Deliveries work again. The newest failure: {}.",
                failure.reason.explain(failure.status)
            ));
        }
        to_do.push(format!("Replay the lost {} by hand.", if webhook.lost == 1 { "event" } else { "events" }));
    }
    match webhook.is_readable {
        Some(false) => {
            let problem = webhook
                .problem
                .as_deref()
                .map_or_else(String::new, |problem| format!(": {}", clip(problem.trim_end_matches('.'))));
            sentences.push(format!("The log of this webhook cannot be read{problem}. The counts stay as they were."));
        }
        Some(true) if state == State::Stale => {
            let interval = every(clocks.poll_interval_millis);
            sentences.push(format!("A poll is due {interval}, but the log is not read. The counts stay as they were."));
            to_do.push(String::from("Look into the exporter's log."));
        }
        Some(true) => {}
        None => sentences.push(String::from("The log has not been read since the start: this was known before.")),
    }
    sentences.extend(remarks(webhook));
    if !webhook.is_active {
        sentences.push(String::from("This webhook is switched off."));
    }
    (sentences, to_do)
}

/// What is worth knowing about a webhook in whatever state.
fn remarks(webhook: &WebhookRow) -> Option<String> {
    (webhook.gaps > 0).then(|| {
        let times = if webhook.gaps == 1 { "once".into() } else { format!("{} times", grouped(webhook.gaps)) };
        format!("The log may have dropped entries before they were read ({times}): the counts may be too low.")
    })
}

fn facts(webhook: &WebhookRow, clocks: &Clocks) -> Vec<Fact> {
    let count = |name, number, is_bad| Fact { name, value: grouped(number), when: None, is_bad: is_bad && number > 0 };
    let time = |name, when: Option<Moment>| Fact { name, value: String::from("never"), when, is_bad: false };
    vec![
        count("Attempts", webhook.attempts, false),
        count("Failed", webhook.failures, false),
        count("Delivered", webhook.delivered, false),
        count("Pending", webhook.pending, true),
        count("Lost", webhook.lost, true),
        time("Last success", webhook.last_success.map(|at| clocks.server_ago(at))),
        time("Log read", webhook.read_at.map(|at| clocks.local_ago(at))),
    ]
}

fn row(webhook: &WebhookRow, clocks: &Clocks) -> Row {
    let mut notes = Vec::new();
    if let Some(failure) = webhook.last_failure.filter(|_| webhook.consecutive_failures > 0) {
        notes.push(format!("The last attempt failed: {}.", failure.reason.explain(failure.status)));
    }
    notes.extend(remarks(webhook));
    Row {
        who: Identity::of(webhook),
        notes,
        last_success: webhook.last_success.map(|at| clocks.server_ago(at)),
        attempts: Count::of(webhook.attempts),
        failures: Count::of(webhook.failures),
        delivered: Count::of(webhook.delivered),
        pending: Count::of(webhook.pending),
        lost: Count::of(webhook.lost),
        read: webhook.read_at.map(|at| clocks.local_ago(at)),
    }
}

fn moment(at: UnixMillis, words: String) -> Moment {
    Moment { words, iso: format(at, "%Y-%m-%dT%H:%M:%SZ"), utc: format(at, "%Y-%m-%d %H:%M:%S UTC") }
}
