//! The exporter in this process. Only this file knows its modules.

use std::time::Duration;

use cotalker_simulator::Simulator;
use cotalker_webhook_exporter::api::{ApiSettings, credentials::Credentials};
use cotalker_webhook_exporter::app;
use cotalker_webhook_exporter::config::{ExporterSettings, WebSettings};
use cotalker_webhook_exporter::poller::{Filter, PollSettings};
use cotalker_webhook_exporter::replica::{Cluster, ReplicaSettings, Timing};
use cotalker_webhook_exporter::secret::Secret;
use cotalker_webhook_exporter::telemetry::{LogConfig, LogFormat};
use delivery_ledger::{History, Policy};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::leases::{LEASE, Leases};
use crate::metrics::MetricsPage;
use crate::site::Site;

/// As in Kubernetes, but for how long it takes.
const TIMING: Timing = Timing {
    lease_duration: Duration::from_secs(3),
    renew_deadline: Duration::from_secs(2),
    retry_period: Duration::from_millis(200),
    call_timeout: Duration::from_millis(800),
};

/// An exporter that is not running yet: what a test changes of it.
#[derive(Debug)]
pub struct Setup {
    api: ApiSettings,
    poller: PollSettings,
    replica: Option<ReplicaSettings>,
}

impl Setup {
    /// An exporter that polls `simulator` every second, with its permanent token, and counts what the logs hold already.
    #[must_use]
    pub fn of(simulator: &Simulator) -> Self {
        Self::at(simulator.base_url(), Credentials::Token(Secret::new(simulator.token())))
    }

    /// The same for an API that is no simulator.
    #[must_use]
    pub fn at(base_url: &str, credentials: Credentials) -> Self {
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
            clock_speed: 1.0,
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
        Self { api, poller, replica: None }
    }

    /// With another way to call the API.
    #[must_use]
    pub fn api(mut self, change: impl FnOnce(&mut ApiSettings)) -> Self {
        change(&mut self.api);
        self
    }

    /// With another way to poll.
    #[must_use]
    pub fn poller(mut self, change: impl FnOnce(&mut PollSettings)) -> Self {
        change(&mut self.poller);
        self
    }

    /// As one of several replicas: the pod of this name. While it stands by it polls at the start, and then no more.
    #[must_use]
    pub fn among(mut self, leases: &Leases, pod: &str) -> Self {
        let cluster =
            Cluster { api: leases.url().parse().expect("a URL"), service_account: leases.service_account(pod) };
        self.replica = Some(ReplicaSettings {
            lease: LEASE.to_owned(),
            standby_interval: Duration::from_secs(24 * 60 * 60),
            timing: TIMING,
            cluster,
            pod: pod.to_owned(),
        });
        self
    }

    /// With another way to be a replica.
    #[must_use]
    pub fn replica(mut self, change: impl FnOnce(&mut ReplicaSettings)) -> Self {
        change(self.replica.as_mut().expect("a replica"));
        self
    }

    /// With another way to get a token.
    #[must_use]
    pub fn with(self, credentials: Credentials) -> Self {
        self.api(|api| api.credentials = credentials)
    }

    /// Starts it.
    pub async fn start(self) -> Daemon {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let settings = ExporterSettings {
            api: None,
            poll: self.poller,
            replica: self.replica,
            state_path: None,
            web: WebSettings { listen: Vec::new(), passed: None, telemetry_path: "/metrics".into(), protection: None },
            log: LogConfig { filter: "off".into(), format: LogFormat::Logfmt },
        };
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        tasks.spawn(app::serve(settings, self.api, vec![listener], stop.clone()));
        Daemon { site: Site::at(address), stop, tasks }
    }
}

/// An exporter that runs in this process; it ends when it is dropped.
#[derive(Debug)]
pub struct Daemon {
    /// What it serves.
    pub site: Site,
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Daemon {
    /// An exporter that polls `simulator` every second.
    pub async fn start(simulator: &Simulator, history: History) -> Self {
        Setup::of(simulator).poller(|poller| poller.history = history).start().await
    }

    /// Ends it in order, as SIGTERM does. To drop it is to kill it.
    ///
    /// # Panics
    ///
    /// If it did, or failed to end.
    pub async fn terminate(mut self) {
        self.stop.cancel();
        let ended = self.tasks.join_next().await.expect("it runs");
        ended.expect("no panic").expect("it ends well");
    }

    /// The page of metrics.
    pub async fn scrape(&self) -> MetricsPage {
        self.site.scrape().await
    }

    /// Scrapes until the page is as it should be.
    pub async fn wait_for(&self, what: &str, is_so: impl Fn(&MetricsPage) -> bool) -> MetricsPage {
        self.site.wait_for(what, is_so).await
    }

    /// Waits until the first poll has ended well.
    pub async fn first_poll(&self) -> MetricsPage {
        self.wait_for("a first poll", |page| page.polls("ok") >= 1.0).await
    }

    /// Waits until a poll that started after this call has ended.
    pub async fn whole_poll(&self) -> MetricsPage {
        self.site.whole_poll().await
    }

    /// Waits until a poll that started after this call has read everything.
    pub async fn whole_good_poll(&self) -> MetricsPage {
        self.site.whole_good_poll().await
    }
}
