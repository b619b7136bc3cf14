//! The page for people: what is broken stands first, with since when, why and what is at stake. No script.

use std::time::Duration;

use askama::Template as _;

use crate::delivery::UnixMillis;
use crate::snapshot::{Overview, WebhookRow};

/// A log that was not read for so many intervals is stale. A convention: two misses can happen.
const STALE_INTERVALS: i64 = 3;

/// The state of a webhook, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Blocked,
    Failing,
    Unreadable,
    Stale,
    HasLost,
    Delivering,
    Quiet,
    Unread,
    Inactive,
}

impl State {
    fn of(row: &WebhookRow, overview: &Overview, now: UnixMillis) -> Self {
        let stale_after = overview.poll_interval_millis.saturating_mul(STALE_INTERVALS);
        let is_stale = row.read_at.is_some_and(|read| now.millis_since(read) > stale_after);
        match row {
            _ if row.is_blocked => Self::Blocked,
            _ if row.consecutive_failures > 0 && row.is_active => Self::Failing,
            _ if row.is_readable == Some(false) => Self::Unreadable,
            _ if is_stale => Self::Stale,
            _ if row.lost > 0 => Self::HasLost,
            _ if !row.is_active => Self::Inactive,
            _ if row.last_success.is_some() => Self::Delivering,
            _ if row.read_at.is_some() => Self::Quiet,
            _ => Self::Unread,
        }
    }

    const fn is_fine(self) -> bool {
        matches!(self, Self::Delivering | Self::Quiet | Self::Unread | Self::Inactive)
    }

    /// A symbol and a word: never colour alone.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Blocked => ("■", "Blocked"),
            Self::Failing => ("▲", "Failing"),
            Self::Unreadable => ("?", "Log unreadable"),
            Self::Stale => ("?", "Stale"),
            Self::HasLost => ("!", "Has lost events"),
            Self::Delivering => ("✓", "delivering"),
            Self::Quiet => ("·", "no delivery yet"),
            Self::Unread => ("·", "not read yet"),
            Self::Inactive => ("–", "inactive"),
        }
    }
}

#[derive(askama::Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: String,
    freshness: String,
    problem: Option<&'a str>,
    dropped: u64,
    broken: Vec<Row<'a>>,
    fine: Vec<Row<'a>>,
    path: &'a str,
    version: &'a str,
}

struct Row<'a> {
    state: &'static str,
    symbol: &'static str,
    is_bad: bool,
    id: &'a str,
    label: &'a str,
    name: &'a str,
    trigger: &'a str,
    target: &'a str,
    why: String,
    stake: Option<String>,
    last_success: String,
    read: String,
    attempts: u64,
    failures: u64,
    delivered: u64,
    lost: u64,
}

/// The page as of `now`, by the local clock.
pub(super) fn render(overview: &Overview, now: UnixMillis, path: &str, version: &str) -> Result<String, askama::Error> {
    let mut rows: Vec<(State, &WebhookRow)> =
        overview.webhooks.iter().map(|row| (State::of(row, overview, now), row)).collect();
    rows.sort_by(|(a, left), (b, right)| (a, &left.label, &left.id).cmp(&(b, &right.label, &right.id)));
    let (fine, broken): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(state, _)| state.is_fine());
    let server_now = now.plus_millis(overview.server_ahead_millis);
    let freshness = match overview.listed_at {
        Some(at) => format!("The list of webhooks was read {}.", ago(now.millis_since(at))),
        None => "The list of webhooks has not been read yet.".to_owned(),
    };
    Page {
        title: headline(overview, &broken),
        freshness,
        problem: overview.api_problem.as_deref().filter(|_| overview.is_api_up == Some(false)),
        dropped: overview.dropped,
        broken: broken.iter().map(|(state, row)| describe(*state, row, server_now, now)).collect(),
        fine: fine.iter().map(|(state, row)| describe(*state, row, server_now, now)).collect(),
        path,
        version,
    }
    .render()
}

fn headline(overview: &Overview, broken: &[(State, &WebhookRow)]) -> String {
    let all = overview.webhooks.len();
    let blocked = broken.iter().filter(|(state, _)| *state == State::Blocked).count();
    let lost: u64 = overview.webhooks.iter().map(|row| row.lost).sum();
    match (all, broken.len()) {
        (0, _) if overview.is_api_up.is_none() => "The first poll is still running".to_owned(),
        (0, _) => "No webhooks are watched".to_owned(),
        (_, 0) => format!("{} in order", plural(all, "webhook is", "webhooks are")),
        (_, bad) => {
            let lost = usize::try_from(lost).unwrap_or(usize::MAX);
            let needs = if bad == 1 { "needs" } else { "need" };
            format!(
                "{bad} of {} {needs} attention: {blocked} blocked, {}",
                plural(all, "webhook", "webhooks"),
                plural(lost, "event lost", "events lost")
            )
        }
    }
}

fn describe(state: State, row: &WebhookRow, server_now: UnixMillis, now: UnixMillis) -> Row<'_> {
    let (symbol, word) = state.words();
    let mut why = String::new();
    if row.consecutive_failures > 0
        && let Some(failure) = row.last_failure
    {
        why = capitalised(&failure.reason.explain(failure.status));
        if let Some(since) = row.failing_since {
            let failures = usize::try_from(row.consecutive_failures).unwrap_or(usize::MAX);
            why.push_str(&format!(
                ", for {} ({} in a row).",
                words(server_now.millis_since(since)),
                plural(failures, "failure", "failures")
            ));
        }
    }
    if let Some(problem) = &row.problem {
        why.push_str(&format!(" Its log cannot be read: {problem}."));
    }
    let mut stake = Vec::new();
    if row.pending > 0 {
        let since = row
            .pending_since
            .map_or_else(String::new, |at| format!(" (waiting for {})", words(server_now.millis_since(at))));
        let behind = if row.is_blocked { ", and everything behind it" } else { "" };
        stake.push(format!(
            "{}{behind}{since}.",
            plural(usize::try_from(row.pending).unwrap_or(usize::MAX), "event pending", "events pending")
        ));
    }
    if row.lost > 0 {
        stake.push(format!(
            "{}: replay by hand.",
            plural(usize::try_from(row.lost).unwrap_or(usize::MAX), "event lost", "events lost")
        ));
    }
    Row {
        state: word,
        symbol,
        is_bad: state == State::Blocked || row.lost > 0,
        id: &row.id,
        label: &row.label,
        name: &row.name,
        trigger: &row.trigger,
        target: &row.target_host,
        why,
        stake: (!stake.is_empty()).then(|| stake.join(" ")),
        last_success: row.last_success.map_or_else(|| "none seen".to_owned(), |at| ago(server_now.millis_since(at))),
        read: row.read_at.map_or_else(|| "not yet".to_owned(), |at| ago(now.millis_since(at))),
        attempts: row.attempts,
        failures: row.failures,
        delivered: row.delivered,
        lost: row.lost,
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn ago(millis: i64) -> String {
    if millis < 1_000 { "just now".to_owned() } else { format!("{} ago", words(millis)) }
}

/// A time in its largest unit, rounded down.
fn words(millis: i64) -> String {
    let seconds = Duration::from_millis(u64::try_from(millis).unwrap_or(0)).as_secs();
    let (unit, one, many) = match seconds {
        0..60 => (1, "second", "seconds"),
        60..3_600 => (60, "minute", "minutes"),
        3_600..86_400 => (3_600, "hour", "hours"),
        _ => (86_400, "day", "days"),
    };
    plural(usize::try_from(seconds / unit).unwrap_or(usize::MAX), one, many)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Position;
    use crate::outcome::FailureReason;
    use crate::standing::Failure;

    const NOW: UnixMillis = UnixMillis::from_secs(1_700_000_000);

    fn row(label: &str) -> WebhookRow {
        WebhookRow {
            id: "62685990d918fb5557f9f992".into(),
            label: label.into(),
            name: String::new(),
            trigger: "create-edit-delete-task".into(),
            target_host: "hooks.acme.example".into(),
            is_active: true,
            is_readable: Some(true),
            problem: None,
            read_at: Some(NOW.plus_millis(-5_000)),
            is_blocked: false,
            consecutive_failures: 0,
            failing_since: None,
            last_success: Some(NOW.plus_millis(-61_000)),
            last_failure: None,
            attempts: 7,
            failures: 0,
            pending: 0,
            pending_since: None,
            delivered: 7,
            lost: 0,
            gaps: 0,
        }
    }

    fn blocked(label: &str) -> WebhookRow {
        let since = NOW.plus_millis(-12 * 60_000);
        WebhookRow {
            is_blocked: true,
            consecutive_failures: 3,
            failing_since: Some(since),
            last_failure: Some(Failure {
                position: Position::after(since),
                reason: FailureReason::CertificateExpired,
                status: None,
                retry: 1,
            }),
            pending: 1,
            pending_since: Some(since),
            lost: 2,
            ..row(label)
        }
    }

    fn page(webhooks: Vec<WebhookRow>) -> String {
        let overview = Overview {
            webhooks,
            is_api_up: Some(true),
            listed_at: Some(NOW),
            poll_interval_millis: 60_000,
            ..Overview::default()
        };
        render(&overview, NOW, "/metrics", "1.0").expect("a page")
    }

    #[test]
    fn what_is_broken_stands_first_with_why_since_when_and_what_is_at_stake() {
        let page = page(vec![row("a_healthy"), blocked("z_blocked")]);
        assert!(page.find("z_blocked") < page.find("a_healthy"));
        for sentence in [
            "1 of 2 webhooks needs attention: 1 blocked, 2 events lost",
            "The receiver&#39;s certificate has expired, for 12 minutes (3 failures in a row).",
            "1 event pending, and everything behind it (waiting for 12 minutes). 2 events lost: replay by hand.",
            "1 minute ago",
            "href=\"/metrics\"",
        ] {
            assert!(page.contains(sentence), "{sentence}\n{page}");
        }
    }

    #[test]
    fn hostile_names_are_text() {
        let page = page(vec![WebhookRow { name: "<script>alert(1)</script>".into(), ..row("\"><img>") }]);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    }

    #[test]
    fn states_are_told_by_the_worst_that_is_known() {
        let overview = Overview { poll_interval_millis: 60_000, ..Overview::default() };
        let of = |row: WebhookRow| State::of(&row, &overview, NOW);
        assert_eq!(of(blocked("a")), State::Blocked);
        assert_eq!(of(WebhookRow { is_blocked: false, ..blocked("a") }), State::Failing);
        assert_eq!(of(WebhookRow { is_readable: Some(false), ..row("a") }), State::Unreadable);
        assert_eq!(of(WebhookRow { read_at: Some(NOW.plus_millis(-181_000)), ..row("a") }), State::Stale);
        assert_eq!(of(WebhookRow { lost: 1, ..row("a") }), State::HasLost);
        assert_eq!(of(WebhookRow { is_active: false, ..row("a") }), State::Inactive);
        assert_eq!(of(row("a")), State::Delivering);
        assert_eq!(of(WebhookRow { last_success: None, ..row("a") }), State::Quiet);
    }

    #[test]
    fn an_empty_page_says_why() {
        let render = |overview: Overview| render(&overview, NOW, "/metrics", "1.0").expect("a page");
        assert!(render(Overview::default()).contains("The first poll is still running"));
        assert!(page(Vec::new()).contains("No webhooks are watched"));
        let down = Overview {
            is_api_up: Some(false),
            api_problem: Some("the API answered 401".into()),
            ..Overview::default()
        };
        assert!(render(down).contains("the API answered 401"));
    }
}
