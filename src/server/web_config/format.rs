//! The file's text → settings that are known to be possible.
//!
//! The format is the exporter-toolkit's, `docs/web-configuration.md`: every key of it is known here, any other is
//! refused, and so is a value that this server could not honour. Each refusal is one line that names the key, the value
//! unless it is secret, and what is allowed. Empty values count as not given, as in the toolkit; but a
//! `tls_server_config` with any key in it has to lead to TLS.
//!
//! YAML is read into text only: what is a number or a yes is decided here, where the key is known, and no library
//! prints a value that may be a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use rustls::crypto::SupportedKxGroup;
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};
use serde::Deserialize;
use serde_saphyr::Error as YamlError;

use super::limit::Rate;
use super::tls::{cipher_suite_named, cipher_suite_names, curve_named, curve_names, version_named};
use crate::secret::Secret;

/// Why a file cannot be used, as one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

impl Refused {
    pub(super) fn because(key: &str, problem: impl std::fmt::Display) -> Self {
        Self(format!("{key}: {problem}"))
    }

    fn value(key: &str, value: &str, allowed: impl std::fmt::Display) -> Self {
        Self::because(key, format_args!("{value:?} is not allowed; allowed is {allowed}"))
    }

    pub(super) fn within(self, path: &Path) -> Self {
        Self(format!("{}: {}", path.display(), self.0))
    }
}

/// What a file asks for.
pub(super) struct Settings {
    pub(super) tls: Option<Tls>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) users: BTreeMap<String, Secret>,
    pub(super) rate: Option<Rate>,
}

pub(super) struct Tls {
    pub(super) certificate: Source,
    pub(super) key: Source,
    pub(super) client_auth: ClientAuth,
    pub(super) client_ca: Option<Source>,
    pub(super) client_allowed_sans: Option<Vec<String>>,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    pub(super) cipher_suites: Vec<SupportedCipherSuite>,
    pub(super) prefers_own_order: bool,
    pub(super) curves: Vec<&'static dyn SupportedKxGroup>,
}

/// Where PEM text comes from.
pub(super) struct Source {
    /// The key that names it.
    pub(super) key: &'static str,
    pub(super) place: Place,
}

pub(super) enum Place {
    File(PathBuf),
    Text(Secret),
}

/// What is demanded of clients. Source: Go's `tls.ClientAuthType`, from which the names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuth {
    None,
    Request,
    RequireAny,
    VerifyIfGiven,
    RequireAndVerify,
}

impl ClientAuth {
    const NAMES: [(&str, Self); 5] = [
        ("NoClientCert", Self::None),
        ("RequestClientCert", Self::Request),
        ("RequireAnyClientCert", Self::RequireAny),
        ("VerifyClientCertIfGiven", Self::VerifyIfGiven),
        ("RequireAndVerifyClientCert", Self::RequireAndVerify),
    ];

    pub(super) fn is_mandatory(self) -> bool {
        matches!(self, Self::RequireAny | Self::RequireAndVerify)
    }

    /// Its name in the file.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, auth)| *auth == self).map_or("", |(name, _)| name)
    }

    pub(super) fn is_verified(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    tls_server_config: Option<TlsSection>,
    http_server_config: Option<HttpSection>,
    basic_auth_users: Option<BTreeMap<String, Option<String>>>,
    rate_limit: Option<RateSection>,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(deny_unknown_fields, default)]
struct TlsSection {
    cert_file: Option<String>,
    key_file: Option<String>,
    cert: Option<String>,
    key: Option<String>,
    client_auth_type: Option<String>,
    client_ca_file: Option<String>,
    client_ca: Option<String>,
    client_allowed_sans: Option<Vec<String>>,
    min_version: Option<String>,
    max_version: Option<String>,
    cipher_suites: Option<Vec<String>>,
    prefer_server_cipher_suites: Option<String>,
    curve_preferences: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct HttpSection {
    http2: Option<String>,
    headers: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RateSection {
    interval: Option<String>,
    burst: Option<String>,
}

/// Reads the text of a file in `directory`, on which relative paths stand.
pub(super) fn parse(text: &[u8], directory: &Path) -> Result<Settings, Refused> {
    let mut options = serde_saphyr::Options::default();
    // An error's excerpt of the file could show a secret.
    options.with_snippet = false;
    let text = std::str::from_utf8(text).map_err(|_| Refused("this is no UTF-8 text".to_owned()))?;
    let file: Option<File> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| in_own_words(&error, text))?;
    let file = file.unwrap_or_default();
    let http = file.http_server_config.unwrap_or_default();
    if let Some(http2) = given(http.http2) {
        // Either is kept: whether a connection speaks HTTP/2 is agreed upon, and this server offers HTTP/1.1 only.
        boolean("http_server_config.http2", &http2)?;
    }
    Ok(Settings {
        tls: tls(file.tls_server_config.unwrap_or_default(), directory)?,
        headers: headers(http.headers.unwrap_or_default())?,
        users: users(file.basic_auth_users.unwrap_or_default())?,
        rate: rate(file.rate_limit.unwrap_or_default())?,
    })
}

/// What the library says, but for anything that stands in the file as a value.
fn in_own_words(error: &YamlError, text: &str) -> Refused {
    let error = error.without_snippet();
    let line = error.location().map_or(0, |location| location.line());
    // The key on that line, where it is one of ours: nothing else of the line may be shown.
    let on_line = usize::try_from(line).ok().and_then(|line| text.lines().nth(line.checked_sub(1)?));
    let key = on_line.and_then(|line| line.split_once(':')).map(|(key, _)| key.trim()).filter(|key| is_known(key));
    let place = match key {
        Some(key) => format!("line {line}, {key}"),
        None => format!("line {line}"),
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's other errors are all the same to the user")]
    let problem = match error {
        YamlError::SerdeUnknownField { field, expected, .. } => {
            let field = shown(field);
            return Refused(format!(
                "line {line}: {field} is no key of this place; allowed are {}",
                expected.join(", ")
            ));
        }
        YamlError::DuplicateMappingKey { key: Some(key), .. } => {
            return Refused(format!("line {line}: {} is there twice; allowed is once", shown(key)));
        }
        YamlError::DuplicateMappingKey { key: None, .. } => "a key is there twice; allowed is once",
        YamlError::Unexpected { expected: "mapping start", .. } => "keys with values are needed here",
        YamlError::Unexpected { expected: "sequence start", .. } => "a list is needed here",
        YamlError::Unexpected { .. } | YamlError::NullIntoString { .. } => "one text is needed here",
        YamlError::MultipleDocuments { .. } => "a second document begins; allowed is one",
        _ => "this is no YAML",
    };
    Refused(format!("{place}: {problem}"))
}

/// A key of the file, unless it may be more than one: a name and a hash, or a text of several lines.
fn shown(key: &str) -> String {
    let is_name = !key.is_empty() && key.len() <= 64 && !key.contains([':', '$', '\n', '\r']);
    if is_name { format!("{key:?}") } else { "a key".to_owned() }
}

fn is_known(key: &str) -> bool {
    const SECTIONS: [&str; 4] = ["tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"];
    const KEYS: [&str; 17] = [
        "cert_file",
        "key_file",
        "cert",
        "key",
        "client_auth_type",
        "client_ca_file",
        "client_ca",
        "client_allowed_sans",
        "min_version",
        "max_version",
        "cipher_suites",
        "prefer_server_cipher_suites",
        "curve_preferences",
        "http2",
        "headers",
        "interval",
        "burst",
    ];
    SECTIONS.contains(&key) || KEYS.contains(&key)
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// YAML 1.1's words for yes and no, as the toolkit's library has them.
fn boolean(key: &str, text: &str) -> Result<bool, Refused> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Ok(true),
        "false" | "no" | "off" | "n" => Ok(false),
        _ => Err(Refused::value(key, text, "true or false")),
    }
}

/// The one of a text and a file that is given.
fn source(
    text: (&'static str, Option<String>),
    file: (&'static str, Option<String>),
    directory: &Path,
) -> Result<Option<Source>, Refused> {
    match (given(text.1), given(file.1)) {
        (Some(_), Some(_)) => {
            Err(Refused::because(file.0, format_args!("allowed is one of {} and {}, not both", file.0, text.0)))
        }
        (Some(secret), None) => Ok(Some(Source { key: text.0, place: Place::Text(Secret::new(secret)) })),
        // Not to be shown: whoever takes one key for the other puts a private key here.
        (None, Some(path)) if path.contains('\n') || path.contains("-----BEGIN") => {
            Err(Refused::because(file.0, format_args!("the path of a file is needed; PEM text goes into {}", text.0)))
        }
        (None, Some(path)) => Ok(Some(Source { key: file.0, place: Place::File(directory.join(path)) })),
        (None, None) => Ok(None),
    }
}

fn tls(section: TlsSection, directory: &Path) -> Result<Option<Tls>, Refused> {
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
        Refused::because("tls_server_config", format_args!("{what} is missing; without TLS the section must be empty"))
    };
    let certificate = certificate.ok_or_else(|| missing("cert_file (or cert)"))?;
    let key = key.ok_or_else(|| missing("key_file (or key)"))?;

    let client_auth = client_auth(given(section.client_auth_type))?;
    let auth_key = "tls_server_config.client_auth_type";
    if client_auth.is_verified() && client_ca.is_none() {
        return Err(Refused::because(auth_key, "to verify certificates, client_ca_file (or client_ca) is needed"));
    }
    if client_auth == ClientAuth::None && client_ca.is_some() {
        return Err(Refused::because(
            "tls_server_config.client_ca_file",
            "a client_auth_type is needed with it, such as RequireAndVerifyClientCert",
        ));
    }
    let sans_key = "tls_server_config.client_allowed_sans";
    if let Some(sans) = &section.client_allowed_sans {
        if sans.is_empty() {
            return Err(Refused::because(sans_key, "an empty list allows nobody; at least one name is needed"));
        }
        if !client_auth.is_mandatory() {
            return Err(Refused::because(
                sans_key,
                "client_auth_type must be RequireAnyClientCert or RequireAndVerifyClientCert with it",
            ));
        }
    }
    Ok(Some(Tls {
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

fn client_auth(text: Option<String>) -> Result<ClientAuth, Refused> {
    let Some(text) = text else { return Ok(ClientAuth::None) };
    // The toolkit's older name.
    let name = if text == "RequireClientCert" { "RequireAnyClientCert" } else { &text };
    let found = ClientAuth::NAMES.iter().find(|(known, _)| *known == name).map(|(_, auth)| *auth);
    found.ok_or_else(|| {
        let names: Vec<_> = ClientAuth::NAMES.iter().map(|(name, _)| *name).collect();
        Refused::value("tls_server_config.client_auth_type", &text, names.join(", "))
    })
}

/// The versions from `min` to `max`; both by default.
fn versions(min: Option<String>, max: Option<String>) -> Result<Vec<&'static SupportedProtocolVersion>, Refused> {
    const OLDEST: &str = "TLS12";
    const NEWEST: &str = "TLS13";
    let version = |key, text: &str| {
        version_named(text).ok_or_else(|| Refused::value(key, text, format_args!("{OLDEST} or {NEWEST}")))
    };
    let min_text = min.unwrap_or_else(|| OLDEST.to_owned());
    let max_text = max.unwrap_or_else(|| NEWEST.to_owned());
    let min = version("tls_server_config.min_version", &min_text)?;
    let max = version("tls_server_config.max_version", &max_text)?;
    match (min == max, max_text == NEWEST) {
        (true, _) => Ok(vec![min]),
        (false, true) => Ok(vec![max, min]),
        (false, false) => Err(Refused::because(
            "tls_server_config.max_version",
            format_args!("{max_text} is older than min_version, {min_text}"),
        )),
    }
}

/// What a list of names means; empty if there is none.
fn named<T>(
    key: &str,
    names: Option<Vec<String>>,
    find: impl Fn(&str) -> Option<T>,
    allowed: impl Fn() -> Vec<String>,
) -> Result<Vec<T>, Refused> {
    let found = |name: &String| find(name).ok_or_else(|| Refused::value(key, name, allowed().join(", ")));
    names.unwrap_or_default().iter().map(found).collect()
}

/// The headers that may be set, and their values where those are few. Source: the toolkit's `web/handler.go`.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

fn headers(section: BTreeMap<String, Option<String>>) -> Result<Vec<(HeaderName, HeaderValue)>, Refused> {
    let mut headers = Vec::new();
    for (name, value) in section {
        let Some((_, values)) = HEADERS.iter().find(|(known, _)| *known == name) else {
            let names: Vec<_> = HEADERS.iter().map(|(name, _)| *name).collect();
            return Err(Refused::value("http_server_config.headers", &name, names.join(", ")));
        };
        let key = format!("http_server_config.headers.{name}");
        let value = value.unwrap_or_default();
        if !values.is_empty() && !values.contains(&value.as_str()) {
            return Err(Refused::value(&key, &value, values.join(" or ")));
        }
        if value.is_empty() {
            continue;
        }
        let parsed = HeaderValue::from_str(&value)
            .map_err(|_| Refused::value(&key, &value, "one line of printable ASCII characters"))?;
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Refused::value("http_server_config.headers", &name, "the name of a header"))?;
        headers.push((name, parsed));
    }
    Ok(headers)
}

/// Their hashes are looked at in `login.rs`, where it is known what can be done with them.
fn users(section: BTreeMap<String, Option<String>>) -> Result<BTreeMap<String, Secret>, Refused> {
    let user = |(name, hash): (String, Option<String>)| {
        if name.contains(':') {
            // Whoever forgets the blank behind the colon has written name and hash into one: nothing of it is shown.
            return Err(Refused::because("basic_auth_users", "a user's name has a colon; allowed is one without"));
        }
        Ok((name, Secret::new(hash.unwrap_or_default())))
    };
    section.into_iter().map(user).collect()
}

fn rate(section: RateSection) -> Result<Option<Rate>, Refused> {
    const ALLOWED_INTERVAL: &str = "a duration such as 100ms or 1s, up to 24h, or 0 for no limit";
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    const ALLOWED_BURST: &str = "a whole number from 1 up";
    let interval = given(section.interval);
    let burst = given(section.burst);
    let Some(interval) = interval else {
        return match burst {
            Some(_) => {
                Err(Refused::because("rate_limit.interval", format_args!("missing; needed is {ALLOWED_INTERVAL}")))
            }
            None => Ok(None),
        };
    };
    let duration = humantime::parse_duration(&interval).ok().filter(|duration| *duration <= LONGEST);
    let duration = duration.ok_or_else(|| Refused::value("rate_limit.interval", &interval, ALLOWED_INTERVAL))?;
    if duration == Duration::ZERO {
        return Ok(None);
    }
    let Some(burst) = burst else {
        return Err(Refused::because("rate_limit.burst", format_args!("missing; needed is {ALLOWED_BURST}")));
    };
    let count = burst.parse::<u32>().ok().filter(|burst| *burst > 0);
    let burst = count.ok_or_else(|| Refused::value("rate_limit.burst", &burst, ALLOWED_BURST))?;
    Ok(Some(Rate { interval: duration, burst }))
}
