//! The files that a running exporter keeps, and the lock.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use delivery_ledger::UnixMillis;

use super::disk::{Directory, Disk, FILE_MODE, sync_directory};
use super::journal;
use super::load::{CURRENT, Found, LoadError, Loaded, PREVIOUS, journal_generation, journal_name, load};
use super::record::{self, Records, Unusable};

/// The lock's file. It stays; only its lock counts.
pub const LOCK: &str = "lock";

/// A journal may be as long as this however small the checkpoint is. A convention: a few commits.
const LEAST_JOURNAL_BYTES: u64 = 64 * 1_024;

/// Who may enter a directory that is made here: its owner.
const DIRECTORY_MODE: u32 = 0o700;

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
///
/// A commit adds what has changed to the journal. These write the whole checkpoint instead:
///
/// - the first one of a process, so that nothing is ever added to what another process left;
/// - the second one in a directory, so that there are two from the beginning;
/// - one that cannot write the journal, because the system may have forgotten what it could not write;
/// - one whose journal has become longer than the checkpoint.
#[derive(Debug)]
pub struct Store {
    disk: Box<dyn Disk>,
    /// Whether there is a current file that is worth keeping.
    has_current: bool,
    /// Whether there is one before it to go on from if the current one is damaged.
    has_spare: bool,
    /// The last generation that was tried: none is used twice.
    generation: u64,
    /// The generation that a start goes on from until the next checkpoint is durable.
    durable: u64,
    journal: Option<Journal>,
    /// Whether the log says that the journal cannot be written.
    has_told_of_journal: bool,
    _lock: Option<File>,
}

/// A journal that may be added to.
#[derive(Debug)]
struct Journal {
    /// What is durable.
    records: Records,
    /// What its next frame is.
    sequence: u64,
    bytes: u64,
    /// It is no longer than this.
    limit: u64,
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
        Self::load(Box::new(directory), Some(lock), now).map_err(|error| match error {
            LoadError::Newer(name, unusable) => OpenError::Newer { path: path.join(name), unusable },
            LoadError::Io(name, error) => fail(&path.join(name))(error),
        })
    }

    /// A store on another disk, without a lock.
    ///
    /// # Errors
    ///
    /// If its state is newer, or cannot be put aside.
    pub fn on(disk: Box<dyn Disk>, now: UnixMillis) -> io::Result<(Self, Found, u64)> {
        Self::load(disk, None, now).map_err(|error| match error {
            LoadError::Newer(_, unusable) => io::Error::other(unusable),
            LoadError::Io(_, error) => error,
        })
    }

    fn load(mut disk: Box<dyn Disk>, lock: Option<File>, now: UnixMillis) -> Result<(Self, Found, u64), LoadError> {
        let Loaded { found, put_aside, has_current, has_spare, generation, highest } = load(&mut *disk, now)?;
        let (durable, generation) = (generation, highest);
        let (journal, has_told_of_journal) = (None, false);
        let store =
            Self { disk, has_current, has_spare, generation, durable, journal, has_told_of_journal, _lock: lock };
        Ok((store, found, put_aside))
    }

    /// Makes these records the checkpoint: durable when it returns.
    ///
    /// # Errors
    ///
    /// If that can't be said. The checkpoint is then the one before, or this one.
    pub fn commit(&mut self, records: &Records) -> io::Result<()> {
        // It comes back if all goes well.
        let Some(mut journal) = self.journal.take().filter(|_| self.has_spare) else { return self.write_all(records) };
        let frame = journal::encode(self.generation, journal.sequence, &journal.records, records);
        if let Some(frame) = frame.map_err(io::Error::other)? {
            let bytes = journal.bytes.saturating_add(u64::try_from(frame.len()).unwrap_or(u64::MAX));
            if bytes > journal.limit {
                return self.write_all(records);
            }
            let name = journal_name(self.generation);
            if let Err(error) = self.disk.append(&name, journal.bytes, &frame) {
                if !std::mem::replace(&mut self.has_told_of_journal, true) {
                    tracing::warn!(file = name, %error, "the journal cannot be written; writing the whole checkpoint");
                }
                // What may not be durable must not be found, and shown, by a process that comes after this one.
                let _ = self.disk.cut(&name, journal.bytes);
                return self.write_all(records);
            }
            self.has_told_of_journal = false;
            (journal.bytes, journal.sequence) = (bytes, journal.sequence + 1);
        }
        // Even if they are the same: the caller's bytes, so that nothing is in memory twice.
        journal.records = records.clone();
        self.journal = Some(journal);
        Ok(())
    }

    /// Writes the whole checkpoint, with which a new journal begins.
    fn write_all(&mut self, records: &Records) -> io::Result<()> {
        // A try that failed may have left the last one.
        self.generation += 1;
        let pieces = record::encode(self.generation, records).map_err(io::Error::other)?;
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &piece[..]).collect();
        if self.has_current {
            self.disk.keep_as(CURRENT, PREVIOUS)?;
            self.has_spare = true;
        }
        self.disk.replace(CURRENT, &pieces)?;
        self.has_current = true;
        let limit = u64::try_from(records.length()).unwrap_or(u64::MAX).max(LEAST_JOURNAL_BYTES);
        self.journal = Some(Journal { records: records.clone(), sequence: 0, bytes: 0, limit });
        let oldest = std::mem::replace(&mut self.durable, self.generation);
        self.remove_journals_before(oldest);
        Ok(())
    }

    /// Removes journals that belong to no checkpoint that is kept. What is left here is removed another time.
    fn remove_journals_before(&mut self, oldest: u64) {
        for name in self.disk.names().unwrap_or_default() {
            if journal_generation(&name).is_some_and(|generation| generation < oldest) {
                let _ = self.disk.remove(&name);
            }
        }
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
