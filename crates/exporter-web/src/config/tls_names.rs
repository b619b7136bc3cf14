//! Go's names of TLS versions, cipher suites and curves, as far as rustls has them.
//!
//! rustls lacks TLS 1.0 and 1.1, cipher suites with CBC or without forward secrecy, and the curve P-521. They have no
//! name here, so the file's reader refuses them.

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::ring::{ALL_CIPHER_SUITES, ALL_KX_GROUPS};
use rustls::{NamedGroup, SupportedCipherSuite, SupportedProtocolVersion, version};

/// The TLS version with this name in Go.
pub(super) fn version_named(name: &str) -> Option<&'static SupportedProtocolVersion> {
    match name {
        "TLS12" => Some(&version::TLS12),
        "TLS13" => Some(&version::TLS13),
        _ => None,
    }
}

/// Go's name of a suite is the registered one; rustls adds a mark to those of TLS 1.3.
fn name_of(suite: &SupportedCipherSuite) -> String {
    suite.suite().as_str().unwrap_or_default().replace("TLS13_", "TLS_")
}

/// The cipher suite with this name in Go.
pub(super) fn cipher_suite_named(name: &str) -> Option<SupportedCipherSuite> {
    ALL_CIPHER_SUITES.iter().find(|suite| name_of(suite) == name).copied()
}

/// Every name that [`cipher_suite_named`] knows.
pub(super) fn cipher_suite_names() -> Vec<String> {
    ALL_CIPHER_SUITES.iter().map(name_of).collect()
}

/// Go's names of the curves that ring has. Source: Go's `tls.CurveID`.
const CURVES: [(&str, NamedGroup); 3] =
    [("X25519", NamedGroup::X25519), ("CurveP256", NamedGroup::secp256r1), ("CurveP384", NamedGroup::secp384r1)];

/// The curve with this name in Go.
pub(super) fn curve_named(name: &str) -> Option<&'static dyn SupportedKxGroup> {
    let group = CURVES.iter().find(|(known, _)| *known == name)?.1;
    ALL_KX_GROUPS.iter().find(|curve| curve.name() == group).copied()
}

/// Every name that [`curve_named`] knows.
pub(super) fn curve_names() -> Vec<String> {
    CURVES.iter().map(|(name, _)| (*name).to_owned()).collect()
}
