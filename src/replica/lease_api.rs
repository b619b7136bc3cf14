//! The three calls of the Kubernetes API.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use lease_election::{Call, Outcome};
use reqwest::{Certificate, Client, RequestBuilder};
use serde_json::Value;
use url::Url;

use super::cluster::Access;
use super::problem::Problem;
use super::settings::ReplicaSettings;
use super::wire;

/// A larger response is no Lease. A convention: one is some 500 bytes, and etcd takes objects of up to 1.5 MiB.
const LARGEST_RESPONSE: usize = 2 * 1024 * 1024;

/// The Lease, through the API server.
#[derive(Debug)]
pub(super) struct LeaseApi {
    settings: ReplicaSettings,
    /// What is trusted, and the client that trusts it.
    client: Option<(Vec<u8>, Client)>,
    /// The Lease as it last was, with all that is none of our business.
    object: Value,
}

impl LeaseApi {
    pub(super) fn new(settings: ReplicaSettings) -> Self {
        Self { settings, client: None, object: Value::Null }
    }

    /// Makes a call, which takes no longer than the timeout.
    pub(super) async fn call(&mut self, call: Call) -> Result<Outcome, Problem> {
        let timeout = self.settings.timing.call_timeout;
        let outcome = tokio::time::timeout(timeout, self.make(call)).await;
        let outcome = outcome.unwrap_or(Err(Problem::Timeout(timeout)));
        if outcome.is_err() {
            // A connection that hangs must not fail the next call, too.
            self.client = None;
        }
        outcome
    }

    async fn make(&mut self, call: Call) -> Result<Outcome, Problem> {
        let access = self.settings.cluster.access().await?;
        let client = self.client(&access)?;
        let url = |name| self.url(&access.namespace, name);
        let name = self.settings.lease.as_str();
        let (request, is_write) = match &call {
            Call::Read => (client.get(url(Some(name))), false),
            Call::Create(wanted) => {
                (with_body(client.post(url(None)), &wire::created(name, &access.namespace, wanted)), true)
            }
            Call::Update { version, wanted } => {
                (with_body(client.put(url(Some(name))), &wire::updated(&self.object, version, wanted)), true)
            }
        };
        let timeout = self.settings.timing.call_timeout;
        let of = |error: reqwest::Error| Problem::of(&error, timeout);
        let mut response = request.header(AUTHORIZATION, bearer(&access)).send().await.map_err(of)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(of)? {
            body.extend_from_slice(&part);
            if body.len() > LARGEST_RESPONSE {
                return Err(Problem::NoLease);
            }
        }
        match status {
            StatusCode::OK | StatusCode::CREATED => {
                self.object = serde_json::from_slice(&body).map_err(|_| Problem::NoLease)?;
                wire::record(&self.object).map(Outcome::Found).ok_or(Problem::NoLease)
            }
            StatusCode::CONFLICT if is_write => Ok(Outcome::Conflict),
            // Creating one finds no namespace.
            StatusCode::NOT_FOUND if !matches!(call, Call::Create(_)) => Ok(Outcome::Absent),
            _ => Err(Problem::Status { status: status.as_u16() }),
        }
    }

    fn url(&self, namespace: &str, name: Option<&str>) -> Url {
        let mut url = self.settings.cluster.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["apis", "coordination.k8s.io", "v1", "namespaces", namespace, "leases"]);
            path.extend(name);
        }
        url
    }

    /// A client that trusts the cluster's CA, and nobody else.
    fn client(&mut self, access: &Access) -> Result<Client, Problem> {
        if let Some((trusted, client)) = &self.client
            && *trusted == access.ca_pem
        {
            return Ok(client.clone());
        }
        // The same provider as everywhere else; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cas = Certificate::from_pem_bundle(&access.ca_pem).map_err(|_| Problem::Ca)?;
        let builder = Client::builder()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // The API server is in the cluster; a proxy is for Cotalker.
            .no_proxy()
            .tls_certs_only(cas)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        let client = builder.build().map_err(|_| Problem::Ca)?;
        self.client = Some((access.ca_pem.clone(), client.clone()));
        Ok(client)
    }
}

fn with_body(request: RequestBuilder, object: &Value) -> RequestBuilder {
    request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(object.to_string())
}

fn bearer(access: &Access) -> HeaderValue {
    let header = HeaderValue::from_str(&format!("Bearer {}", access.token.expose()));
    // What is no header is no token either, and refused as none is.
    let mut header = header.unwrap_or(HeaderValue::from_static("Bearer"));
    header.set_sensitive(true);
    header
}
