//! `demo`: a simulated Cotalker on loopback, for the daemon to poll.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use cotalker_simulator::demo::demo_scenario;
use cotalker_simulator::{Settings, Simulator};
use delivery_ledger::History;
use url::Url;

use crate::api::ApiSettings;
use crate::api::credentials::Credentials;
use crate::clock;
use crate::options::number;
use crate::secret::Secret;
use crate::web_options::WebSettings;

/// The interval where none is given: a newcomer should see values change. A convention.
pub const INTERVAL: Duration = Duration::from_secs(2);

/// What to do with the simulated past where nothing is given: a newcomer should see it in the metrics.
pub const HISTORY: History = History::Count;

/// The token of the simulated Cotalker, which guards nothing: a newcomer may use it for `check`.
const TOKEN: &str = "demo";

/// The demo's world is the same each time.
const SEED: u64 = 10_942;

/// Far longer than a call on loopback takes. A convention: the default of `--cotalker.timeout`.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The demo's own options.
#[derive(Args, Clone, Copy, Debug, PartialEq)]
pub struct DemoOptions {
    /// How many times faster than real time the simulated Cotalker runs
    #[arg(long = "demo.speed", value_name = "FACTOR", default_value = "1", value_parser = number(0.01..=100_000.0, "a number from 0.01 to 100000"))]
    pub speed: f64,
}

impl DemoOptions {
    /// Starts the simulated Cotalker.
    ///
    /// # Errors
    ///
    /// If it cannot listen on loopback.
    pub async fn start(self) -> anyhow::Result<Simulator> {
        let settings = Settings { speed: self.speed, token: Some(TOKEN.to_owned()), ..Settings::default() };
        let world = demo_scenario(clock::now(), SEED);
        Simulator::start(world, settings).await.context("failed to start the simulated Cotalker")
    }
}

/// How to reach the simulated Cotalker.
///
/// # Errors
///
/// If its address is no URL.
pub fn api_settings(
    simulator: &Simulator,
    simulator_speed: f64,
    poll_interval: Duration,
) -> anyhow::Result<ApiSettings> {
    Ok(ApiSettings {
        base_url: Url::parse(simulator.base_url()).context("the simulator's address")?,
        credentials: Credentials::Token(Secret::new(simulator.token())),
        company: None,
        admin: false,
        ca_pem: None,
        ca_file: None,
        timeout: TIMEOUT,
        max_response_bytes: u64::MAX,
        calls_per_second: 0.0,
        poll_interval,
        clock_speed: simulator_speed,
        proxy: None,
    })
}

/// What a newcomer may open in a browser, of what is served on `addresses`, and what to try with the simulated Cotalker.
#[must_use]
pub fn welcome(addresses: &[SocketAddr], web: &WebSettings, simulator: &Simulator) -> String {
    let mut text = "A simulated Cotalker is running, and the exporter polls it. Open\n".to_owned();
    for address in addresses {
        let root = root_url(web.scheme(), *address);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {root}/  (the status page)\n  {root}{}  (for Prometheus)", web.telemetry_path);
    }
    let api = simulator.base_url();
    let _ = writeln!(
        text,
        "Try a command in another terminal:\n  COTALKER_TOKEN={TOKEN} COTALKER_BASE_URL={api} cotalker-webhook-exporter check"
    );
    text + "Stop it with Ctrl-C."
}

/// Where a browser on this machine finds what listens on `address`.
fn root_url(scheme: &str, address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}
