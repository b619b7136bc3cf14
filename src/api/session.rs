//! The token that calls are made with: read, renewed, or got by a login.

use std::path::Path;
use std::time::Duration;

use delivery_ledger::fleet::schedule::backoff;
use http::Method;
use http::header::{ACCEPT_CHARSET, CONTENT_TYPE};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::call::{CallResult, Endpoint};
use super::credentials::{Credentials, read_password, read_token};
use super::error::CallError;
use super::sinks::LoginSink;
use super::token_expiry::expiry;
use super::transport::{Opened, Transport};
use crate::secret::Secret;

/// One account, and the token that is in use for it. Whoever renews it holds the lock meanwhile, so that many calls
/// that are refused at once renew it once.
#[derive(Debug)]
pub(super) struct Session {
    credentials: Credentials,
    current: Mutex<Current>,
}

#[derive(Debug, Default)]
struct Current {
    token: Option<Secret>,
    /// When the token says it expires, in seconds since 1970.
    expires_at: Option<f64>,
    /// Goes up with each new token.
    generation: u64,
    refusal: Option<Refusal>,
    is_file_unreadable: bool,
}

/// A login that the API refused. The same password is not tried again too soon: many tries can lock an account.
#[derive(Debug)]
struct Refusal {
    in_a_row: u32,
    until: Instant,
    password: Secret,
}

impl Session {
    pub(super) fn new(credentials: Credentials) -> Self {
        let mut current = Current::default();
        if let Credentials::Token(token) = &credentials {
            current.take(token.clone());
        }
        Self { credentials, current: Mutex::new(current) }
    }

    /// The token to call with, if the account has one, and its generation.
    pub(super) async fn token(&self, transport: &Transport) -> Result<(Option<Secret>, u64), CallError> {
        let mut current = self.current.lock().await;
        match &self.credentials {
            Credentials::Anonymous | Credentials::Token(_) => {}
            Credentials::TokenFile(path) => {
                current.read_file(path);
            }
            Credentials::Login { email, password_file } => {
                if current.token.is_none() {
                    log_in(&mut current, email, password_file, transport).await?;
                }
            }
        }
        transport.token_expires_at(current.expires_at);
        Ok((current.token.clone(), current.generation))
    }

    /// A token other than that of `generation`, which was refused; `None` if there is none.
    pub(super) async fn renew(&self, generation: u64, transport: &Transport) -> Result<Option<Secret>, CallError> {
        let mut current = self.current.lock().await;
        if current.generation == generation {
            match &self.credentials {
                Credentials::Anonymous | Credentials::Token(_) => return Ok(None),
                Credentials::TokenFile(path) => {
                    if !current.read_file(path) {
                        return Ok(None);
                    }
                }
                Credentials::Login { email, password_file } => {
                    current.token = None;
                    log_in(&mut current, email, password_file, transport).await?;
                }
            }
        }
        transport.token_expires_at(current.expires_at);
        Ok(current.token.clone())
    }
}

/// Logs in, unless the same password was refused too short a time ago.
async fn log_in(
    current: &mut Current,
    email: &str,
    password_file: &Path,
    transport: &Transport,
) -> Result<(), CallError> {
    let password = read_password(password_file).map_err(CallError::from_secret)?;
    let refusals = current.refusals_of(&password, Instant::now())?;
    match request_token(email, &password, transport).await {
        Ok(token) => {
            current.take(token);
            current.refusal = None;
            tracing::debug!("logged in");
            Ok(())
        }
        Err(error) => {
            if matches!(error.result, CallResult::Unauthorized | CallResult::Forbidden | CallResult::HttpError) {
                let in_a_row = refusals + 1;
                // From 2 s up, and never at once: `random` is at least a half here.
                let wait = backoff(in_a_row.saturating_add(2), Duration::MAX, 0.5 + rand::random::<f64>() / 2.0);
                current.refusal = Some(Refusal { in_a_row, until: Instant::now() + wait, password });
            }
            Err(error.in_login())
        }
    }
}

/// The call of the login.
async fn request_token(email: &str, password: &Secret, transport: &Transport) -> Result<Secret, CallError> {
    let body = serde_json::json!({ "email": email, "password": password.expose() }).to_string();
    let request = transport
        .request(Method::POST, "/auth/local")
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT_CHARSET, "utf-8")
        .body(body);
    match transport.send(Endpoint::Login, request, false).await? {
        Opened::Body(body) => transport.drain(body, LoginSink::default()).await.map(|(token, ..)| token),
        // Only a conditional call can bring it.
        Opened::NotModified { .. } => Err(CallError::login_refused()),
    }
}

impl Current {
    /// Calls are made with `token` from now on.
    fn take(&mut self, token: Secret) {
        self.expires_at = expiry(&token);
        self.token = Some(token);
        self.generation += 1;
    }

    /// How often this password was refused in a row.
    ///
    /// # Errors
    ///
    /// If the last time is too short ago to try again at `now`.
    fn refusals_of(&self, password: &Secret, now: Instant) -> Result<u32, CallError> {
        match self.refusal.as_ref().filter(|refusal| refusal.password == *password) {
            Some(refusal) if now < refusal.until => Err(CallError::login_refused()),
            Some(refusal) => Ok(refusal.in_a_row),
            None => Ok(0),
        }
    }

    /// Reads the token file; says whether it holds another token than before. A file that cannot be read changes
    /// nothing: it may be in the middle of being replaced.
    fn read_file(&mut self, path: &Path) -> bool {
        match read_token(path) {
            Ok(token) => {
                self.is_file_unreadable = false;
                let is_new = self.token.as_ref() != Some(&token);
                if is_new {
                    self.take(token);
                }
                is_new
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_file_unreadable, true) {
                    tracing::warn!(%error, "failed to read the token file; using the last token that it held");
                }
                false
            }
        }
    }
}
