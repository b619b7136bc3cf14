//! A web configuration file that was read and can be used.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::ConfigError;
use crate::files::{Contents, FilesOnDisk};
use crate::rules::Rules;

/// A web configuration file that was read and can be used. It prints as its path: there are secrets in it.
#[derive(Clone)]
pub struct WebConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) contents: Contents,
    pub(crate) rules: Arc<Rules>,
}

impl fmt::Debug for WebConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebConfigFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl WebConfigFile {
    /// Reads the file at `path`, and those that it names. Relative paths in it are relative to its directory. Blocks.
    ///
    /// # Errors
    ///
    /// If the file cannot be used as it is: it cannot be read, has an unknown key, or asks for something that this
    /// crate cannot do. The error is one line and shows no secret.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let files = FilesOnDisk::read(path);
        let contents = files.contents.clone();
        Ok(Self { path: path.to_owned(), contents, rules: Arc::new(Rules::of(files, path, None)?) })
    }

    /// Logs what the file asks for, and warns of what it leaves open. Meant for the start: after a reload the server
    /// does it.
    pub fn log_summary(&self) {
        self.rules.log();
    }

    /// Whether the file asks for TLS. That stays so until a restart.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.rules.tls.is_some()
    }

    /// Whether the file asks for logins.
    #[must_use]
    pub fn has_logins(&self) -> bool {
        self.rules.users.is_some()
    }
}

#[cfg(test)]
mod tests;
