//! A disk that forgets, tears and refuses: what a file system may do to a directory between two syncs.
//!
//! Contents and names each have a state that programs see and one that is durable. Syncing a file makes its contents
//! durable, syncing the directory its names. After a loss of power each unsynced content is whole, old or torn, and each
//! name is, for itself, what it was at some moment since the last sync: later changes may be there without earlier ones
//! of other names. A process that is killed loses nothing but its place.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
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
}

const TORN_BLOCK: usize = 512;

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
        let whole = pieces.concat();
        let mut rest = &whole[..];
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
        match self.step() {
            Ok(()) if self.skips == Skips::FileSync => Ok(()),
            Ok(()) => {
                self.files[file].durable = self.files[file].seen.clone();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// What the power leaves of contents that were not synced.
fn torn(contents: &Contents, dice: &mut StdRng) -> Vec<u8> {
    match dice.random_range(0..4) {
        0 => contents.durable.clone(),
        1 => contents.seen.clone(),
        2 => contents.seen[..dice.random_range(0..=contents.seen.len())].to_vec(),
        _ => {
            let mut torn = contents.seen.clone();
            for block in torn.chunks_mut(TORN_BLOCK) {
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
