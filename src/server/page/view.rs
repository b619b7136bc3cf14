//! Who looks at a page, and when.

use delivery_ledger::UnixMillis;

use super::links::Links;
use super::query::PageQuery;
use crate::words::{Labels, Language, Words};

/// How often a page asks for itself again, in seconds. A convention: half of the default interval between polls.
pub(crate) const REFRESH_SECONDS: u32 = 30;

/// Who looks at a page, and when.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) language: Language,
    pub(crate) query: PageQuery,
    pub(crate) links: Links,
    /// By the local clock.
    pub(crate) now: UnixMillis,
    pub(crate) telemetry_path: String,
    pub(crate) version: &'static str,
}

impl View {
    /// Whether the page asks for itself again.
    pub(crate) const fn refreshes(&self) -> bool {
        !self.query.is_still
    }

    pub(super) fn words(&self) -> &'static dyn Words {
        self.language.words()
    }

    pub(super) fn labels(&self) -> &'static Labels {
        self.words().labels()
    }

    /// How often the page asks for itself again, in words.
    pub(super) fn reloads(&self) -> String {
        self.words().reloads(REFRESH_SECONDS)
    }

    /// The link that makes it do so.
    pub(super) fn reload(&self) -> String {
        self.words().reload(REFRESH_SECONDS)
    }
}
