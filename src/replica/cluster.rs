//! How a pod reaches the API server of its cluster.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use url::Url;

use super::problem::Problem;
use crate::secret::Secret;

/// Where Kubernetes mounts a pod's service account. Source: the Kubernetes documentation, "Accessing the API from a Pod".
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How a pod reaches the API server of its cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The API server.
    pub api: Url,
    /// The directory with `token`, `ca.crt` and `namespace`.
    pub service_account: PathBuf,
}

/// What the pod is given to call the API server with. It is rotated, and so read before each call.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) token: Secret,
    pub(super) ca_pem: Vec<u8>,
    pub(super) namespace: String,
}

impl Cluster {
    /// The one that this pod runs in, if `variable` knows what Kubernetes sets in each container.
    pub(crate) fn of_this_pod(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let [host, port] = ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"].map(variable);
        let (host, port) = (host.filter(|host| !host.is_empty())?, port?);
        // An IPv6 address.
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let api = format!("https://{host}:{port}").parse().ok()?;
        Some(Self { api, service_account: PathBuf::from(SERVICE_ACCOUNT) })
    }

    /// Reads the files of the service account.
    pub(super) async fn access(&self) -> Result<Access, Problem> {
        let directory = self.service_account.clone();
        // Small files in memory; a disk that hangs is cut off by the call's timeout.
        let read = tokio::task::spawn_blocking(move || access(&directory)).await;
        read.unwrap_or(Err(Problem::File("token", ErrorKind::Interrupted)))
    }
}

fn access(directory: &Path) -> Result<Access, Problem> {
    let text = |name: &'static str| {
        let text = std::fs::read_to_string(directory.join(name)).map_err(|error| Problem::File(name, error.kind()))?;
        Ok(text.trim().to_owned())
    };
    Ok(Access {
        token: Secret::new(text("token")?),
        ca_pem: text("ca.crt")?.into_bytes(),
        namespace: text("namespace")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(host: Option<&str>, port: Option<&str>) -> Option<String> {
        let variable = |name: &str| if name.ends_with("HOST") { host } else { port }.map(str::to_owned);
        Cluster::of_this_pod(variable).map(|cluster| cluster.api.to_string())
    }

    #[test]
    fn a_pod_finds_its_api_server_by_what_kubernetes_sets() {
        assert_eq!(api(Some("10.96.0.1"), Some("443")).as_deref(), Some("https://10.96.0.1/"));
        assert_eq!(api(Some("fd00::1"), Some("6443")).as_deref(), Some("https://[fd00::1]:6443/"));
        for (host, port) in [(None, None), (Some(""), Some("443")), (Some("10.96.0.1"), None), (Some("a"), Some("b"))] {
            assert_eq!(api(host, port), None, "{host:?} {port:?}");
        }
    }
}
