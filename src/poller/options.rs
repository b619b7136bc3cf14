//! What to poll and how often: the flags, and the settings that they make.

use std::time::Duration;

use clap::Args;
use delivery_ledger::{History, Policy, WebhookId};
use regex::Regex;

use super::filter::Filter;
use crate::options::{choice, duration, number};

/// Bounds that keep sums of times far from overflowing. A convention.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_PENDING: Duration = Duration::from_secs(365 * 24 * 60 * 60);

const SECOND: Duration = Duration::from_secs(1);

/// The largest count that a flag can give. A convention: it is the same on each platform.
const LARGEST_COUNT: usize = u32::MAX as usize;

#[derive(Args, Clone, Debug)]
pub(crate) struct PollOptions {
    /// Watch only this webhook; it is read by id, which works with a token that is not allowed to list; repeatable
    #[arg(long = "webhook.id", value_name = "ID", value_delimiter = ',', value_parser = webhook_id)]
    ids: Vec<WebhookId>,
    /// Watch only webhooks whose whole code matches this regular expression
    #[arg(long = "webhook.include", value_name = "REGEX", value_parser = whole)]
    include: Option<Regex>,
    /// Do not watch webhooks whose whole code matches this regular expression
    #[arg(long = "webhook.exclude", value_name = "REGEX", value_parser = whole)]
    exclude: Option<Regex>,
    /// Watch at most this many webhooks; cotalker_webhooks_dropped counts the others
    #[arg(long = "webhook.limit", value_name = "COUNT", default_value = "10000", value_parser = number(1..=LARGEST_COUNT, "a whole number from 1 up"))]
    limit: usize,
    /// An event is lost when its attempt with this retry number, or a higher one, fails
    #[arg(long = "webhook.max-retries", value_name = "COUNT", default_value = "3", value_parser = number(0..=u32::MAX, "a whole number from 0 up"))]
    max_retries: u32,
    /// A pending event without another attempt for this long is lost
    #[arg(long = "webhook.pending-timeout", value_name = "DURATION", default_value = "15m", value_parser = duration(SECOND..=LONGEST_PENDING, "15m"))]
    pending_timeout: Duration,
    /// Time between the starts of two polls, at least 1s
    #[arg(long = "poll.interval", value_name = "DURATION", default_value = "60s", value_parser = duration(SECOND..=LONGEST_INTERVAL, "60s or 1h 30m"))]
    pub(crate) interval: Duration,
    /// Maximum number of log calls at the same time
    #[arg(long = "poll.concurrency", value_name = "COUNT", default_value = "8", value_parser = number(1..=LARGEST_COUNT, "a whole number from 1 up"))]
    concurrency: usize,
    /// Maximum number of API calls per second; 0 = no limit
    #[arg(long = "poll.rate", value_name = "NUMBER", default_value = "20", value_parser = rate)]
    pub(crate) rate: f64,
    /// What a first start without state does with the entries that are already in the logs: ignore or count
    #[arg(long = "poll.history", value_name = "CHOICE", default_value = "ignore", value_parser = choice([("ignore", History::Ignore), ("count", History::Count)]))]
    pub(crate) history: History,
}

impl PollOptions {
    /// The settings.
    pub(crate) fn build(self) -> PollSettings {
        PollSettings {
            interval: self.interval,
            concurrency: self.concurrency,
            history: self.history,
            ids: self.ids,
            filter: Filter { include: self.include, exclude: self.exclude },
            limit: self.limit,
            policy: Policy {
                max_retries: self.max_retries,
                pending_timeout_millis: i64::try_from(self.pending_timeout.as_millis()).unwrap_or(i64::MAX),
            },
        }
    }
}

/// What to poll, and how often.
#[derive(Clone, Debug)]
pub struct PollSettings {
    /// The time between the starts of two polls.
    pub interval: Duration,
    /// The most log calls at the same time.
    pub concurrency: usize,
    /// What a first start does with the entries that are in the logs.
    pub history: History,
    /// Only these webhooks, each through the call by id; all that are listed if empty.
    pub ids: Vec<WebhookId>,
    /// Which of them, by code.
    pub filter: Filter,
    /// How many at most.
    pub limit: usize,
    /// When an attempt is an event's last.
    pub policy: Policy,
}

fn webhook_id(text: &str) -> Result<WebhookId, String> {
    text.trim().parse().map_err(|_| "the id of a webhook: 24 hexadecimal digits".to_owned())
}

/// A regular expression that has to match a whole text.
fn whole(text: &str) -> Result<Regex, String> {
    // Alone first, so that brackets that do not match can't break out of the anchors.
    Regex::new(text).and_then(|_| Regex::new(&format!("^(?:{text})$"))).map_err(|error| {
        let why = error.to_string();
        format!("a regular expression ({})", why.lines().last().unwrap_or_default().trim_start_matches("error: "))
    })
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(0.0) => Ok(0.0),
        _ => number(0.001..=1e6, "a number of calls per second from 0.001 to 1000000, or 0 for no limit")(text),
    }
}
