//! What the exporter measures of itself: API calls, polls, the checkpoint, the process.
//!
//! Between two scrapes little of it changes, often nothing: its text is kept until something does. The process is another
//! one at each scrape.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use delivery_ledger::UnixMillis;
use delivery_ledger::fleet::PollResult;

use super::families;
use super::figures::Figures;
use super::log_queue::dropped;
#[cfg(target_os = "linux")]
use super::process::{self, Process};
use super::results::{ReloadResult, WriteResult};
use crate::api::call::{CallResult, Endpoint};
use crate::clock;
use crate::compression::{Settled, Tail};
use crate::exposition::{FamilyDoc, Format, Shared};

/// The exporter's own instruments.
#[derive(Debug)]
pub struct Instruments {
    /// With the time at which all counters were at 0.
    shared: Shared,
    counted: Mutex<Counted>,
    #[cfg(target_os = "linux")]
    process: Process,
}

#[derive(Debug)]
struct Counted {
    figures: Figures,
    /// By format, their text, if they have not changed since it was made.
    texts: [Option<Arc<Settled>>; Format::ALL.len()],
}

impl Instruments {
    /// All instruments at 0, for an exporter that polls every `poll_interval_seconds`.
    #[must_use]
    pub fn new(poll_interval_seconds: f64) -> Self {
        let counted = Counted { figures: Figures::new(poll_interval_seconds), texts: Default::default() };
        Self {
            shared: Shared::NONE.clone().counting_since(Some(clock::now())),
            counted: Mutex::new(counted),
            #[cfg(target_os = "linux")]
            process: Process::this(),
        }
    }

    /// An API call ended after so many seconds, with so many bytes of a decompressed response.
    pub fn call_ended(&self, endpoint: Endpoint, result: CallResult, seconds: f64, bytes: u64) {
        self.change(|figures| {
            let calls = &mut figures.calls[endpoint.index()];
            calls.results[result.index()] += 1;
            calls.durations.observe(seconds);
            calls.bytes += bytes;
        });
    }

    /// The API asked for a pause until then, by the local clock.
    pub fn backing_off_until(&self, until: UnixMillis) {
        self.change(|figures| figures.backoff_until = Some(until));
    }

    /// The token in use expires then, in seconds since 1970; `None` if it does not say.
    pub fn token_expires_at(&self, seconds: Option<f64>) {
        self.change(|figures| figures.token_expiry = seconds);
    }

    /// A poll ended at `now`, by the local clock.
    pub fn poll_ended(&self, result: PollResult, seconds: f64, now: UnixMillis) {
        self.change(|figures| {
            figures.polls[result.index()] += 1;
            figures.poll_durations.observe(seconds);
            if result == PollResult::Ok {
                figures.last_good_poll = Some(now);
            }
        });
    }

    /// Whether this replica polls each interval from now on, and how many seconds there are between its polls.
    pub fn leads(&self, leads: bool, poll_interval_seconds: f64) {
        self.change(|figures| (figures.leads, figures.poll_interval_seconds) = (leads, poll_interval_seconds));
    }

    /// So many seconds lie between two reads of a webhook's log at most, as it is planned.
    pub fn reads_each_webhook_every(&self, seconds: f64) {
        self.change(|figures| figures.webhook_read_interval_seconds = seconds);
    }

    /// Writing the checkpoint ended at `now`, by the local clock.
    pub fn state_written(&self, result: WriteResult, now: UnixMillis) {
        self.change(|figures| {
            figures.state_writes[result.index()] += 1;
            if result == WriteResult::Ok {
                figures.last_state_write = Some(now);
            }
        });
    }

    /// So many checkpoints could not be used at the start.
    pub fn state_recovered(&self, checkpoints: u64) {
        self.change(|figures| figures.state_recoveries += checkpoints);
    }

    /// A changed web configuration was read.
    pub fn web_config_reloaded(&self, result: ReloadResult) {
        self.change(|figures| figures.web_config_reloads[result.index()] += 1);
    }

    /// So many polls were left out because one overran.
    pub fn polls_skipped(&self, polls: u64) {
        self.change(|figures| figures.polls_skipped += polls);
    }

    /// All of them as the last part of a page, as of `now` by the local clock.
    #[must_use]
    pub fn render(&self, format: Format, now: UnixMillis) -> Tail {
        let settled = self.counted().render(format, now, &self.shared);
        let mut fresh = Vec::with_capacity(CAPACITY_OF_PROCESS);
        #[cfg(target_os = "linux")]
        {
            let figures = self.process.read();
            format.encode(&mut fresh, |sink| {
                process::FAMILIES.iter().for_each(|family| family.write(&figures, &self.shared, sink));
            });
        }
        fresh.extend_from_slice(format.end());
        Tail { settled, fresh }
    }

    fn change(&self, change: impl FnOnce(&mut Figures)) {
        let mut counted = self.counted();
        change(&mut counted.figures);
        counted.texts = Default::default();
    }

    /// Nothing panics while it holds the lock.
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for the families of the process in any format. It grows if that is too little.
const CAPACITY_OF_PROCESS: usize = 2 * 1024;

/// Room for the others; all together were 17 and 27 KiB.
const CAPACITY: usize = 32 * 1024;

impl Counted {
    fn render(&mut self, format: Format, now: UnixMillis, shared: &Shared) -> Arc<Settled> {
        if self.figures.bring_up_to_date(now, dropped()) {
            self.texts = Default::default();
        }
        let text = self.texts[format.index()].get_or_insert_with(|| {
            let mut text = Vec::with_capacity(CAPACITY);
            format.encode(&mut text, |sink| {
                families::FAMILIES.iter().for_each(|family| family.write(&self.figures, shared, sink));
            });
            Arc::new(Settled::new(&text))
        });
        Arc::clone(text)
    }
}

/// Every family of the exporter's own, for the documentation.
#[must_use]
pub fn own_families() -> Vec<FamilyDoc> {
    let families = families::FAMILIES.iter().map(|family| family.doc());
    #[cfg(target_os = "linux")]
    let families = families.chain(process::FAMILIES.iter().map(|family| family.doc()));
    families.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::from_millis(1_700_000_000_123);

    fn line(instruments: &Instruments, now: UnixMillis, series: &str) -> String {
        let text = String::from_utf8(instruments.render(Format::Text, now).text()).expect("UTF-8");
        let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
        line.expect("a sample").to_owned()
    }

    #[test]
    fn a_pause_that_is_over_is_0() {
        let instruments = Instruments::new(60.0);
        let until = UnixMillis::from_secs(1_700_000_000);
        instruments.backing_off_until(until);
        let shown = |now| line(&instruments, now, "cotalker_api_backoff_until_timestamp_seconds");
        assert!(shown(until.plus_millis(-1)).ends_with(" 1700000000"));
        assert!(shown(until).ends_with(" 0"));
    }

    #[test]
    fn each_scrape_shows_what_has_happened_before_it() {
        let instruments = Instruments::new(1.5);
        let (ok, failed) =
            ("cotalker_exporter_polls_total{result=\"ok\"}", "cotalker_exporter_polls_total{result=\"failed\"}");
        for polls in 0..3 {
            for _ in 0..2 {
                assert_eq!(line(&instruments, NOW, ok), format!("{ok} {polls}"));
                assert_eq!(line(&instruments, NOW, failed), format!("{failed} 0"));
            }
            instruments.poll_ended(PollResult::Ok, 0.5, NOW);
        }
        let last = "cotalker_exporter_last_poll_success_timestamp_seconds";
        assert_eq!(line(&instruments, NOW, last), format!("{last} 1700000000.123"));
        let interval = "cotalker_exporter_poll_interval_seconds";
        assert_eq!(line(&instruments, NOW, interval), format!("{interval} 1.5"));
    }

    #[test]
    fn a_duration_is_in_the_first_bucket_that_holds_it_and_in_all_above() {
        let instruments = Instruments::new(60.0);
        instruments.call_ended(Endpoint::Logs, CallResult::Ok, 0.25, 1 << 40);
        instruments.call_ended(Endpoint::Logs, CallResult::Timeout, 60.5, 0);
        let shown = |series: &str| line(&instruments, NOW, series);
        for (bound, calls) in [("0.1", 0), ("0.25", 1), ("60", 1), ("+Inf", 2)] {
            let series = format!("cotalker_api_request_duration_seconds_bucket{{endpoint=\"logs\",le=\"{bound}\"}}");
            assert_eq!(shown(&series), format!("{series} {calls}"));
        }
        for (series, value) in [
            ("cotalker_api_request_duration_seconds_sum{endpoint=\"logs\"}", "60.75"),
            ("cotalker_api_request_duration_seconds_count{endpoint=\"logs\"}", "2"),
            ("cotalker_api_request_duration_seconds_count{endpoint=\"list\"}", "0"),
            ("cotalker_api_requests_total{endpoint=\"logs\",result=\"timeout\"}", "1"),
            ("cotalker_api_response_bytes_total{endpoint=\"logs\"}", "1099511627776"),
        ] {
            assert_eq!(shown(series), format!("{series} {value}"));
        }
    }
}
