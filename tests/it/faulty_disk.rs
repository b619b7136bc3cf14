//! A disk that forgets, tears and refuses: what a file system may do to a directory between two syncs.
//!
//! Contents and names each have a state that programs see and one that is durable. Syncing a file makes its contents
//! durable, syncing the directory its names. After a loss of power each unsynced content is whole, old or torn, and each
//! name is, for itself, what it was at some moment since the last sync: later changes may be there without earlier ones
//! of other names. A page that has something unsynced in it may be lost as a whole. A process that is killed loses nothing
//! but its place. A sync that fails forgets what it should have written: a later one succeeds without it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cotalker_webhook_exporter::store::disk::Disk;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// What happens at one step of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trip {
    /// The process ends in the middle of it; what programs saw stays.
    Kill,
    /// So does the machine.
    PowerLoss,
    /// The step fails with this error of the system, once.
    Error(i32),
}

/// What the disk leaves out that a real one does, so that a test can show that it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skips {
    Nothing,
    DirectorySync,
    FileSync,
    /// The sync of what was added to a file.
    AppendSync,
    /// The sync of what another process left.
    SyncAtStart,
}

const TORN_BLOCK: usize = 512;

/// What the system writes at once: what was durable in a page may be lost with what is added to it.
const PAGE: usize = 4_096;

/// A handle: all clones are the same disk.
#[derive(Clone)]
pub(crate) struct FaultyDisk(Arc<Mutex<DiskState>>);

struct DiskState {
    dice: StdRng,
    skips: Skips,
    files: Vec<Contents>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// What has happened to the names since the last sync.
    unsynced: Vec<(String, Option<usize>)>,
    steps_to_trip: Option<(u32, Trip)>,
    crashed: Option<Trip>,
    has_tripped: bool,
    temporary: u32,
}

#[derive(Clone, Default)]
struct Contents {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// What a sync that failed has forgotten: later ones leave zeros there.
    forgotten: Vec<Range<usize>>,
}

impl Contents {
    /// So many bytes at the beginning no loss of power touches: whole pages that are durable as they are seen.
    fn safe(&self) -> usize {
        let same = self.seen.iter().zip(&self.durable).take_while(|(seen, durable)| seen == durable).count();
        same / PAGE * PAGE
    }

    fn make_durable(&mut self) {
        self.durable = self.seen.clone();
        for range in &self.forgotten {
            let end = range.end.min(self.durable.len());
            self.durable[range.start.min(end)..end].fill(0);
        }
    }
}

impl fmt::Debug for FaultyDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lock().names.keys()).finish()
    }
}

impl FaultyDisk {
    pub(crate) fn new(seed: u64, skips: Skips) -> Self {
        Self(Arc::new(Mutex::new(DiskState {
            dice: StdRng::seed_from_u64(seed),
            skips,
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced: Vec::new(),
            steps_to_trip: None,
            crashed: None,
            has_tripped: false,
            temporary: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, DiskState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `trip` happen after so many further steps.
    pub(crate) fn trip_after(&self, steps: u32, trip: Trip) {
        let mut state = self.lock();
        state.steps_to_trip = Some((steps, trip));
        state.has_tripped = false;
    }

    /// Whether what was to happen has.
    pub(crate) fn has_tripped(&self) -> bool {
        self.lock().has_tripped
    }

    /// Whether there is a file of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.lock().names.contains_key(name)
    }

    /// Puts these bytes where that file was, durably; `None` removes it.
    pub(crate) fn put(&self, name: &str, bytes: Option<&[u8]>) {
        let mut state = self.lock();
        let file = bytes.map(|bytes| {
            let (seen, durable) = (bytes.to_vec(), bytes.to_vec());
            state.files.push(Contents { seen, durable, forgotten: Vec::new() });
            state.files.len() - 1
        });
        state.name(name, file);
        state.durable_names = state.names.clone();
        state.unsynced.clear();
    }

    /// All files as programs see them.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.lock();
        state.names.iter().map(|(name, file)| (name.clone(), state.files[*file].seen.clone())).collect()
    }

    /// What has ended the process, if something has.
    pub(crate) fn crashed(&self) -> Option<Trip> {
        self.lock().crashed
    }

    /// The process ends, and another one may start.
    pub(crate) fn crash(&self, trip: Trip) {
        let mut state = self.lock();
        state.steps_to_trip = None;
        state.crashed = None;
        if trip == Trip::PowerLoss {
            state.lose_power();
        }
        // As the store does it when it opens a directory.
        let left: Vec<String> = state.names.keys().filter(|name| name.starts_with(".temporary")).cloned().collect();
        left.into_iter().for_each(|name| state.name(&name, None));
    }
}

impl DiskState {
    /// One step: it is done if this returns.
    fn step(&mut self) -> io::Result<()> {
        const EIO: i32 = 5;
        if self.crashed.is_some() {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        match &mut self.steps_to_trip {
            Some((0, trip)) => {
                let trip = *trip;
                self.steps_to_trip = None;
                self.has_tripped = true;
                match trip {
                    Trip::Kill | Trip::PowerLoss => {
                        self.crashed = Some(trip);
                        Err(io::Error::from_raw_os_error(EIO))
                    }
                    Trip::Error(number) => Err(io::Error::from_raw_os_error(number)),
                }
            }
            Some((steps, _)) => {
                *steps -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn name(&mut self, name: &str, file: Option<usize>) {
        match file {
            Some(file) => self.names.insert(name.to_owned(), file),
            None => self.names.remove(name),
        };
        self.unsynced.push((name.to_owned(), file));
    }

    fn file(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        self.step()?;
        if self.skips != Skips::DirectorySync {
            self.durable_names = self.names.clone();
            self.unsynced.clear();
        }
        Ok(())
    }

    fn lose_power(&mut self) {
        let unsynced = std::mem::take(&mut self.unsynced);
        let mut by_name: BTreeMap<String, Vec<Option<usize>>> = BTreeMap::new();
        for (name, file) in unsynced {
            by_name.entry(name).or_default().push(file);
        }
        for (name, changes) in by_name {
            let kept = self.dice.random_range(0..=changes.len());
            match kept.checked_sub(1).map(|last| changes[last]) {
                Some(Some(file)) => drop(self.durable_names.insert(name, file)),
                Some(None) => drop(self.durable_names.remove(&name)),
                None => {}
            }
        }
        self.names = self.durable_names.clone();
        let Self { files, dice, .. } = self;
        for contents in files {
            if contents.seen != contents.durable {
                contents.durable = torn(contents, dice);
                contents.seen = contents.durable.clone();
            }
        }
    }

    fn write(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()> {
        self.step()?;
        self.files.push(Contents::default());
        let file = self.files.len() - 1;
        self.name(name, Some(file));
        self.write_into(file, &pieces.concat())?;
        self.sync(file, self.skips != Skips::FileSync)
    }

    /// Writes at the end of a file, in parts.
    fn write_into(&mut self, file: usize, whole: &[u8]) -> io::Result<()> {
        let mut rest = whole;
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min(self.dice.random_range(1..=2_048)));
            if let Err(error) = self.step() {
                let written = self.dice.random_range(0..=part.len());
                self.files[file].seen.extend_from_slice(&part[..written]);
                return Err(error);
            }
            self.files[file].seen.extend_from_slice(part);
            rest = after;
        }
        Ok(())
    }

    fn sync(&mut self, file: usize, is_done: bool) -> io::Result<()> {
        let step = self.step();
        let (is_written, is_crash) = (self.dice.random(), self.crashed.is_some());
        let contents = &mut self.files[file];
        match step {
            Ok(()) if is_done => contents.make_durable(),
            Ok(()) => {}
            // It may be there all the same. If not, the system still has it when a process ends, and forgets it after an error.
            Err(_) if is_written => contents.make_durable(),
            Err(_) if is_crash => {}
            Err(_) => contents.forgotten.push(contents.durable.len()..contents.seen.len()),
        }
        step
    }
}

/// What the power leaves of contents that were not synced.
fn torn(contents: &Contents, dice: &mut StdRng) -> Vec<u8> {
    let safe = contents.safe();
    match dice.random_range(0..4) {
        0 => contents.durable.clone(),
        1 => contents.seen.clone(),
        2 => contents.seen[..dice.random_range(safe..=contents.seen.len())].to_vec(),
        _ => {
            let mut torn = contents.seen.clone();
            for block in torn[safe..].chunks_mut(TORN_BLOCK) {
                if dice.random() {
                    block.fill(0);
                }
            }
            torn
        }
    }
}

impl Disk for FaultyDisk {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut state = self.lock();
        let Some(file) = state.names.get(name).copied() else { return Ok(None) };
        state.step()?;
        Ok(Some(state.files[file].seen.clone()))
    }

    fn read_around(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut state = self.lock();
        let Some(file) = state.names.get(name).copied() else { return Ok(None) };
        let mut bytes = state.files[file].seen.clone();
        if let Err(error) = state.step() {
            let blocks = bytes.len().div_ceil(PAGE);
            if state.crashed.is_some() || blocks == 0 {
                return Err(error);
            }
            let unreadable = state.dice.random_range(0..blocks);
            bytes.chunks_mut(PAGE).nth(unreadable).into_iter().for_each(|block| block.fill(0xff));
        }
        Ok(Some(bytes))
    }

    fn replace(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()> {
        let mut state = self.lock();
        state.temporary += 1;
        let temporary = format!(".temporary-{}", state.temporary);
        let written = state.write(&temporary, pieces).and_then(|()| state.step());
        if let Err(error) = written {
            if state.crashed.is_none() && state.names.contains_key(&temporary) {
                state.name(&temporary, None);
            }
            return Err(error);
        }
        let file = state.file(&temporary)?;
        state.name(&temporary, None);
        state.name(name, Some(file));
        state.sync_directory()
    }

    fn append(&mut self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        state.step()?;
        let file = if at == 0 {
            if state.names.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.files.push(Contents::default());
            let file = state.files.len() - 1;
            state.name(name, Some(file));
            file
        } else {
            state.file(name)?
        };
        assert_eq!(u64::try_from(state.files[file].seen.len()), Ok(at), "added to something else than was left");
        state.write_into(file, bytes)?;
        let is_done = state.skips != Skips::AppendSync;
        state.sync(file, is_done)?;
        if at == 0 { state.sync_directory() } else { Ok(()) }
    }

    fn cut(&mut self, name: &str, length: u64) -> io::Result<()> {
        let mut state = self.lock();
        state.step()?;
        let file = state.file(name)?;
        state.files[file].seen.truncate(usize::try_from(length).expect("a length"));
        Ok(())
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        let file = state.file(name)?;
        let is_done = state.skips != Skips::SyncAtStart;
        state.sync(file, is_done)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.step()?;
        state.file(name)?;
        state.name(name, None);
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut state = self.lock();
        state.step()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn keep_as(&mut self, name: &str, second: &str) -> io::Result<()> {
        let mut state = self.lock();
        let link = format!("{second}.new");
        if state.names.contains_key(&link) {
            state.step()?;
            state.name(&link, None);
        }
        state.step()?;
        let file = state.file(name)?;
        state.name(&link, Some(file));
        state.step()?;
        state.name(&link, None);
        state.name(second, Some(file));
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.step()?;
        let file = state.file(from)?;
        state.name(from, None);
        state.name(to, Some(file));
        Ok(())
    }

    fn sync_names(&mut self) -> io::Result<()> {
        self.lock().sync_directory()
    }
}
