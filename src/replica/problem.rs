//! Why a call for the Lease failed, in one line without secrets.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

/// Why a call for the Lease failed. Each completes "failed to read or renew the Lease: …".
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// A file of the service account cannot be read.
    #[error("cannot read the file {0} of the service account ({1}); is its token mounted in this container?")]
    File(&'static str, ErrorKind),
    /// The file with the CA holds none that can be used.
    #[error("the file ca.crt of the service account holds no usable certificate")]
    Ca,
    /// The call took too long.
    #[error("no response of the API server within {0:?}; does a NetworkPolicy let this pod out to it?")]
    Timeout(Duration),
    /// No whole response came.
    #[error("the API server cannot be reached: {0}")]
    Unreachable(String),
    /// It responded, and not as hoped for.
    #[error("the API server responds with status {status}{}", hint(*status))]
    Status {
        /// The status.
        status: u16,
    },
    /// The response is no Lease.
    #[error("the API server's response is no Lease")]
    NoLease,
}

impl Problem {
    /// What is behind an error of the client.
    pub(super) fn of(error: &reqwest::Error, timeout: Duration) -> Self {
        if error.is_timeout() {
            return Self::Timeout(timeout);
        }
        // The root: what is above it names the URL, or says nothing.
        let mut root: &dyn Error = error;
        while let Some(source) = root.source() {
            root = source;
        }
        Self::Unreachable(root.to_string())
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 => ": it does not accept the token of the service account",
        403 => ": the service account needs a Role that allows get, create and update of this Lease",
        404 => ": there is no such namespace",
        _ => "",
    }
}
