//! A command line that starts nothing: what to print instead.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::options::{Refused, one_line, variable};

/// Why the process ends before anything has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Text for standard output, and status 0: `--help` or `--version`.
    Text(String),
    /// One line for standard error, and status 2.
    Refused(String),
}

impl From<Refused> for Exit {
    fn from(Refused(line): Refused) -> Self {
        Self::Refused(line)
    }
}

impl Exit {
    /// One line that names the flag, the value and what is allowed, instead of clap's several.
    pub(super) fn of(error: &clap::Error) -> Self {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return Self::Text(error.to_string().trim_end().to_owned());
        }
        let context = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.as_str()),
            _ => None,
        };
        let flag = context(ContextKind::InvalidArg).and_then(|arg| arg.split(' ').next());
        let flag = flag.map(|flag| flag.split(['=', '[']).next().unwrap_or(flag));
        let allowed = std::error::Error::source(error).map(ToString::to_string);
        match (flag, context(ContextKind::InvalidValue), allowed) {
            (Some(flag), Some(value), Some(allowed)) => {
                // A URL with user info holds a password.
                let value = if value.contains('@') && value.contains("//") { "[redacted]" } else { value };
                let name = variable(flag.trim_start_matches('-'));
                Self::Refused(one_line(&format!("{flag} (or {name}): {value:?} is not allowed; use {allowed}")))
            }
            _ => {
                let text = error.to_string();
                let line = text.lines().next().unwrap_or_default();
                Self::Refused(format!("{}; see --help", line.strip_prefix("error: ").unwrap_or(line)))
            }
        }
    }
}
