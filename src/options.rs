//! What the options of all parts share: the names of their variables, and parsers of values that say what is allowed.
//!
//! Each part has its own options in an `options` file of its own: flags with their help and limits, and a `build` that
//! makes the part's settings of them. `config` only lists the parts.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// Options that cannot be used: one line for the user that names the flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) String);

/// The environment variable of the flag `name` (without its dashes). Source: docs/specification.md, flags.
pub(crate) fn variable(name: &str) -> String {
    let text = name.to_uppercase().replace(['.', '-'], "_");
    if name.starts_with("cotalker.") { text } else { format!("EXPORTER_{text}") }
}

/// `text` with each run of white space as one space.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A parser of durations within `range`, such as `example`.
pub(crate) fn duration(
    range: RangeInclusive<Duration>,
    example: &'static str,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    move |text| {
        humantime::parse_duration(text).ok().filter(|duration| range.contains(duration)).ok_or_else(|| {
            let [from, to] = [range.start(), range.end()].map(|bound| humantime::format_duration(*bound));
            format!("a duration from {from} to {to}, such as {example}")
        })
    }
}

/// A parser of numbers within `range`, which `allowed` describes.
pub(crate) fn number<T: FromStr + PartialOrd + Clone + Send + Sync + 'static>(
    range: RangeInclusive<T>,
    allowed: &'static str,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| allowed.to_owned())
}

/// A parser of a few words, each with its value.
pub(crate) fn choice<T: Copy + Send + Sync + 'static, const N: usize>(
    choices: [(&'static str, T); N],
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let chosen = choices.iter().find(|(word, _)| *word == text);
        chosen.map(|(_, value)| *value).ok_or_else(|| choices.map(|(word, _)| word).join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_of_a_flag_follows_from_its_name() {
        assert_eq!(variable("cotalker.token-file"), "COTALKER_TOKEN_FILE");
        assert_eq!(variable("poll.interval"), "EXPORTER_POLL_INTERVAL");
    }
}
