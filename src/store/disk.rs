//! The few things that the store does to a directory, as a trait, so that a test can put a faulty disk in its place.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::journal::BLOCK;

/// What state may be read by: its owner. It tells of a company's business.
pub(super) const FILE_MODE: u32 = 0o600;

/// What the name of a file that is still being written ends with.
const UNFINISHED: &str = ".new";

/// A directory of small files. Names are plain file names.
pub trait Disk: fmt::Debug + Send {
    /// All of a file; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be read.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// As much of a file as can be read, at its length: blocks of [`BLOCK`] bytes that cannot are bytes of 0xff, which is
    /// nothing that a write that was torn leaves. `None` if there is no file.
    ///
    /// # Errors
    ///
    /// If it cannot be read at all.
    fn read_around(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Replaces a file as a whole: after a crash there is the old one or the new one, and after a return the new one.
    ///
    /// # Errors
    ///
    /// If it can't be said that the new one is durable; the old one is still there, or the new one is.
    fn replace(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()>;

    /// Adds to the end of a file that is `at` bytes long, or makes it if that is 0: durable after a return, its name too.
    ///
    /// # Errors
    ///
    /// If that can't be said, or if the file is not as long as that. What is there beyond `at` may be anything then, now
    /// and after a later success: no further use of this file is safe.
    fn append(&mut self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file back to its first `length` bytes; not durable by itself.
    ///
    /// # Errors
    ///
    /// If that fails.
    fn cut(&mut self, name: &str, length: u64) -> io::Result<()>;

    /// Makes a file's contents durable as they are now.
    ///
    /// # Errors
    ///
    /// If it can't be said that they are.
    fn sync(&mut self, name: &str) -> io::Result<()>;

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

    /// Removes a file; not durable by itself.
    ///
    /// # Errors
    ///
    /// If that fails.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// The names of all files, in any order.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read.
    fn names(&self) -> io::Result<Vec<String>>;

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
    /// Whether the log says that names cannot be made durable here.
    has_told_of_names: bool,
}

impl Directory {
    /// The directory at `path`, which exists.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), has_told_of_names: false }
    }

    /// Removes what a process that was killed in the middle of [`Disk::replace`] left behind.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read, or something in it not be removed.
    pub fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
                fs::remove_file(entry.path())?;
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

    fn read_around(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match self.read(name) {
            Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {}
            read => return read,
        }
        let file = File::open(self.path.join(name))?;
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        for (block, place) in bytes.chunks_mut(BLOCK).zip((0..).step_by(BLOCK)) {
            if file.read_exact_at(block, place).is_err() {
                block.fill(0xff);
            }
        }
        Ok(Some(bytes))
    }

    fn replace(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()> {
        let unfinished = self.path.join(format!("{name}{UNFINISHED}"));
        remove_if_there(&unfinished)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&unfinished)?;
        let mut file = io::BufWriter::with_capacity(1 << 20, file);
        for piece in pieces {
            file.write_all(piece)?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(unfinished, self.path.join(name))?;
        // Without this the rename is not durable.
        self.sync_names()
    }

    fn append(&mut self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(at == 0).mode(FILE_MODE);
        let mut file = options.open(self.path.join(name))?;
        if file.metadata()?.len() != at {
            return Err(io::Error::other(format!("{name} is not as long as it was left")));
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        if at == 0 { self.sync_names() } else { Ok(()) }
    }

    fn cut(&mut self, name: &str, length: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.path.join(name))?.set_len(length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        File::open(self.path.join(name))?.sync_all()
    }

    fn keep_as(&mut self, name: &str, second: &str) -> io::Result<()> {
        let link = self.path.join(format!("{second}{UNFINISHED}"));
        remove_if_there(&link)?;
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

    fn remove(&mut self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn sync_names(&mut self) -> io::Result<()> {
        if !sync_directory(&self.path)? && !std::mem::replace(&mut self.has_told_of_names, true) {
            tracing::warn!(
                directory = %self.path.display(),
                "this file system cannot sync a directory; after a loss of power the checkpoint may be an older one"
            );
        }
        Ok(())
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the names in a directory durable; false where the file system has no such call. Source: fsync(2), "EROFS,
/// EINVAL", and what network and FUSE file systems give instead.
pub(super) fn sync_directory(path: &Path) -> io::Result<bool> {
    match File::open(path)?.sync_all() {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS)) => Ok(false),
        Err(error) => Err(error),
    }
}
