//! The file's text → settings that this server can honour.
//!
//! The format is the exporter-toolkit's, `docs/web-configuration.md`. Every key of it is known here; any other key is
//! refused, and so is a value that this server cannot honour. An empty value counts as not given, as in the toolkit, but
//! a `tls_server_config` with any key in it has to result in TLS.
//!
//! YAML is read into strings only. Whether a string is a number or a boolean is decided where the key is known, so no
//! library prints a value that may be a secret.

mod client_auth;
mod headers;
mod rate;
mod sections;
mod settings;
mod tls;
mod tls_names;
mod users;
mod values;
mod yaml;

pub(crate) use self::client_auth::ClientAuth;
pub(crate) use self::rate::Rate;
pub(crate) use self::settings::{Settings, parse};
pub(crate) use self::tls::{PemPlace, PemSource, TlsSettings};
