//! How to print.

use crate::options::choice;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Tables and sentences.
    Table,
    /// One JSON document.
    Json,
}

/// The parser of `--output`.
pub(crate) fn output() -> impl Fn(&str) -> Result<Output, String> + Clone + Send + Sync + 'static {
    choice([("table", Output::Table), ("json", Output::Json)])
}
