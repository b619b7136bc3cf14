//! What is in force: the settings of a file, ready for use.

use std::path::Path;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::config::{ClientAuth, Settings};
use crate::error::ConfigError;
use crate::files::FilesOnDisk;
use crate::login::{BasicAuth, LoginQueue, Users};
use crate::peer::Peer;
use crate::pem::Pems;
use crate::rate_limit::Bucket;
use crate::refusal::Refusal;
use crate::tls::server_config;

/// What is in force.
pub(crate) struct Rules {
    /// What connections are accepted with; `None` for plain HTTP.
    pub(crate) tls: Option<TlsAcceptor>,
    client_auth: ClientAuth,
    /// Whether only certificates with certain names are let in.
    has_allowed_sans: bool,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) users: Option<Arc<Users>>,
    pub(crate) limit: Option<Bucket>,
}

impl Rules {
    /// Plain HTTP for everybody.
    pub(crate) fn none() -> Self {
        Self {
            tls: None,
            client_auth: ClientAuth::None,
            has_allowed_sans: false,
            headers: Vec::new(),
            users: None,
            limit: None,
        }
    }

    /// What the files at `path` ask for. With rules that were in force `before`, a change that would take a protection
    /// away is an error.
    pub(crate) fn of(files: FilesOnDisk, path: &Path, before: Option<&Self>) -> Result<Self, ConfigError> {
        let (settings, pems) = files.meaning?;
        let rules = Self::new(settings, pems.as_ref(), before);
        rules
            .and_then(|rules| match before {
                Some(before) => before.allow_change_to(&rules).map(|()| rules),
                None => Ok(rules),
            })
            .map_err(|error| error.within(path))
    }

    fn new(settings: Settings, pems: Option<&Pems>, before: Option<&Self>) -> Result<Self, ConfigError> {
        let tls = match (&settings.tls, pems) {
            (Some(tls), Some(pems)) => Some(TlsAcceptor::from(server_config(tls, pems)?)),
            _ => None,
        };
        let users_before = before.and_then(|rules| rules.users.as_deref());
        Ok(Self {
            tls,
            client_auth: settings.tls.as_ref().map_or(ClientAuth::None, |tls| tls.client_auth),
            has_allowed_sans: settings.tls.as_ref().is_some_and(|tls| tls.client_allowed_sans.is_some()),
            headers: settings.headers,
            users: Users::new(settings.users, users_before)?.map(Arc::new),
            limit: settings.rate.map(Bucket::new),
        })
    }

    /// A file that is emptied, or still being written, must not open the pages. Neither can clients follow a switch
    /// between HTTP and HTTPS.
    fn allow_change_to(&self, after: &Self) -> Result<(), ConfigError> {
        let needs_restart = |key, what: &str| Err(ConfigError::at(key, format_args!("{what} needs a restart")));
        match (self.tls.is_some(), after.tls.is_some()) {
            (false, true) => return needs_restart("tls_server_config", "switching TLS on"),
            (true, false) => return needs_restart("tls_server_config", "switching TLS off"),
            _ => {}
        }
        if self.client_auth.is_mandatory() && !after.client_auth.is_mandatory()
            || self.client_auth.is_verified() && !after.client_auth.is_verified()
        {
            return needs_restart("tls_server_config.client_auth_type", "demanding less of client certificates");
        }
        if self.has_allowed_sans && !after.has_allowed_sans {
            return needs_restart("tls_server_config.client_allowed_sans", "allowing client certificates of any name");
        }
        if self.users.is_some() && after.users.is_none() {
            return needs_restart("basic_auth_users", "switching logins off");
        }
        Ok(())
    }

    /// Whether a request with these headers may be served. Waits while a login is checked.
    pub(crate) async fn admit(&self, headers: &HeaderMap, peer: Peer, queue: &LoginQueue) -> Result<(), Refusal> {
        if self.limit.as_ref().is_some_and(|limit| !limit.take(Instant::now())) {
            return Err(Refusal::TooMany);
        }
        let Some(users) = &self.users else { return Ok(()) };
        let login = BasicAuth::of(headers).ok_or(Refusal::Login)?;
        users.admit(login, peer, queue).await
    }

    /// Sets the headers of the file. They replace the server's own.
    pub(crate) fn set_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// Logs what is in force, and what an operator may believe to be in force and is not.
    pub(crate) fn log(&self) {
        let (has_tls, users) = (self.tls.is_some(), self.users.as_ref().map_or(0, |users| users.len()));
        tracing::info!(
            tls = has_tls,
            client_auth_type = self.client_auth.name(),
            users,
            rate_limit = self.limit.is_some(),
            "web configuration (--web.config.file)"
        );
        if !has_tls && users == 0 {
            tracing::warn!("the web configuration (--web.config.file) protects nothing: no TLS and no logins");
        }
        if !has_tls && users > 0 {
            tracing::warn!("logins without TLS (--web.config.file): passwords can be read on the network");
        }
        if self.client_auth != ClientAuth::None && self.client_auth != ClientAuth::RequireAndVerify {
            tracing::warn!(
                client_auth_type = self.client_auth.name(),
                "clients without a certificate signed by client_ca_file are let in; only RequireAndVerifyClientCert \
                 keeps them out"
            );
        }
    }
}
