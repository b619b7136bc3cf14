//! Failed TLS handshakes: logged, but so seldom that no client can flood the log.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustls::Error as TlsError;
use tokio::time::Instant;

/// How often failures that go on are logged. A convention.
const REMINDER: Duration = Duration::from_secs(60);

/// Failed handshakes: when one was last logged, and how many were not.
#[derive(Debug, Default)]
pub(crate) struct FailedHandshakes(Mutex<Logged>);

#[derive(Debug, Default)]
struct Logged {
    at: Option<Instant>,
    unlogged: u64,
}

impl FailedHandshakes {
    /// Logs it as a warning if it is about certificates, which an operator can fix. Clients that speak something else,
    /// or go away, are logged at debug level only.
    pub(crate) fn log(&self, error: &io::Error, now: Instant) {
        tracing::debug!(%error, "a TLS handshake failed");
        if !is_about_certificates(error) {
            return;
        }
        if let Some(others) = self.counted(now) {
            tracing::warn!(%error, others, "a TLS handshake failed because of a certificate");
        }
    }

    /// Counts one more. If it is time to log one, gives how many others there were since the last one that was logged.
    fn counted(&self, now: Instant) -> Option<u64> {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.at.is_some_and(|at| now.duration_since(at) < REMINDER) {
            logged.unlogged += 1;
            return None;
        }
        logged.at = Some(now);
        Some(std::mem::take(&mut logged.unlogged))
    }
}

/// Whether the server did not accept the client's certificate, or the client says that it did not accept the server's.
fn is_about_certificates(error: &io::Error) -> bool {
    matches!(
        error.get_ref().and_then(|error| error.downcast_ref()),
        Some(TlsError::InvalidCertificate(_) | TlsError::NoCertificatesPresented | TlsError::AlertReceived(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn failures_are_logged_once_a_minute_with_the_number_of_those_in_between() {
        let (failed, start) = (FailedHandshakes::default(), Instant::now());
        let counted = |seconds: u64| failed.counted(start + Duration::from_secs(seconds));
        assert_eq!([0, 1, 59, 60, 61, 200].map(counted), [Some(0), None, None, Some(2), None, Some(1)]);
    }

    #[test]
    fn only_certificates_are_an_operators_to_fix() {
        let tls = |error| is_about_certificates(&io::Error::new(io::ErrorKind::InvalidData, error));
        assert!(tls(TlsError::NoCertificatesPresented));
        assert!(tls(TlsError::InvalidCertificate(rustls::CertificateError::UnknownIssuer)));
        assert!(tls(TlsError::AlertReceived(rustls::AlertDescription::UnknownCA)));
        assert!(!tls(TlsError::DecryptError));
        assert!(!is_about_certificates(&io::ErrorKind::UnexpectedEof.into()));
    }
}
