//! What a start finds in the files of those before it.

use std::collections::BTreeSet;
use std::io;

use delivery_ledger::UnixMillis;

use super::disk::Disk;
use super::record::{Checkpoint, Snapshot, Unusable, decode};
use super::replay::Replay;

/// The checkpoint's file.
pub const CURRENT: &str = "checkpoint";

/// The file of the one before it.
pub const PREVIOUS: &str = "checkpoint.previous";

/// What the name of a journal begins with; then comes its generation.
pub const JOURNAL: &str = "checkpoint.journal-";

/// What comes between the name of a file that is put aside and the time.
const CORRUPT: &str = ".corrupt-";

const NONE_CAN_BE_USED: &str =
    "no checkpoint can be used; counts start at 0, and entries already in the logs are not counted";

/// What a start finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing: a first start.
    Nothing,
    /// All that was ever shown, but for webhooks that it says are behind.
    Current(Checkpoint),
    /// An older one than what was shown last, as far as can be said.
    Previous(Checkpoint),
    /// Only what could not be used: counts start from 0, but this is no first start.
    Lost,
}

/// Why nothing could be loaded. Names the file.
#[derive(Debug)]
pub(super) enum LoadError {
    Newer(String, Unusable),
    Io(String, io::Error),
}

/// What was found, and what the store has to know to go on from it.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) found: Found,
    /// Files that could not be used and were put aside.
    pub(super) put_aside: u64,
    /// Whether there is a current file that is worth keeping.
    pub(super) has_current: bool,
    /// Whether there is one before it, or instead of it.
    pub(super) has_spare: bool,
    /// The generation of the file that was taken; 0 if none was.
    pub(super) generation: u64,
    /// The highest generation of all files that say one.
    pub(super) highest: u64,
}

/// The name of a generation's journal.
pub(super) fn journal_name(generation: u64) -> String {
    format!("{JOURNAL}{generation}")
}

/// The generation of a journal with this name, if it is one.
pub(super) fn journal_generation(name: &str) -> Option<u64> {
    name.strip_prefix(JOURNAL)?.parse().ok()
}

/// Looks at what is there, puts aside what cannot be used, and makes durable what it goes on from.
pub(super) fn load(disk: &mut dyn Disk, now: UnixMillis) -> Result<Loaded, LoadError> {
    // All are looked at before any is touched: a newer one must be left as it is.
    let current = read(disk, CURRENT)?;
    let previous = read(disk, PREVIOUS)?;
    let names = disk.names().map_err(|error| LoadError::Io(String::new(), error))?;
    let mut loader = Loader { disk, now, names, put_aside: 0 };
    let journals: BTreeSet<u64> = loader.names.iter().filter_map(|name| journal_generation(name)).collect();
    let generations = [&current, &previous].map(|file| match file {
        Some(Ok(snapshot)) => snapshot.generation,
        Some(Err(_)) | None => 0,
    });
    let highest = generations.into_iter().chain(journals.iter().copied()).max().unwrap_or_default();
    let has_spare = matches!(previous, Some(Ok(_)));
    let loaded = |found, generation, has_current, put_aside| Loaded {
        found,
        put_aside,
        has_current,
        has_spare,
        generation,
        highest,
    };

    let broken = match current {
        Some(Ok(snapshot)) => {
            let generation = snapshot.generation;
            let (checkpoint, is_behind) = loader.replay(snapshot, &journals)?;
            let found = if is_behind {
                tracing::warn!(
                    file = CURRENT,
                    "the checkpoint may be older than what was shown; its counts are shown once the logs have been read"
                );
                Found::Previous(checkpoint)
            } else {
                // The process before may have ended between a write and its sync: what is about to be shown would then be
                // gone with the power.
                if journals.contains(&generation) {
                    loader.sync(generation)?;
                }
                loader.disk.sync_names().map_err(|error| LoadError::Io(CURRENT.to_owned(), error))?;
                Found::Current(checkpoint)
            };
            return Ok(loaded(found, generation, true, loader.put_aside.max(u64::from(is_behind))));
        }
        Some(Err(why)) => Some(why),
        None => None,
    };
    let replayed = match previous {
        Some(Ok(snapshot)) => {
            let generation = snapshot.generation;
            Some(Ok((loader.replay(snapshot, &journals)?.0, generation)))
        }
        Some(Err(why)) => Some(Err(why)),
        None => None,
    };
    if let Some(why) = &broken {
        loader.put_aside(CURRENT, why)?;
    }
    match replayed {
        Some(Ok((checkpoint, generation))) => {
            tracing::warn!(
                file = PREVIOUS,
                "continuing from the previous checkpoint; its counts are shown once the logs have been read"
            );
            Ok(loaded(Found::Previous(checkpoint), generation, false, loader.put_aside.max(1)))
        }
        Some(Err(why)) => {
            loader.put_aside(PREVIOUS, &why)?;
            tracing::warn!("{NONE_CAN_BE_USED}");
            Ok(loaded(Found::Lost, 0, false, loader.put_aside))
        }
        None if broken.is_some() || !journals.is_empty() => {
            tracing::warn!("{NONE_CAN_BE_USED}");
            Ok(loaded(Found::Lost, 0, false, loader.put_aside.max(1)))
        }
        None => Ok(loaded(Found::Nothing, 0, false, 0)),
    }
}

/// A file's checkpoint, or why it cannot be used; `None` if there is no file.
fn read(disk: &dyn Disk, name: &str) -> Result<Option<Result<Snapshot, String>>, LoadError> {
    match unless_forbidden(name, disk.read(name))? {
        None => Ok(None),
        Some(Err(why)) => Ok(Some(Err(why))),
        Some(Ok(bytes)) => match decode(&bytes) {
            Ok(snapshot) => Ok(Some(Ok(snapshot))),
            Err(unusable @ Unusable::Newer(_)) => Err(LoadError::Newer(name.to_owned(), unusable)),
            Err(unusable @ Unusable::Damaged(_)) => Ok(Some(Err(unusable.to_string()))),
        },
    }
}

/// What was read of a file, or why it cannot be used.
fn unless_forbidden(
    name: &str,
    read: io::Result<Option<Vec<u8>>>,
) -> Result<Option<Result<Vec<u8>, String>>, LoadError> {
    match read {
        Ok(bytes) => Ok(bytes.map(Ok)),
        // The user's mistake, not damage.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(LoadError::Io(name.to_owned(), error)),
        Err(error) => Ok(Some(Err(error.to_string()))),
    }
}

struct Loader<'disk> {
    disk: &'disk mut dyn Disk,
    now: UnixMillis,
    names: Vec<String>,
    put_aside: u64,
}

impl Loader<'_> {
    /// A checkpoint with what the journals say that were begun with it or after it, and whether all of it may be behind.
    fn replay(&mut self, snapshot: Snapshot, journals: &BTreeSet<u64>) -> Result<(Checkpoint, bool), LoadError> {
        let Snapshot { generation, checkpoint } = snapshot;
        let mut replay = Replay::of(checkpoint);
        for journal in journals.range(generation..) {
            let name = journal_name(*journal);
            let why = match unless_forbidden(&name, self.disk.read_around(&name))? {
                None => None,
                Some(Err(why)) => {
                    replay.lose();
                    Some(why)
                }
                Some(Ok(bytes)) => {
                    let is_whole = replay
                        .take_in(&bytes, *journal)
                        .map_err(|unusable| LoadError::Newer(name.clone(), unusable))?;
                    (!is_whole).then(|| "it is damaged before its end".to_owned())
                }
            };
            if let Some(why) = why {
                self.keep_aside(&name, &why, replay.behind());
            }
        }
        // A later journal was begun with a later checkpoint than this.
        let is_outrun = journals.last().is_some_and(|last| *last > generation);
        let is_behind = is_outrun || replay.is_all_behind();
        Ok((replay.finish(), is_behind))
    }

    fn sync(&mut self, generation: u64) -> Result<(), LoadError> {
        let name = journal_name(generation);
        self.disk.sync(&name).map_err(|error| LoadError::Io(name, error))
    }

    fn aside(&self, name: &str) -> String {
        format!("{name}{CORRUPT}{}", self.now.as_millis())
    }

    fn put_aside(&mut self, name: &str, why: &str) -> Result<(), LoadError> {
        let aside = self.aside(name);
        tracing::error!(file = name, why, put_aside_as = aside, "a checkpoint cannot be used");
        self.put_aside += 1;
        self.disk.rename(name, &aside).map_err(|error| LoadError::Io(name.to_owned(), error))
    }

    /// Keeps a journal that is damaged. It stays where it is as well: until the next checkpoint is written, what can be
    /// read of it is needed, and that it is damaged must be known.
    fn keep_aside(&mut self, name: &str, why: &str, behind: usize) {
        let aside = self.aside(name);
        tracing::error!(
            file = name,
            why,
            put_aside_as = aside,
            webhooks = behind,
            "a part of the checkpoint's journal cannot be used; webhooks that it may be about are shown once their logs have been read"
        );
        self.put_aside += 1;
        let prefix = format!("{name}{CORRUPT}");
        if !self.names.iter().any(|name| name.starts_with(&prefix))
            && let Err(error) = self.disk.keep_as(name, &aside)
        {
            tracing::warn!(file = name, %error, "failed to put a damaged journal aside");
        }
    }
}
