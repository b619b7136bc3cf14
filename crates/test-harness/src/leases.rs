//! A simulated API server of Kubernetes that knows Leases only, with the concurrency control of the real one. It serves over
//! TLS, and tells callers apart by their tokens.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificates::ca;

/// The name of the Lease.
pub(crate) const LEASE: &str = "cotalker-webhook-exporter";

const NAMESPACE: &str = "prod";

/// How the calls of a pod are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// As they should be.
    Works,
    /// Refused with this status.
    Refused(u16),
    /// Reads work. Writes are done, but their responses never come.
    Unheard,
    /// Held up until the treatment is another one, and only then begun.
    Held,
    /// Done after this time.
    Slow(Duration),
}

#[derive(Debug, Default)]
struct Leased {
    object: Option<Value>,
    versions: u64,
    /// Calls by pod.
    calls: BTreeMap<String, usize>,
    /// The holders that were written, in order; empty where the Lease was given back.
    holders: Vec<String>,
}

#[derive(Debug)]
struct Shared {
    leased: Mutex<Leased>,
    treatments: watch::Sender<BTreeMap<String, Treatment>>,
}

type Response = (StatusCode, Json<Value>);

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub struct Leases {
    address: SocketAddr,
    shared: Arc<Shared>,
    files: TempDir,
    ca_pem: String,
    _tasks: JoinSet<()>,
}

impl Leases {
    /// Without any Lease.
    pub async fn start() -> Self {
        let (ca_pem, config) = ca("127.0.0.1");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let leased = Mutex::default();
        let shared = Arc::new(Shared { leased, treatments: watch::Sender::new(BTreeMap::new()) });
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases");
        let router = Router::new()
            .route(&path, post(create))
            .route(&format!("{path}/{{name}}"), get(read).put(replace))
            .with_state(Arc::clone(&shared));
        let mut tasks = JoinSet::new();
        let tls = Tls { listener, acceptor: TlsAcceptor::from(config) };
        tasks.spawn(async move { axum::serve(tls, router).await.expect("it serves") });
        let files = tempfile::tempdir().expect("a directory");
        Self { address, shared, files, ca_pem, _tasks: tasks }
    }

    /// The API server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The directory that is mounted into this pod.
    #[must_use]
    pub fn service_account(&self, pod: &str) -> PathBuf {
        let directory = self.files.path().join(pod);
        std::fs::create_dir_all(&directory).expect("a directory");
        for (name, text) in [("token", pod), ("ca.crt", &self.ca_pem), ("namespace", NAMESPACE)] {
            std::fs::write(directory.join(name), text).expect("written");
        }
        directory
    }

    /// From now on this pod's calls, those that are held up included, are treated like this.
    pub fn treat(&self, pod: &str, treatment: Treatment) {
        self.shared.treatments.send_modify(|treatments| {
            treatments.insert(pod.to_owned(), treatment);
        });
    }

    /// How many calls this pod has made.
    #[must_use]
    pub fn calls_of(&self, pod: &str) -> usize {
        self.shared.leased().calls.get(pod).copied().unwrap_or(0)
    }

    /// The pod that holds the Lease, if one does.
    #[must_use]
    pub fn holder(&self) -> Option<String> {
        self.shared.leased().holders.last().filter(|holder| !holder.is_empty()).cloned()
    }

    /// The pods that have held it, in order, each once in a row; empty where it was given back.
    #[must_use]
    pub fn holders(&self) -> Vec<String> {
        let mut holders = self.shared.leased().holders.clone();
        holders.dedup();
        holders
    }

    /// The Lease itself.
    #[must_use]
    pub fn object(&self) -> Option<Value> {
        self.shared.leased().object.clone()
    }
}

impl Shared {
    fn leased(&self) -> MutexGuard<'_, Leased> {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a caller gets, after whatever is done to its call.
    async fn respond(
        &self,
        headers: &HeaderMap,
        is_write: bool,
        take: impl FnOnce(&mut Leased) -> Response,
    ) -> Response {
        let token = headers.get("authorization").and_then(|value| value.to_str().ok());
        let Some(pod) = token.and_then(|token| token.strip_prefix("Bearer ")).filter(|pod| !pod.is_empty()) else {
            return status(401);
        };
        *self.leased().calls.entry(pod.to_owned()).or_default() += 1;
        let mut treatments = self.treatments.subscribe();
        let treatment = |treatments: &BTreeMap<_, _>| treatments.get(pod).copied().unwrap_or(Treatment::Works);
        let now = treatments.wait_for(|now| treatment(now) != Treatment::Held).await.map(|now| treatment(&now));
        match now.unwrap_or(Treatment::Works) {
            Treatment::Works | Treatment::Held => take(&mut self.leased()),
            Treatment::Refused(code) => status(code),
            Treatment::Unheard if !is_write => take(&mut self.leased()),
            Treatment::Unheard => {
                let _ = take(&mut self.leased());
                std::future::pending().await
            }
            Treatment::Slow(time) => {
                tokio::time::sleep(time).await;
                take(&mut self.leased())
            }
        }
    }
}

impl Leased {
    /// Writes a Lease as the real server does: it is checked, and what changes nothing keeps its version.
    fn write(&mut self, mut object: Value, code: u16) -> Response {
        let spec = &object["spec"];
        let is_time = |name: &str| {
            // `MicroTime`: six digits behind the point.
            spec[name]
                .as_str()
                .is_some_and(|text| text.len() == "2023-11-14T22:14:20.000001Z".len() && text.ends_with('Z'))
        };
        let is_sound = object["kind"] == "Lease"
            && object["apiVersion"] == "coordination.k8s.io/v1"
            && object["metadata"]["name"] == LEASE
            && spec["leaseDurationSeconds"].as_i64().is_some_and(|seconds| seconds > 0)
            && spec["leaseTransitions"].as_i64().is_some_and(|transitions| transitions >= 0)
            && is_time("acquireTime")
            && is_time("renewTime");
        let Some(holder) = spec["holderIdentity"].as_str().filter(|_| is_sound) else { return status(422) };
        let pod = holder.rsplit_once('_').map_or(holder, |(pod, _)| pod).to_owned();
        if self.object.as_ref() != Some(&object) {
            self.versions += 1;
            object["metadata"]["resourceVersion"] = self.versions.to_string().into();
            self.holders.push(pod);
            self.object = Some(object.clone());
        }
        (StatusCode::from_u16(code).expect("a status"), Json(object))
    }
}

async fn read(State(shared): State<Arc<Shared>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let take = |leased: &mut Leased| match &leased.object {
        Some(object) if name == LEASE => (StatusCode::OK, Json(object.clone())),
        Some(_) | None => status(404),
    };
    shared.respond(&headers, false, take).await
}

async fn create(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(object): Json<Value>) -> Response {
    let take = |leased: &mut Leased| if leased.object.is_some() { status(409) } else { leased.write(object, 201) };
    shared.respond(&headers, true, take).await
}

async fn replace(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(object): Json<Value>,
) -> Response {
    let take = |leased: &mut Leased| match &leased.object {
        Some(_) if name != LEASE => status(404),
        None => status(404),
        Some(old) if old["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] => status(409),
        Some(_) => leased.write(object, 200),
    };
    shared.respond(&headers, true, take).await
}

fn status(code: u16) -> Response {
    (StatusCode::from_u16(code).expect("a status"), Json(json!({ "kind": "Status", "code": code })))
}

struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, peer)) = self.listener.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
