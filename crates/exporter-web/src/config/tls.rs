//! `tls_server_config`: certificate, client certificates, versions, suites and curves.

use std::path::{Path, PathBuf};

use rustls::crypto::SupportedKxGroup;
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};
use secrecy::SecretString;

use super::client_auth::ClientAuth;
use super::sections::TlsSection;
use super::tls_names::{cipher_suite_named, cipher_suite_names, curve_named, curve_names, version_named};
use super::values::{boolean, given};
use crate::error::ConfigError;

/// What a file asks of TLS. The PEM texts are not read yet.
pub(crate) struct TlsSettings {
    pub(crate) certificate: PemSource,
    pub(crate) key: PemSource,
    pub(crate) client_auth: ClientAuth,
    pub(crate) client_ca: Option<PemSource>,
    /// `None` for any name; never empty, and only with a mandatory certificate.
    pub(crate) client_allowed_sans: Option<Vec<String>>,
    /// One or two.
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    /// Empty for all.
    pub(crate) cipher_suites: Vec<SupportedCipherSuite>,
    pub(crate) prefers_own_order: bool,
    /// Empty for all.
    pub(crate) curves: Vec<&'static dyn SupportedKxGroup>,
}

/// A PEM text that the file has or names.
pub(crate) struct PemSource {
    /// The key of the file, for errors.
    pub(crate) key: &'static str,
    pub(crate) place: PemPlace,
}

/// Where a PEM text is.
pub(crate) enum PemPlace {
    /// In a file of its own.
    File(PathBuf),
    /// In the web configuration file itself.
    Inline(SecretString),
}

/// The settings of this section; `None` if it is empty.
pub(super) fn tls(section: TlsSection, directory: &Path) -> Result<Option<TlsSettings>, ConfigError> {
    if section == TlsSection::default() {
        return Ok(None);
    }
    let certificate = source(
        ("tls_server_config.cert", section.cert),
        ("tls_server_config.cert_file", section.cert_file),
        directory,
    )?;
    let key =
        source(("tls_server_config.key", section.key), ("tls_server_config.key_file", section.key_file), directory)?;
    let client_ca = source(
        ("tls_server_config.client_ca", section.client_ca),
        ("tls_server_config.client_ca_file", section.client_ca_file),
        directory,
    )?;
    let missing = |what: &str| {
        ConfigError::at("tls_server_config", format_args!("{what} is missing; without TLS the section must be empty"))
    };
    let certificate = certificate.ok_or_else(|| missing("cert_file (or cert)"))?;
    let key = key.ok_or_else(|| missing("key_file (or key)"))?;

    let client_auth = ClientAuth::parse(given(section.client_auth_type))?;
    let auth_key = "tls_server_config.client_auth_type";
    if client_auth.is_verified() && client_ca.is_none() {
        return Err(ConfigError::at(auth_key, "to verify certificates, client_ca_file (or client_ca) is needed"));
    }
    if client_auth == ClientAuth::None && client_ca.is_some() {
        return Err(ConfigError::at(
            "tls_server_config.client_ca_file",
            "a client_auth_type is needed with it, such as RequireAndVerifyClientCert",
        ));
    }
    let sans_key = "tls_server_config.client_allowed_sans";
    if let Some(sans) = &section.client_allowed_sans {
        if sans.is_empty() {
            return Err(ConfigError::at(sans_key, "an empty list lets nobody in; at least one name is needed"));
        }
        if !client_auth.is_mandatory() {
            return Err(ConfigError::at(
                sans_key,
                "client_auth_type must be RequireAnyClientCert or RequireAndVerifyClientCert with it",
            ));
        }
    }
    Ok(Some(TlsSettings {
        certificate,
        key,
        client_auth,
        client_ca,
        client_allowed_sans: section.client_allowed_sans,
        versions: versions(given(section.min_version), given(section.max_version))?,
        cipher_suites: named(
            "tls_server_config.cipher_suites",
            section.cipher_suites,
            cipher_suite_named,
            cipher_suite_names,
        )?,
        prefers_own_order: match given(section.prefer_server_cipher_suites) {
            Some(text) => boolean("tls_server_config.prefer_server_cipher_suites", &text)?,
            None => true,
        },
        curves: named("tls_server_config.curve_preferences", section.curve_preferences, curve_named, curve_names)?,
    }))
}

/// The versions from `min` to `max`; both by default.
fn versions(min: Option<String>, max: Option<String>) -> Result<Vec<&'static SupportedProtocolVersion>, ConfigError> {
    const OLDEST: &str = "TLS12";
    const NEWEST: &str = "TLS13";
    let version = |key, text: &str| {
        version_named(text).ok_or_else(|| ConfigError::value(key, text, format_args!("{OLDEST} or {NEWEST}")))
    };
    let min_text = min.unwrap_or_else(|| OLDEST.to_owned());
    let max_text = max.unwrap_or_else(|| NEWEST.to_owned());
    let min = version("tls_server_config.min_version", &min_text)?;
    let max = version("tls_server_config.max_version", &max_text)?;
    match (min == max, max_text == NEWEST) {
        (true, _) => Ok(vec![min]),
        (false, true) => Ok(vec![max, min]),
        (false, false) => Err(ConfigError::at(
            "tls_server_config.max_version",
            format_args!("{max_text} is older than min_version, {min_text}"),
        )),
    }
}

/// What the names of a list stand for; empty without a list.
fn named<T>(
    key: &str,
    names: Option<Vec<String>>,
    find: impl Fn(&str) -> Option<T>,
    allowed: impl Fn() -> Vec<String>,
) -> Result<Vec<T>, ConfigError> {
    let found = |name: &String| find(name).ok_or_else(|| ConfigError::value(key, name, allowed().join(", ")));
    names.unwrap_or_default().iter().map(found).collect()
}

/// The one of an inline text and a file that is given.
fn source(
    text: (&'static str, Option<String>),
    file: (&'static str, Option<String>),
    directory: &Path,
) -> Result<Option<PemSource>, ConfigError> {
    match (given(text.1), given(file.1)) {
        (Some(_), Some(_)) => {
            Err(ConfigError::at(file.0, format_args!("use one of {} and {}, not both", file.0, text.0)))
        }
        (Some(secret), None) => Ok(Some(PemSource { key: text.0, place: PemPlace::Inline(secret.into()) })),
        // Not shown: someone who confuses the two keys puts a private key here.
        (None, Some(path)) if path.contains('\n') || path.contains("-----BEGIN") => {
            Err(ConfigError::at(file.0, format_args!("the path of a file is needed; PEM text goes into {}", text.0)))
        }
        (None, Some(path)) => Ok(Some(PemSource { key: file.0, place: PemPlace::File(directory.join(path)) })),
        (None, None) => Ok(None),
    }
}
