//! What must have been told, by whichever Prometheus, and what was.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::pod::Pod;
use super::watcher::{Watcher, now};

/// The counter whose growth is told.
pub(crate) const LOST: &str = "cotalker_webhook_events_lost_total";

/// A loss is told for this long, in seconds: "in the last 15 minutes".
const TOLD_FOR: f64 = 900.0;

/// At least so many of them, whatever hides the loss from the Prometheus that scrapes least often.
const TOLD_AT_LEAST: usize = 780;

/// How far back the whole of a test lies, in seconds.
const WHOLE_TEST: f64 = 1_800.0;

/// A pod whose losses must be told.
#[derive(Clone, Copy)]
pub(crate) struct Loss<'a> {
    pub(crate) pod: &'a Pod,
    /// What its newest series shows in the end.
    pub(crate) shown: u32,
    /// How much of that was lost in this test.
    pub(crate) lost: u32,
}

/// All that is not as it should be. The test takes minutes: one run is to say everything.
#[derive(Default)]
pub(crate) struct Verdict(pub(crate) Vec<String>);

impl Verdict {
    fn unless(&mut self, is_right: bool, what: impl FnOnce() -> String) {
        if !is_right {
            self.0.push(what());
        }
    }

    fn unless_equal<T: PartialEq + Debug>(&mut self, what: &str, is: T, should_be: T) {
        self.unless(is == should_be, || format!("{what}: {is:?}, not {should_be:?}"));
    }

    /// While the test runs: the alerts of these, and of nobody else, fire, say how many events were lost, and have begun to
    /// fire once; and no counter of `steady` went down.
    pub(crate) async fn on_alerts(&mut self, watcher: &Watcher, losses: &[Loss<'_>], steady: &[&Pod]) {
        let interval = watcher.interval;
        let descriptions = watcher.firing().await;
        self.unless_equal(&format!("firing at {interval} s"), names(&descriptions), webhooks(losses));
        for Loss { pod, lost, .. } in losses {
            let description = descriptions.get(pod.webhook).map_or("nothing", String::as_str);
            let is_right = description.contains(&format!("Webhook {} lost {lost} event(s)", pod.webhook));
            self.unless(is_right, || format!("{} at {interval} s: {description}", pod.webhook));
        }
        let begun = watcher.has_fired().await;
        self.unless_equal(&format!("have fired at {interval} s"), names(&begun), webhooks(losses));
        self.unless(begun.values().all(|times| *times == 1.0), || format!("told again at {interval} s: {begun:?}"));
        for pod in steady {
            let resets = watcher.resets(&pod.series(LOST)).await;
            self.unless_equal(&format!("resets of {} at {interval} s", pod.webhook), resets, 0.0);
        }
    }

    /// In the hour after as well: the condition holds from the very scrape that brought the loss, for 15 minutes and in one
    /// piece, and then never again.
    pub(crate) async fn on_an_hour(&mut self, watcher: Watcher, losses: &[Loss<'_>]) {
        let expression = watcher.expression().await;
        let end = now();
        let watcher = watcher.an_hour_on().await;
        let interval = watcher.interval;
        let stretches = watcher.stretches(&expression, (end - WHOLE_TEST, end + 3_600.0)).await;
        self.unless_equal(&format!("true at {interval} s"), names(&stretches), webhooks(losses));
        for Loss { pod, shown, lost } in losses {
            let scraped = watcher.first_scrape(&pod.series(LOST), f64::from(*shown)).await;
            let value = watcher.at(&expression, scraped).await.get(pod.webhook).copied();
            let Some((from, to, seconds)) = stretches.get(pod.webhook).copied() else { continue };
            let (from, to) = (from - scraped, to - scraped);
            let what = format!(
                "{interval:>2} s  {:<11} {lost} lost, told as {value:?} from {from:.1} to {to:.1} s after the scrape",
                pod.webhook
            );
            print(&what);
            #[expect(clippy::cast_precision_loss, reason = "seconds of an hour")]
            let is_one_piece = seconds as f64 == (to - from).round() + 1.0;
            let is_right = value == Some(f64::from(*lost))
                && (0.0..1.0).contains(&from)
                && to <= TOLD_FOR
                && seconds >= TOLD_AT_LEAST
                && is_one_piece;
            self.unless(is_right, || format!("{what}, at {seconds} of them"));
        }
    }
}

#[expect(clippy::print_stdout, reason = "a measurement for whoever asks with --nocapture")]
fn print(what: &str) {
    println!("{what}");
}

fn webhooks<'a>(losses: &[Loss<'a>]) -> BTreeSet<&'a str> {
    losses.iter().map(|loss| loss.pod.webhook).collect()
}

fn names<T>(by_webhook: &BTreeMap<String, T>) -> BTreeSet<&str> {
    by_webhook.keys().map(String::as_str).collect()
}
