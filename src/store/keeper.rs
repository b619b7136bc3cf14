//! What a start finds, and the two files and the lock that a running exporter keeps.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::disk::{Directory, Disk, FILE_MODE, sync_directory};
use super::record::{Checkpoint, Unusable, decode, head};
use delivery_ledger::UnixMillis;

/// The checkpoint's file.
pub const CURRENT: &str = "checkpoint";

/// The file of the one before it.
pub const PREVIOUS: &str = "checkpoint.previous";

/// The lock's file. It stays; only its lock counts.
pub const LOCK: &str = "lock";

/// Who may enter a directory that is made here: its owner.
const DIRECTORY_MODE: u32 = 0o700;

/// What a start finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing: a first start.
    Nothing,
    /// All that was ever shown.
    Current(Checkpoint),
    /// The one before what was shown last: its counts may be older than what was shown.
    Previous(Checkpoint),
    /// Only what could not be used: counts start from 0, but this is no first start.
    Lost,
}

/// Why a start has to be refused. Names the file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{0}: another process holds this lock; each exporter needs a directory of its own")]
    Locked(PathBuf),
    /// Its file system has no locks.
    #[error(
        "{path}: this file system has no locks ({error}), so nothing would keep a second exporter out; a directory on another file system is needed",
        path = .path.display()
    )]
    NoLocks {
        /// The file to lock.
        path: PathBuf,
        /// What it responded.
        #[source]
        error: io::Error,
    },
    /// It was written by a newer exporter.
    #[error("{path}: {unusable}; run the newer exporter, or use another directory", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        unusable: Unusable,
    },
    /// The directory cannot be used.
    #[error("{path}: {error}; a writable directory is needed", path = .path.display())]
    Directory {
        /// The directory, or a file in it.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
}

/// A directory with a checkpoint, held for this process alone.
#[derive(Debug)]
pub struct Store {
    disk: Box<dyn Disk>,
    /// Whether there is a current file that is worth keeping.
    has_current: bool,
    _lock: Option<File>,
}

impl Store {
    /// Opens the directory at `path`, and makes it if there is none. Says what it found, and how many files could not
    /// be used and were put aside at `now`.
    ///
    /// # Errors
    ///
    /// If another process has it, if it cannot be written to, or if its state is newer; nothing is touched then.
    pub fn open(path: &Path, now: UnixMillis) -> Result<(Self, Found, u64), OpenError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            |error| OpenError::Directory { path, error }
        };
        make_durably(path).map_err(fail(path))?;
        let lock_path = path.join(LOCK);
        let mut lock = File::options();
        lock.create(true).truncate(false).write(true).mode(FILE_MODE);
        let lock = lock.open(&lock_path).map_err(fail(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(lock_path)),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                return Err(OpenError::NoLocks { path: lock_path, error });
            }
            Err(TryLockError::Error(error)) => return Err(fail(&lock_path)(error)),
        }
        let directory = Directory::new(path);
        directory.sweep().map_err(fail(path))?;
        let mut store = Self { disk: Box::new(directory), has_current: false, _lock: Some(lock) };
        let (found, put_aside) = store.load(now).map_err(|error| match error {
            LoadError::Newer(name, unusable) => OpenError::Newer { path: path.join(name), unusable },
            LoadError::Io(name, error) => fail(&path.join(name))(error),
        })?;
        Ok((store, found, put_aside))
    }

    /// A store on another disk, without a lock.
    ///
    /// # Errors
    ///
    /// If its state is newer, or cannot be put aside.
    pub fn on(disk: Box<dyn Disk>, now: UnixMillis) -> io::Result<(Self, Found, u64)> {
        let mut store = Self { disk, has_current: false, _lock: None };
        let (found, put_aside) = store.load(now).map_err(|error| match error {
            LoadError::Newer(_, unusable) => io::Error::other(unusable),
            LoadError::Io(_, error) => error,
        })?;
        Ok((store, found, put_aside))
    }

    fn load(&mut self, now: UnixMillis) -> Result<(Found, u64), LoadError> {
        // Both are looked at before either is touched: a newer one must be left as it is.
        let current = self.read(CURRENT)?;
        let previous = self.read(PREVIOUS)?;
        let mut put_aside = 0;
        let current = match current {
            Some(Ok(checkpoint)) => {
                self.has_current = true;
                // The process before may have ended between its rename and its sync: what is about to be shown would
                // then be gone with the power.
                self.disk.sync_names().map_err(|error| LoadError::Io(CURRENT, error))?;
                return Ok((Found::Current(checkpoint), put_aside));
            }
            Some(Err(why)) => {
                self.put_aside(CURRENT, &why, now)?;
                put_aside += 1;
                true
            }
            None => false,
        };
        match previous {
            Some(Ok(checkpoint)) => {
                tracing::warn!(
                    file = PREVIOUS,
                    "continuing from the previous checkpoint; its counts are shown once the logs have been read"
                );
                Ok((Found::Previous(checkpoint), put_aside.max(1)))
            }
            Some(Err(why)) => {
                self.put_aside(PREVIOUS, &why, now)?;
                tracing::warn!(
                    "no checkpoint can be used; counts start at 0, and entries already in the logs are not counted"
                );
                Ok((Found::Lost, put_aside + 1))
            }
            None if current => {
                tracing::warn!(
                    "no checkpoint can be used; counts start at 0, and entries already in the logs are not counted"
                );
                Ok((Found::Lost, put_aside))
            }
            None => Ok((Found::Nothing, put_aside)),
        }
    }

    /// A file's checkpoint, or why it cannot be used; `None` if there is no file.
    fn read(&self, name: &'static str) -> Result<Option<Result<Checkpoint, String>>, LoadError> {
        match self.disk.read(name) {
            Ok(None) => Ok(None),
            Ok(Some(bytes)) => match decode(&bytes) {
                Ok(checkpoint) => Ok(Some(Ok(checkpoint))),
                Err(unusable @ Unusable::Newer(_)) => Err(LoadError::Newer(name, unusable)),
                Err(unusable @ Unusable::Damaged(_)) => Ok(Some(Err(unusable.to_string()))),
            },
            // The user's mistake, not damage.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(LoadError::Io(name, error)),
            Err(error) => Ok(Some(Err(error.to_string()))),
        }
    }

    fn put_aside(&mut self, name: &'static str, why: &str, now: UnixMillis) -> Result<(), LoadError> {
        let aside = format!("{name}.corrupt-{}", now.as_millis());
        tracing::error!(file = name, why, put_aside_as = aside, "a checkpoint cannot be used");
        self.disk.rename(name, &aside).map_err(|error| LoadError::Io(name, error))
    }

    /// Makes these records the checkpoint: durable when it returns.
    ///
    /// # Errors
    ///
    /// If that can't be said. The checkpoint is then the one before, or this one.
    pub fn commit(&mut self, records: &[Bytes]) -> io::Result<()> {
        let head = head(records);
        let pieces: Vec<&[u8]> = std::iter::once(&head).chain(records).map(|piece| &piece[..]).collect();
        if self.has_current {
            self.disk.keep_as(CURRENT, PREVIOUS)?;
        }
        self.disk.replace(CURRENT, &pieces)?;
        self.has_current = true;
        Ok(())
    }
}

/// Makes a directory and those above it, if there are none, so that a loss of power leaves them.
fn make_durably(path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).count();
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path)?;
    for parent in path.ancestors().skip(1).take(missing) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        sync_directory(parent)?;
    }
    Ok(())
}

/// Whether it is the file system that cannot lock, not this file that cannot be locked. Source: flock(2), and what
/// network file systems without a lock daemon give.
fn has_no_locks(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOLCK | libc::ENOSYS | libc::EOPNOTSUPP))
}

/// Why nothing could be loaded.
enum LoadError {
    Newer(&'static str, Unusable),
    Io(&'static str, io::Error),
}
