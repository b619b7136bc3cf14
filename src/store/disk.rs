//! The few things that the store does to a directory, as a trait, so that a test can put a faulty disk in its place.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use atomicwrites::{AtomicFile, OverwriteBehavior};

/// A directory of small files. Names are plain file names.
pub trait Disk: fmt::Debug + Send {
    /// All of a file; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be read.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Replaces a file as a whole: after a crash there is the old one or the new one, and after a return the new one.
    ///
    /// # Errors
    ///
    /// If it can't be said that the new one is durable; the old one is still there, or the new one is.
    fn replace(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()>;

    /// Gives a file a second name, which any other file of that name loses.
    ///
    /// # Errors
    ///
    /// If that fails; the file itself is as it was.
    fn keep_as(&mut self, name: &str, second: &str) -> io::Result<()>;

    /// Gives a file another name.
    ///
    /// # Errors
    ///
    /// If that fails.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Makes the names durable as they are now.
    ///
    /// # Errors
    ///
    /// If it can't be said that they are.
    fn sync_names(&mut self) -> io::Result<()>;
}

/// A real directory.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// The directory at `path`, which exists.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Removes what a process that was killed in the middle of [`Disk::replace`] left behind.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read, or something in it not be removed.
    pub fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // Source: the crate `atomicwrites`, which writes into a directory with this prefix.
            if entry.file_name().to_string_lossy().starts_with(".atomicwrite") {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Disk for Directory {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn replace(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()> {
        // Syncs the file and the directory: without the latter a rename is not durable.
        let file = AtomicFile::new_with_tmpdir(self.path.join(name), OverwriteBehavior::AllowOverwrite, &self.path);
        file.write(|file| {
            let mut file = io::BufWriter::with_capacity(1 << 20, file);
            for piece in pieces {
                file.write_all(piece)?;
            }
            file.flush()
        })
        .map_err(io::Error::from)
    }

    fn keep_as(&mut self, name: &str, second: &str) -> io::Result<()> {
        let link = self.path.join(format!("{second}.new"));
        match fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match fs::hard_link(self.path.join(name), &link) {
            Ok(()) => fs::rename(link, self.path.join(second)),
            // A file system without hard links.
            Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
                match self.read(name)? {
                    Some(bytes) => self.replace(second, &[&bytes]),
                    None => Err(io::ErrorKind::NotFound.into()),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn sync_names(&mut self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()
    }
}
