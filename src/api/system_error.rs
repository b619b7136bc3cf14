//! An error of the operating system, in a form that can be kept and compared.

use std::io;

use thiserror::Error;

/// An error of the operating system, with the system's own text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[error("{text}")]
pub struct SystemError {
    /// What kind it is.
    pub kind: io::ErrorKind,
    /// What the system says.
    pub text: String,
}

impl SystemError {
    pub(super) fn of(error: &io::Error) -> Self {
        Self { kind: error.kind(), text: error.to_string() }
    }
}
