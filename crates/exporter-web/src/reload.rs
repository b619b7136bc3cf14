//! The web configuration that is in force, and its changes.
//!
//! There is no timer: the files are read again when a connection or a request comes and the last look began a second ago
//! or longer. A look happens off the async threads, one at a time. A request waits a quarter of a second at most for it;
//! then the rules that are known apply, so a file system that hangs delays no one.
//!
//! A change that cannot be used leaves the previous rules in force, is logged once and reported once. So is a change that
//! would take a protection away, see `Rules`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::files::{Contents, FilesOnDisk};
use crate::login::LoginQueue;
use crate::peer::Peer;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::web_config_file::WebConfigFile;

/// The time between two looks. A change is seen within it, and a flood of connections reads no file more often.
/// A convention.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a request waits for a look: far longer than a disk takes, and far shorter than a scraper's timeout of
/// seconds. A convention.
const LOOK_PATIENCE: Duration = Duration::from_millis(250);

/// A change is taken once the files have stayed the same for this long: writing two files takes a while. A convention.
const SETTLE_FOR: Duration = Duration::from_millis(50);

/// How often one look reads the files until they stay the same; after that the next look goes on. A convention.
const SETTLE_LOOKS: usize = 3;

/// How reading a changed web configuration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reload {
    /// The change is in force.
    Applied,
    /// The change cannot be used, or would take a protection away. The previous configuration stays in force.
    Rejected,
}

/// Is called once for each change of the files.
pub(crate) type OnReload = Box<dyn Fn(Reload) + Send + Sync>;

/// What is in force for one connection or request, whatever changes meanwhile.
#[derive(Clone)]
pub(crate) struct InForce {
    rules: Arc<Rules>,
    login_queue: Arc<LoginQueue>,
}

impl InForce {
    /// What the connection is accepted with; `None` for plain HTTP.
    pub(crate) fn tls(&self) -> Option<&TlsAcceptor> {
        self.rules.tls.as_ref()
    }

    /// Whether a request with these headers may be served. Waits while a login is checked.
    pub(crate) async fn admit(&self, headers: &HeaderMap, peer: Peer) -> Result<(), Refusal> {
        self.rules.admit(headers, peer, &self.login_queue).await
    }

    /// Sets the headers of the file. They replace the server's own.
    pub(crate) fn set_headers(&self, headers: &mut HeaderMap) {
        self.rules.set_headers(headers);
    }
}

/// Knows what is in force.
pub(crate) struct Guard {
    source: RulesSource,
    /// One bcrypt at a time, whatever file was in force when it began.
    login_queue: Arc<LoginQueue>,
}

enum RulesSource {
    Fixed(Arc<Rules>),
    File(Arc<WatchedFile>),
}

/// A file that may change.
struct WatchedFile {
    path: PathBuf,
    last_read: Mutex<LastRead>,
    last_look: Mutex<Option<Look>>,
    on_reload: OnReload,
}

struct LastRead {
    /// What was read last, whether it could be used or not.
    contents: Contents,
    /// Of the last contents that could be used.
    rules: Arc<Rules>,
}

struct Look {
    began: Instant,
    ended: CancellationToken,
}

impl Guard {
    /// Plain HTTP for everybody.
    pub(crate) fn open() -> Self {
        Self { source: RulesSource::Fixed(Arc::new(Rules::none())), login_queue: Arc::default() }
    }

    /// What `file` asks for, and what it asks for after each change.
    pub(crate) fn following(file: WebConfigFile, on_reload: OnReload) -> Self {
        Self { source: RulesSource::File(Arc::new(WatchedFile::new(file, on_reload))), login_queue: Arc::default() }
    }

    /// What is in force now.
    pub(crate) async fn in_force(&self) -> InForce {
        let rules = match &self.source {
            RulesSource::File(file) => {
                file.look_again(Instant::now()).await;
                Arc::clone(&lock(&file.last_read).rules)
            }
            RulesSource::Fixed(rules) => Arc::clone(rules),
        };
        InForce { rules, login_queue: Arc::clone(&self.login_queue) }
    }
}

impl WatchedFile {
    fn new(file: WebConfigFile, on_reload: OnReload) -> Self {
        let WebConfigFile { path, contents, rules } = file;
        Self { path, last_read: Mutex::new(LastRead { contents, rules }), last_look: Mutex::new(None), on_reload }
    }

    /// Begins a look unless one began within the last second, and waits a quarter of a second at most for the look that
    /// is under way.
    async fn look_again(self: &Arc<Self>, now: Instant) {
        let Some((ended, until)) = self.look_under_way(now) else { return };
        // After that the rules that are known apply.
        let _ = timeout_at(until, ended.cancelled()).await;
    }

    /// The end of the look that is under way, which is begun if it is due, and until when to wait for it.
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

    /// Reads the files, and puts a change in force. Blocks.
    fn look(&self) {
        let Some(found) = self.settled_change() else { return };
        let before = Arc::clone(&lock(&self.last_read).rules);
        let contents = found.contents.clone();
        let rules = Rules::of(found, &self.path, Some(&before));
        let mut last_read = lock(&self.last_read);
        last_read.contents = contents;
        match rules {
            Ok(rules) => {
                let rules = Arc::new(rules);
                last_read.rules = Arc::clone(&rules);
                drop(last_read);
                (self.on_reload)(Reload::Applied);
                tracing::info!(file = %self.path.display(), "web configuration changed; the new one is in force");
                rules.log();
            }
            Err(error) => {
                drop(last_read);
                (self.on_reload)(Reload::Rejected);
                tracing::warn!(
                    %error,
                    "failed to reload the web configuration (--web.config.file); the previous one stays in force"
                );
            }
        }
    }

    /// What is on disk now, if it differs from what was read last and has stayed the same for a moment.
    fn settled_change(&self) -> Option<FilesOnDisk> {
        let mut found = FilesOnDisk::read(&self.path);
        for _ in 0..SETTLE_LOOKS {
            if found.contents == lock(&self.last_read).contents {
                return None;
            }
            std::thread::sleep(SETTLE_FOR);
            let again = FilesOnDisk::read(&self.path);
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

#[cfg(test)]
mod tests;
