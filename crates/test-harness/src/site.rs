//! What an exporter serves.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Client;

use crate::metrics::MetricsPage;
use crate::wait::until;

/// A call to a process that is being killed ends after this long at the latest.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A plain HTTP client: no proxy, no certificates.
#[must_use]
pub fn client() -> Client {
    // Whoever is first; the others find it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().tls_certs_only([]).build().expect("a client")
}

/// What is served at one address, over plain HTTP.
#[derive(Clone, Debug)]
pub struct Site {
    root: String,
    http: Client,
}

impl Site {
    /// What is served at this address.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self { root: format!("http://{address}"), http: client() }
    }

    /// Its URL, without a slash at the end.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The status and text at this path; `None` if there is no whole response within some seconds.
    pub async fn try_get(&self, path: &str) -> Option<(u16, String)> {
        let get = async {
            let response = self.http.get(format!("{}{path}", self.root)).send().await.ok()?;
            Some((response.status().as_u16(), response.text().await.ok()?))
        };
        tokio::time::timeout(TIMEOUT, get).await.ok()?
    }

    /// The status and text at this path.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let response = self.http.get(format!("{}{path}", self.root)).send().await.expect("a response");
        (response.status().as_u16(), response.text().await.expect("text"))
    }

    /// The page of metrics as OpenMetrics.
    pub async fn scrape_openmetrics(&self) -> MetricsPage {
        let request = self.http.get(format!("{}/metrics", self.root)).header("Accept", "application/openmetrics-text");
        let response = request.send().await.expect("a response").error_for_status().expect("success");
        let text = response.text().await.expect("text");
        assert!(text.ends_with("# EOF\n"), "{text}");
        MetricsPage(text)
    }

    /// The page of metrics; `None` if there is no whole response.
    pub async fn try_scrape(&self) -> Option<MetricsPage> {
        let (status, text) = self.try_get("/metrics").await?;
        assert_eq!(status, 200, "{text}");
        Some(MetricsPage(text))
    }

    /// The page of metrics. A test that makes up logs of 150 MB may be too busy to send its request within the five seconds
    /// that the exporter gives it: then it is sent again.
    pub async fn scrape(&self) -> MetricsPage {
        until("a page of metrics", async || self.try_scrape().await).await
    }

    /// Scrapes until the page is as it should be.
    pub async fn wait_for(&self, what: &str, is_so: impl Fn(&MetricsPage) -> bool) -> MetricsPage {
        until(what, async || {
            // A page is made family by family: what it says last may have happened after it said the rest. Whatever one
            // page shows, the next one shows with all that led to it.
            let is_seen = is_so(&self.scrape().await);
            if is_seen { Some(self.scrape().await).filter(|page| is_so(page)) } else { None }
        })
        .await
    }

    /// Waits until a poll that started after this call has ended.
    pub async fn whole_poll(&self) -> MetricsPage {
        // Two, for the poll that is under way may have started before.
        self.further_polls(2.0).await
    }

    /// Waits until a poll that started after this call has read everything. On a busy machine other polls may end without a
    /// log that takes too long.
    pub async fn whole_good_poll(&self) -> MetricsPage {
        let before = self.scrape().await.polls("ok");
        self.wait_for("good polls", |page| page.polls("ok") >= before + 2.0).await
    }

    /// Waits until so many polls have ended since now.
    pub async fn further_polls(&self, polls: f64) -> MetricsPage {
        let before = self.scrape().await.all_polls();
        self.wait_for("further polls", |page| page.all_polls() >= before + polls).await
    }
}
