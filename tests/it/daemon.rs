//! A running exporter, and the words that tests say of it.

use std::net::SocketAddr;
use std::time::Duration;

use cotalker_simulator::Simulator;
use cotalker_webhook_exporter::api::{ApiSettings, credentials::Credentials};
use cotalker_webhook_exporter::app;
use cotalker_webhook_exporter::config::{ExporterSettings, WebSettings};
use cotalker_webhook_exporter::poller::{Filter, PollSettings};
use cotalker_webhook_exporter::secret::Secret;
use cotalker_webhook_exporter::telemetry::{LogConfig, LogFormat};
use delivery_ledger::History;
use delivery_ledger::Policy;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::page::MetricsPage;

/// A test that waits for something that never comes ends after this long: an unoptimised build reads 150 MB in a fraction
/// of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Between two looks at the metrics.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits until something is so.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never seen: {what}"))
}

/// An exporter that is not running yet: what a test changes of it.
pub(crate) struct Setup {
    api: ApiSettings,
    poller: PollSettings,
}

impl Setup {
    /// An exporter that polls `simulator` every second, with its permanent token, and counts what the logs hold already.
    pub(crate) fn of(simulator: &Simulator) -> Self {
        Self::at(simulator.base_url(), Credentials::Token(Secret::new(simulator.token())))
    }

    /// The same for an API that is no simulator.
    pub(crate) fn at(base_url: &str, credentials: Credentials) -> Self {
        let interval = Duration::from_secs(1);
        let api = ApiSettings {
            base_url: base_url.parse().expect("a URL"),
            credentials,
            company: None,
            admin: false,
            ca_pem: None,
            ca_file: None,
            timeout: Duration::from_secs(30),
            max_response_bytes: 1 << 30,
            calls_per_second: 0.0,
            poll_interval: interval,
            proxy: None,
        };
        let poller = PollSettings {
            interval,
            concurrency: 8,
            history: History::Count,
            ids: Vec::new(),
            filter: Filter::default(),
            limit: 10_000,
            policy: Policy { max_retries: 3, pending_timeout_millis: 900_000 },
        };
        Self { api, poller }
    }

    /// With another way to call the API.
    pub(crate) fn api(mut self, change: impl FnOnce(&mut ApiSettings)) -> Self {
        change(&mut self.api);
        self
    }

    /// With another way to poll.
    pub(crate) fn poller(mut self, change: impl FnOnce(&mut PollSettings)) -> Self {
        change(&mut self.poller);
        self
    }

    /// With another way to get a token.
    pub(crate) fn with(self, credentials: Credentials) -> Self {
        self.api(|api| api.credentials = credentials)
    }

    /// Starts it.
    pub(crate) async fn start(self) -> Daemon {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let settings = ExporterSettings {
            api: None,
            poll: self.poller,
            state_path: None,
            web: WebSettings { listen: Vec::new(), telemetry_path: "/metrics".into(), protection: None },
            log: LogConfig { filter: "off".into(), format: LogFormat::Logfmt },
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(app::serve(settings, self.api, vec![listener], CancellationToken::new()));
        Daemon { site: Site::at(address), _tasks: tasks }
    }
}

/// A running exporter; it ends when it is dropped.
pub(crate) struct Daemon {
    pub(crate) site: Site,
    _tasks: JoinSet<anyhow::Result<()>>,
}

impl Daemon {
    /// An exporter that polls `simulator` every second.
    pub(crate) async fn start(simulator: &Simulator, history: History) -> Self {
        Setup::of(simulator).poller(|poller| poller.history = history).start().await
    }

    /// The page of metrics.
    pub(crate) async fn scrape(&self) -> MetricsPage {
        self.site.scrape().await
    }

    /// Scrapes until the page is as it should be.
    pub(crate) async fn wait_for(&self, what: &str, is_so: impl Fn(&MetricsPage) -> bool) -> MetricsPage {
        self.site.wait_for(what, is_so).await
    }

    /// Waits until the first poll has ended well.
    pub(crate) async fn first_poll(&self) -> MetricsPage {
        self.wait_for("a first poll", |page| page.polls("ok") >= 1.0).await
    }

    /// Waits until a round that began after this call has ended.
    pub(crate) async fn whole_round(&self) -> MetricsPage {
        self.site.whole_round().await
    }
}

/// What an exporter serves.
pub(crate) struct Site {
    root: String,
    http: reqwest::Client,
}

impl Site {
    /// What is served at this address.
    pub(crate) fn at(address: SocketAddr) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        Self { root: format!("http://{address}"), http }
    }

    /// The status and text at this path.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.http.get(format!("{}{path}", self.root)).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }

    /// The page of metrics.
    pub(crate) async fn scrape(&self) -> MetricsPage {
        MetricsPage(self.get("/metrics").await.1)
    }

    /// Scrapes until the page is as it should be.
    pub(crate) async fn wait_for(&self, what: &str, is_so: impl Fn(&MetricsPage) -> bool) -> MetricsPage {
        until(what, async || {
            // A page is made family by family: what it says last may have happened after it said the rest. Whatever one
            // page shows, the next one shows with all that led to it.
            let is_seen = is_so(&self.scrape().await);
            if is_seen { Some(self.scrape().await).filter(|page| is_so(page)) } else { None }
        })
        .await
    }

    /// Waits until a round that began after this call has ended.
    pub(crate) async fn whole_round(&self) -> MetricsPage {
        let all = |page: &MetricsPage| ["ok", "partial", "failed"].map(|result| page.polls(result)).iter().sum::<f64>();
        let before = all(&self.scrape().await);
        // Two, for the round that is under way may have begun before.
        self.wait_for("a whole round", |page| all(page) >= before + 2.0).await
    }
}
