//! A running exporter, and the words that tests say of it.

use std::time::Duration;

use cotalker_webhook_exporter::api::{self, credentials::Credentials};
use cotalker_webhook_exporter::app;
use cotalker_webhook_exporter::config::{Config, WebConfig};
use cotalker_webhook_exporter::ledger::Policy;
use cotalker_webhook_exporter::poller::{self, Filter, History};
use cotalker_webhook_exporter::secret::Secret;
use cotalker_webhook_exporter::simulator::Simulator;
use cotalker_webhook_exporter::telemetry::{LogConfig, LogFormat};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A test that waits for something that never comes ends after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at the metrics.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running exporter; it ends when it is dropped.
pub(crate) struct Daemon {
    metrics_url: String,
    http: reqwest::Client,
    _tasks: JoinSet<anyhow::Result<()>>,
}

impl Daemon {
    /// An exporter that polls `simulator` every second.
    pub(crate) async fn start(simulator: &Simulator, history: History) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let interval = Duration::from_secs(1);
        let api = api::Config {
            base_url: simulator.base_url().parse().expect("a URL"),
            credentials: Credentials::Token(Secret::new(simulator.token())),
            company: None,
            admin: false,
            ca_pem: None,
            timeout: Duration::from_secs(30),
            max_response_bytes: 1 << 30,
            calls_per_second: 0.0,
            poll_interval: interval,
            ignore_proxy: true,
        };
        let config = Config {
            api: None,
            poller: poller::Config {
                interval,
                concurrency: 8,
                history,
                ids: Vec::new(),
                filter: Filter::default(),
                limit: 10_000,
                policy: Policy { max_retries: 3, pending_timeout_millis: 900_000 },
            },
            state_path: None,
            web: WebConfig { listen: Vec::new(), telemetry_path: "/metrics".into() },
            log: LogConfig { filter: "off".into(), format: LogFormat::Logfmt },
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(app::serve(config, api, vec![listener], CancellationToken::new()));
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        Self { metrics_url: format!("http://{address}/metrics"), http, _tasks: tasks }
    }

    /// The page of metrics.
    pub(crate) async fn scrape(&self) -> Page {
        let answer = self.http.get(&self.metrics_url).send().await.expect("an answer");
        Page(answer.text().await.expect("text"))
    }

    /// Scrapes until the page is as it should be.
    pub(crate) async fn wait_for(&self, what: &str, is_so: impl Fn(&Page) -> bool) -> Page {
        let wait = async {
            loop {
                let page = self.scrape().await;
                if is_so(&page) {
                    return page;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never seen: {what}"))
    }
}

/// A page of metrics.
pub(crate) struct Page(pub(crate) String);

impl Page {
    /// The sum of the samples of a family that carry all these parts of labels; `None` if there is none.
    pub(crate) fn sum(&self, family: &str, labels: &[&str]) -> Option<f64> {
        let samples = self.0.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (name, rest) = series.split_once('{').unwrap_or((series, ""));
            (name == family && labels.iter().all(|label| rest.contains(label)))
                .then(|| value.parse::<f64>().expect("a number"))
        });
        samples.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }
}
