//! Families of what the exporter measures of itself.

use super::family::{Family, FamilyDoc, Kind};
use super::sample::{Shared, Sink};
use super::series::Series;

/// A row of a table of families: one whose samples follow from a `T`.
#[derive(Debug)]
pub struct OwnFamily<T> {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// Its meaning in full sentences.
    pub help: &'static str,
    /// Hands out its samples.
    pub samples: fn(&mut Series<'_>, &T),
}

impl<T> OwnFamily<T> {
    /// Hands it to `sink`, with the samples of `of`. Its counters have these labels, and have counted since then.
    pub fn write(&self, of: &T, shared: &Shared, sink: &mut dyn Sink) {
        sink.family(&Family { name: self.name, kind: self.kind, help: self.help });
        (self.samples)(&mut Series::new(sink, shared), of);
    }

    /// The same for the documentation.
    #[must_use]
    pub fn doc(&self) -> FamilyDoc {
        FamilyDoc {
            name: self.name.to_owned(),
            kind: self.kind,
            labels: self.labels.iter().map(|label| (*label).to_owned()).collect(),
            help: self.help.to_owned(),
        }
    }
}
