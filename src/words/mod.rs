//! Facts in words, for who is on call: the pages in two languages, and the commands in English.
//!
//! [`Words`] is what has to be said; a language is one implementation of it, and [`Labels`] without a value is no value.
//! So a sentence that a language lacks does not compile.

mod calendar;
mod english;
mod grouping;
mod labels;
mod language;
mod span;
mod spanish;
mod spanish_api;
#[cfg(test)]
mod tests;
mod vocabulary;

pub(crate) use self::calendar::format;
pub(crate) use self::english::{ago, count, plural, span};
pub(crate) use self::grouping::capitalised;
pub(crate) use self::labels::Labels;
pub(crate) use self::language::Language;
pub(crate) use self::vocabulary::{Calm, Headline, Summary, Troubles, Words};
