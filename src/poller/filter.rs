//! Which webhooks to watch, by their codes.

use regex::Regex;

/// A webhook is watched if its code matches `include` and does not match `exclude`. Both are matched against the whole
/// code.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those whose code matches; all if `None`.
    pub include: Option<Regex>,
    /// None of those whose code matches.
    pub exclude: Option<Regex>,
}

impl Filter {
    /// Whether a webhook with this code is watched.
    #[must_use]
    pub fn admits(&self, code: &str) -> bool {
        self.include.as_ref().is_none_or(|include| include.is_match(code))
            && !self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(code))
    }
}
