//! `--web.config.file`: who may see the pages, and over what. The format is the exporter-toolkit's.
//!
//! The file, and the files that it names, are looked at again when a connection or a request comes and the last look was
//! a second ago: no timer, and nothing to do while nobody asks. It is their content that is compared, so a Kubernetes
//! Secret whose links are swapped is seen like any other change. A look happens off the async threads, one at a time,
//! and is waited for a quarter of a second at most: then the answer is given by what is known, and a file system that
//! hangs holds nobody up.
//!
//! What is broken after a change leaves all as it was, is said once, and counted. So is a change that would switch TLS
//! on or off, or logins off, or ask less of clients' certificates: a file that somebody empties, or is just writing, must
//! not open the pages. It takes a restart.

mod format;
mod limit;
mod login;
mod queue;
#[cfg(test)]
mod tests;
mod tls;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub use self::format::Refused;
use self::format::{ClientAuth, Place, Settings, Source};
use self::limit::Bucket;
use self::login::{Login, Users};
use self::queue::Queue;
use self::tls::Pems;
use crate::server::connections::Client;
use crate::telemetry::{Instruments, ReloadResult};

/// Between two looks. What changes shows within it, and a flood of connections reads no file more often. A convention.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a request waits for a look: many times what a disk takes, and nothing to a scraper's timeout of seconds.
const LOOK_PATIENCE: Duration = Duration::from_millis(250);

/// A change is believed once it has been so for this long: whoever writes a file or two is not done at the first byte.
const SETTLE_FOR: Duration = Duration::from_millis(50);

/// So often a change is looked at until it is believed; then the next look goes on.
const SETTLE_LOOKS: usize = 3;

/// What is in force.
struct Rules {
    tls: Option<TlsAcceptor>,
    client_auth: ClientAuth,
    /// Whether only clients with certain names are let in.
    has_allowed_sans: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
    users: Option<Arc<Users>>,
    limit: Option<Bucket>,
}

/// PEM text, and where it came from.
struct Pem {
    origin: String,
    text: Vec<u8>,
}

impl Pem {
    fn refused(&self, problem: &str) -> Refused {
        Refused::because(&self.origin, problem)
    }
}

/// What was read, file by file. Never shown: there are keys in it.
type Contents = Vec<Result<Vec<u8>, io::ErrorKind>>;

/// The file and those that it names, as they are on disk.
struct Found {
    contents: Contents,
    meaning: Result<(Settings, Option<Pems>), Refused>,
}

impl Found {
    fn at(path: &Path) -> Self {
        let mut contents = Contents::new();
        let meaning = Self::read(path, &mut contents).map_err(|refused| refused.within(path));
        Self { contents, meaning }
    }

    fn read(path: &Path, contents: &mut Contents) -> Result<(Settings, Option<Pems>), Refused> {
        let mut read = |path: &Path| {
            let content = std::fs::read(path);
            contents.push(content.as_ref().map(Clone::clone).map_err(io::Error::kind));
            content
        };
        let text = read(path).map_err(|error| Refused::because("a readable file is needed", error))?;
        let settings = format::parse(&text, path.parent().unwrap_or(Path::new("")))?;
        let mut pem = |source: &Source| match &source.place {
            Place::Text(text) => Ok(Pem { origin: source.key.to_owned(), text: text.expose().as_bytes().to_vec() }),
            Place::File(path) => {
                let origin = format!("{}: {}", source.key, path.display());
                match read(path) {
                    Ok(text) => Ok(Pem { origin, text }),
                    Err(error) => Err(Refused::because(&origin, format_args!("{error}; a readable file is needed"))),
                }
            }
        };
        let pems = match &settings.tls {
            Some(tls) => Some(Pems {
                certificate: pem(&tls.certificate)?,
                key: pem(&tls.key)?,
                client_ca: tls.client_ca.as_ref().map(pem).transpose()?,
            }),
            None => None,
        };
        Ok((settings, pems))
    }

    fn rules(self, path: &Path, before: Option<&Rules>) -> Result<Rules, Refused> {
        let (settings, pems) = self.meaning?;
        Rules::new(settings, pems.as_ref(), before).map_err(|refused| refused.within(path))
    }
}

impl Rules {
    fn none() -> Self {
        Self {
            tls: None,
            client_auth: ClientAuth::None,
            has_allowed_sans: false,
            headers: Vec::new(),
            users: None,
            limit: None,
        }
    }

    fn new(settings: Settings, pems: Option<&Pems>, before: Option<&Self>) -> Result<Self, Refused> {
        let tls = match (&settings.tls, pems) {
            (Some(tls), Some(pems)) => Some(TlsAcceptor::from(tls::server(tls, pems)?)),
            _ => None,
        };
        let client_auth = settings.tls.as_ref().map_or(ClientAuth::None, |tls| tls.client_auth);
        let has_allowed_sans = settings.tls.as_ref().is_some_and(|tls| tls.client_allowed_sans.is_some());
        let users = Users::new(settings.users, before.and_then(|rules| rules.users.as_deref()))?.map(Arc::new);
        if let Some(before) = before {
            if before.tls.is_some() != tls.is_some() {
                let turn = if tls.is_some() { "on" } else { "off" };
                return Err(Refused::because(
                    "tls_server_config",
                    format_args!("TLS is switched {turn} by a restart only"),
                ));
            }
            if before.client_auth.is_mandatory() && !client_auth.is_mandatory()
                || before.client_auth.is_verified() && !client_auth.is_verified()
            {
                let problem = "less is asked of clients' certificates by a restart only";
                return Err(Refused::because("tls_server_config.client_auth_type", problem));
            }
            if before.has_allowed_sans && !has_allowed_sans {
                let problem = "certificates of any name are let in by a restart only";
                return Err(Refused::because("tls_server_config.client_allowed_sans", problem));
            }
            if before.users.is_some() && users.is_none() {
                return Err(Refused::because("basic_auth_users", "logins are switched off by a restart only"));
            }
        }
        Ok(Self {
            tls,
            client_auth,
            has_allowed_sans,
            headers: settings.headers,
            users,
            limit: settings.rate.map(Bucket::new),
        })
    }

    /// Says what is in force, and what somebody may have thought to be and is not.
    fn say(&self) {
        let (has_tls, users) = (self.tls.is_some(), self.users.as_ref().map_or(0, |users| users.len()));
        tracing::info!(
            tls = has_tls,
            client_auth_type = self.client_auth.name(),
            users,
            rate_limit = self.limit.is_some(),
            "what the web configuration (--web.config.file) asks for"
        );
        if !has_tls && users == 0 {
            tracing::warn!("the web configuration (--web.config.file) protects nothing: everybody may read the pages");
        }
        if !has_tls && users > 0 {
            tracing::warn!("logins without TLS (--web.config.file): passwords can be read on the way");
        }
        if self.client_auth != ClientAuth::None && self.client_auth != ClientAuth::RequireAndVerify {
            tracing::warn!(
                client_auth_type = self.client_auth.name(),
                "clients without a certificate of client_ca_file are let in; only RequireAndVerifyClientCert keeps them out"
            );
        }
    }
}

/// A file that was read once and can be used.
#[derive(Clone)]
pub struct Protection {
    path: PathBuf,
    contents: Contents,
    rules: Arc<Rules>,
}

impl std::fmt::Debug for Protection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Protection").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Protection {
    /// Reads the file at `path`, and those that it names.
    ///
    /// # Errors
    ///
    /// If it cannot be used; the error is one line and shows no secret.
    pub fn read(path: &Path) -> Result<Self, Refused> {
        let found = Found::at(path);
        let contents = found.contents.clone();
        Ok(Self { path: path.to_owned(), contents, rules: Arc::new(found.rules(path, None)?) })
    }

    /// Says in the log what is in force, and what is not.
    pub fn say(&self) {
        self.rules.say();
    }

    /// Whether the pages are served over TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.rules.tls.is_some()
    }

    /// Whether the pages need a login.
    #[must_use]
    pub fn has_logins(&self) -> bool {
        self.rules.users.is_some()
    }
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There were too many.
    TooMany,
    /// It brings no login that is right.
    Login,
    /// Its login was not looked at: others stand before it.
    Busy,
}

/// What is in force for one connection or request.
#[derive(Clone)]
pub(super) struct InForce {
    rules: Arc<Rules>,
    login_queue: Arc<Queue>,
}

impl InForce {
    /// What the connection is to be accepted with, if not as it is.
    pub(super) fn tls(&self) -> Option<&TlsAcceptor> {
        self.rules.tls.as_ref()
    }

    /// Whether a request with these headers may be answered.
    pub(super) async fn admit(&self, headers: &HeaderMap, client: Client) -> Result<(), Refusal> {
        if self.rules.limit.as_ref().is_some_and(|limit| !limit.take(Instant::now())) {
            return Err(Refusal::TooMany);
        }
        let Some(users) = &self.rules.users else { return Ok(()) };
        let login = Login::of(headers).ok_or(Refusal::Login)?;
        users.admit(login, client, &self.login_queue).await
    }

    /// Sets the headers that the file asks for. They beat the server's own: they are the user's wish.
    pub(super) fn dress(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.rules.headers {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// Guards the pages as the file says, and follows its changes.
pub struct Guard {
    file: Option<Arc<Watched>>,
    rules: Arc<Rules>,
    /// One bcrypt at a time, whatever file was in force when it began.
    login_queue: Arc<Queue>,
}

/// A file that may change.
struct Watched {
    path: PathBuf,
    state: Mutex<State>,
    last_look: Mutex<Option<Look>>,
    instruments: Arc<Instruments>,
}

struct State {
    /// What was read last, whether it could be used or not.
    contents: Contents,
    rules: Arc<Rules>,
}

struct Look {
    began: Instant,
    ended: CancellationToken,
}

impl Guard {
    /// One that follows this file, or lets everybody see everything.
    #[must_use]
    pub fn new(protection: Option<Protection>, instruments: Arc<Instruments>) -> Self {
        let rules = protection.as_ref().map_or_else(|| Arc::new(Rules::none()), |file| Arc::clone(&file.rules));
        let file = protection.map(|Protection { path, contents, rules }| {
            let state = Mutex::new(State { contents, rules });
            Arc::new(Watched { path, state, last_look: Mutex::new(None), instruments })
        });
        Self { file, rules, login_queue: Arc::default() }
    }

    /// What is in force now.
    pub(super) async fn in_force(&self) -> InForce {
        let rules = match &self.file {
            Some(file) => {
                file.look_again(Instant::now()).await;
                Arc::clone(&lock(&file.state).rules)
            }
            None => Arc::clone(&self.rules),
        };
        InForce { rules, login_queue: Arc::clone(&self.login_queue) }
    }
}

impl Watched {
    /// Sees to it that somebody has looked within the last second, or looks, and waits for that with patience.
    async fn look_again(self: &Arc<Self>, now: Instant) {
        let Some((ended, until)) = self.look_under_way(now) else { return };
        // Who has waited long enough goes on with what is known.
        let _ = timeout_at(until, ended.cancelled()).await;
    }

    /// The look that is under way, begun if one is due, and how long to wait for it.
    fn look_under_way(self: &Arc<Self>, now: Instant) -> Option<(CancellationToken, Instant)> {
        let mut last = lock(&self.last_look);
        match &*last {
            Some(look) if !look.ended.is_cancelled() => Some((look.ended.clone(), look.began + LOOK_PATIENCE)),
            Some(look) if now < look.began + LOOK_EVERY => None,
            Some(_) | None => {
                let ended = CancellationToken::new();
                *last = Some(Look { began: now, ended: ended.clone() });
                let (watched, end) = (Arc::clone(self), ended.clone().drop_guard());
                tokio::task::spawn_blocking(move || {
                    // Ends the look however it ends.
                    let _end = end;
                    watched.look();
                });
                Some((ended, now + LOOK_PATIENCE))
            }
        }
    }

    /// Reads the files, and takes what is new.
    fn look(&self) {
        let Some(found) = self.settled_change() else { return };
        let before = Arc::clone(&lock(&self.state).rules);
        let contents = found.contents.clone();
        let rules = found.rules(&self.path, Some(&before));
        let mut state = lock(&self.state);
        state.contents = contents;
        match rules {
            Ok(rules) => {
                let rules = Arc::new(rules);
                state.rules = Arc::clone(&rules);
                drop(state);
                self.instruments.web_config_reloaded(ReloadResult::Ok);
                tracing::info!(file = %self.path.display(), "the web configuration has changed, and is in force");
                rules.say();
            }
            Err(refused) => {
                drop(state);
                self.instruments.web_config_reloaded(ReloadResult::Error);
                tracing::warn!(
                    error = %refused,
                    "the web configuration (--web.config.file) has changed and cannot be used; the last good one stays in force"
                );
            }
        }
    }

    /// What is there now, if it is other than what was read last and is so for a moment.
    fn settled_change(&self) -> Option<Found> {
        let mut found = Found::at(&self.path);
        for _ in 0..SETTLE_LOOKS {
            if found.contents == lock(&self.state).contents {
                return None;
            }
            std::thread::sleep(SETTLE_FOR);
            let again = Found::at(&self.path);
            if again.contents == found.contents {
                return Some(again);
            }
            found = again;
        }
        None
    }
}

/// Nothing panics while it holds one of these locks, and each change is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
