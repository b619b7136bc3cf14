//! Why a web configuration file cannot be used.

use std::fmt::Display;
use std::path::Path;

/// A web configuration file that cannot be used, or a file that it names.
///
/// Its text is one line: the file, the key, the value, and what is allowed. A value that may be a secret is left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// A problem with the file as a whole.
    pub(crate) fn of_file(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }

    /// A problem with what stands at `key`.
    pub(crate) fn at(key: &str, problem: impl Display) -> Self {
        Self(format!("{key}: {problem}"))
    }

    /// A value at `key` that is not allowed. It is shown, so it must not be a secret.
    pub(crate) fn value(key: &str, value: &str, allowed: impl Display) -> Self {
        Self::at(key, format_args!("{value:?} is not allowed; use {allowed}"))
    }

    /// The same error with the file's path in front.
    pub(crate) fn within(self, path: &Path) -> Self {
        Self(format!("{}: {}", path.display(), self.0))
    }
}
