//! TLS handshakes that fail: said, but so seldom that nobody can flood the log with them.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustls::Error as TlsError;
use tokio::time::Instant;

/// How often failures that go on are said. A convention.
const REMINDER: Duration = Duration::from_secs(60);

/// What is known of failed handshakes.
#[derive(Debug, Default)]
pub(super) struct FailedHandshakes(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    at: Option<Instant>,
    untold: u64,
}

impl FailedHandshakes {
    /// Says it in the log if it is about certificates, which somebody may want to mend: whoever knocks with something
    /// else, or goes away, is no news.
    pub(super) fn say(&self, error: &io::Error, now: Instant) {
        tracing::debug!(%error, "a TLS handshake failed");
        if !is_about_certificates(error) {
            return;
        }
        if let Some(others) = self.counted(now) {
            tracing::warn!(%error, others, "a TLS handshake failed over a certificate");
        }
    }

    /// Counts one more; gives how many others there were since the last one that was said, if it is time to say one.
    fn counted(&self, now: Instant) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.at.is_some_and(|at| now.duration_since(at) < REMINDER) {
            told.untold += 1;
            return None;
        }
        told.at = Some(now);
        Some(std::mem::take(&mut told.untold))
    }
}

/// Whether the client's certificate was not good enough, or the client says so of the server's.
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
    async fn failures_are_told_once_a_minute_with_the_number_of_those_in_between() {
        let (failed, start) = (FailedHandshakes::default(), Instant::now());
        let counted = |seconds: u64| failed.counted(start + Duration::from_secs(seconds));
        assert_eq!([0, 1, 59, 60, 61, 200].map(counted), [Some(0), None, None, Some(2), None, Some(1)]);
    }

    #[test]
    fn only_certificates_are_somebodys_to_mend() {
        let tls = |error| is_about_certificates(&io::Error::new(io::ErrorKind::InvalidData, error));
        assert!(tls(TlsError::NoCertificatesPresented));
        assert!(tls(TlsError::InvalidCertificate(rustls::CertificateError::UnknownIssuer)));
        assert!(tls(TlsError::AlertReceived(rustls::AlertDescription::UnknownCA)));
        assert!(!tls(TlsError::DecryptError));
        assert!(!is_about_certificates(&io::ErrorKind::UnexpectedEof.into()));
    }
}
