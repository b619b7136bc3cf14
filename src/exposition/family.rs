//! What a metric family is, whatever it is about and whatever writes it.

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up only; a value that goes down is a reset.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets, a sum and a count.
    Histogram,
}

impl Kind {
    /// Its name in a `# TYPE` line; all formats have the same.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The head of a family: what a format writes before its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family<'a> {
    /// Its name, which is unique on the page; a counter's ends in `_total`.
    pub name: &'a str,
    /// Its type.
    pub kind: Kind,
    /// Its meaning in full sentences, not escaped.
    pub help: &'a str,
}

impl<'a> Family<'a> {
    /// Its unit, `""` where it has none: the end of its name, so that the two cannot disagree.
    #[must_use]
    pub fn unit(&self) -> &'a str {
        let base = self.name.strip_suffix("_total").unwrap_or(self.name);
        match base.rsplit_once('_') {
            Some((_, unit @ ("seconds" | "bytes"))) => unit,
            _ => "",
        }
    }
}

/// A family as the documentation lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyDoc {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// The names of its labels, in their order on the page.
    pub labels: Vec<String>,
    /// Its meaning, without what is the same for all polled metrics.
    pub help: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_the_end_of_the_name() {
        for (name, unit) in [
            ("cotalker_api_response_bytes_total", "bytes"),
            ("cotalker_webhook_last_success_timestamp_seconds", "seconds"),
            ("process_cpu_seconds_total", "seconds"),
            ("cotalker_webhook_events_total", ""),
            ("cotalker_up", ""),
            ("bytes", ""),
        ] {
            assert_eq!(Family { name, kind: Kind::Gauge, help: "" }.unit(), unit, "{name}");
        }
    }
}
