//! What scrapes have shown: a further page may lack none of it, and take none back.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::metrics::MetricsPage;
use crate::running::Running;
use crate::wait::look_until;

/// More often than elsewhere, for a counter that steps back may do so for a moment only.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The counters that scrapes have shown.
#[derive(Debug, Default)]
pub struct Seen {
    series: BTreeMap<String, f64>,
    expects_nothing: bool,
    pages: u64,
}

impl Seen {
    /// For where counters are to go away.
    #[must_use]
    pub fn anything() -> Self {
        Self { expects_nothing: true, ..Self::default() }
    }

    /// A further page.
    ///
    /// # Panics
    ///
    /// If it lacks a counter that an earlier page had, or shows a lower value.
    pub fn see(&mut self, page: &MetricsPage) {
        let now = page.webhook_counters();
        for (series, before) in &self.series {
            match now.get(series) {
                Some(value) => assert!(value >= before, "{series} was {before} and is {value}"),
                None => panic!("{series} was {before} and is gone; the page is\n{}", page.0),
            }
        }
        if !self.expects_nothing {
            self.series = now;
        }
        self.pages += 1;
    }

    /// How many pages there were.
    #[must_use]
    pub const fn pages(&self) -> u64 {
        self.pages
    }

    /// How many counters the newest page had.
    #[must_use]
    pub fn counters(&self) -> usize {
        self.series.len()
    }
}

impl Running {
    /// Scrapes until the page is as it should be. Everything that is scraped is seen.
    pub async fn wait_for(&self, what: &str, seen: &mut Seen, is_so: impl Fn(&MetricsPage) -> bool) -> MetricsPage {
        let mut look = async || {
            let page = self.scrape().await?;
            seen.see(&page);
            is_so(&page).then_some(page)
        };
        let page = look_until(LOOK_EVERY, &mut look).await;
        page.unwrap_or_else(|| panic!("never seen: {what}; {:#?}", self.log()))
    }

    /// The page after all that the simulator has done by now has been read.
    pub async fn at_rest(&self, seen: &mut Seen) -> MetricsPage {
        let before = self.wait_for("a page", seen, |_| true).await;
        // The poll that is under way may have started before.
        self.wait_for("two more polls", seen, |page| page.polls("ok") >= before.polls("ok") + 2.0).await
    }
}
