//! The connections to the API: kept for further calls, and none for longer than a minute.
//!
//! A pool of connections cannot be told their age, so the client that has it is replaced as a whole. Calls that are under
//! way keep the client that they began with.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Client;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::http_client::{BuildError, http_client};
use super::settings::ApiSettings;

/// The longest that a connection is used, so that an API that has moved to another address is found. A convention.
const LONGEST_LIFE: Duration = Duration::from_secs(60);

/// How long a replacement may take. It reads files, and on a disk that hangs the client before it goes on.
const REPLACE_WITHIN: Duration = Duration::from_secs(2);

/// The way to open connections, and those that are open.
#[derive(Debug)]
pub(super) struct Connections {
    settings: ApiSettings,
    current: Mutex<Current>,
    is_due: AtomicBool,
}

#[derive(Debug)]
struct Current {
    client: Client,
    /// Opens a connection for each call; made when it is first needed.
    unpooled: Option<Client>,
    made_at: Instant,
    ca_pem: Option<Vec<u8>>,
    /// What the CA file held when it could not be used, so that it is said once.
    unusable: Option<Result<Vec<u8>, std::io::ErrorKind>>,
}

impl Connections {
    /// Opens none yet.
    pub(super) fn new(settings: &ApiSettings) -> Result<Self, BuildError> {
        let current = Current {
            client: http_client(settings, settings.ca_pem.as_deref(), true)?,
            unpooled: None,
            made_at: Instant::now(),
            ca_pem: settings.ca_pem.clone(),
            unusable: None,
        };
        Ok(Self { settings: settings.clone(), current: Mutex::new(current), is_due: AtomicBool::new(false) })
    }

    /// Before the next call the CA file is read again, and no open connection is used any more.
    pub(super) fn renew(&self) {
        self.is_due.store(true, Ordering::Relaxed);
    }

    /// A TLS handshake failed: the CA file may be newer than what is trusted.
    pub(super) fn distrusted(&self) {
        if self.settings.ca_file.is_some() {
            self.renew();
        }
    }

    /// The client to make the next call with.
    pub(super) async fn client(&self) -> Client {
        let mut current = self.current.lock().await;
        if self.is_due.swap(false, Ordering::Relaxed) || current.made_at.elapsed() >= LONGEST_LIFE {
            current.made_at = Instant::now();
            self.replace(&mut current).await;
        }
        current.client.clone()
    }

    /// A client that opens a connection for each call.
    pub(super) async fn unpooled(&self) -> Result<Client, BuildError> {
        let mut current = self.current.lock().await;
        if let Some(client) = &current.unpooled {
            return Ok(client.clone());
        }
        let client = http_client(&self.settings, current.ca_pem.as_deref(), false)?;
        current.unpooled = Some(client.clone());
        Ok(client)
    }

    /// Replaces the client, by one that trusts what the CA file holds now. If that cannot be used, what was trusted
    /// before stays trusted.
    async fn replace(&self, current: &mut Current) {
        let (settings, trusted) = (self.settings.clone(), current.ca_pem.clone());
        let made = tokio::task::spawn_blocking(move || {
            let read = settings.ca_file.as_deref().map(read);
            let attempt = match &read {
                Some(Ok(pem)) if Some(pem) != trusted.as_ref() => Some(http_client(&settings, Some(pem), true)),
                Some(_) | None => None,
            };
            let (client, problem) = match attempt {
                Some(Ok(client)) => return (read, Ok(client), None),
                Some(Err(problem)) => (http_client(&settings, trusted.as_deref(), true), Some(problem.to_string())),
                None => (http_client(&settings, trusted.as_deref(), true), None),
            };
            let problem = match &read {
                Some(Err(kind)) => Some(kind.to_string()),
                Some(Ok(_)) | None => problem,
            };
            (read, client, problem)
        });
        let Ok(Ok((read, client, problem))) = timeout(REPLACE_WITHIN, made).await else { return };
        if let Ok(client) = client {
            current.client = client;
            current.unpooled = None;
        }
        match (read, problem) {
            (read, Some(problem)) => {
                if current.unusable != read {
                    tracing::warn!(problem, "failed to read --cotalker.ca-file; trusting the last CAs that it held");
                    current.unusable = read;
                }
            }
            (Some(Ok(pem)), None) => {
                current.unusable = None;
                if current.ca_pem.replace(pem.clone()).as_ref() != Some(&pem) {
                    tracing::info!("--cotalker.ca-file has changed; trusting the CAs that it holds now");
                }
            }
            (Some(Err(_)) | None, None) => {}
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, std::io::ErrorKind> {
    std::fs::read(path).map_err(|error| error.kind())
}
