//! A sentence with placeholders, held against a text from its first letter to its last.
//!
//! A placeholder reaches to the first occurrence of what follows it in the pattern, so that matching never goes back and takes
//! time in proportion to the text.

/// What the placeholders of a pattern stood for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found<'t> {
    /// The text in the place of `{error}`.
    pub(super) error: Option<&'t str>,
    /// The number in the place of `{status}`: three digits, 100–999.
    pub(super) status: Option<u16>,
}

/// Holds `text` against `pattern`, in which `{n}` is a number, `{status}` a status code, `{word}` anything without white space
/// (a URL, a host, a protocol), `{rest}` and `{error}` anything. `None` where they do not match.
pub(super) fn find<'t>(pattern: &str, text: &'t str) -> Option<Found<'t>> {
    let mut parts = pattern.split('{');
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found = Found::default();
    let mut ends_with_placeholder = false;
    for part in parts {
        let (placeholder, literal) = part.split_once('}')?;
        ends_with_placeholder = literal.is_empty();
        let value = if ends_with_placeholder {
            core::mem::take(&mut rest)
        } else {
            let (value, after) = rest.split_once(literal)?;
            rest = after;
            value
        };
        match placeholder {
            "n" if is_number(value) => {}
            "word" if !value.is_empty() && !value.contains(char::is_whitespace) => {}
            "rest" => {}
            "status" => found.status = Some(status(value)?),
            "error" => found.error = Some(value),
            _ => return None,
        }
    }
    (ends_with_placeholder || rest.is_empty()).then_some(found)
}

fn is_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())
}

fn status(value: &str) -> Option<u16> {
    let status = is_number(value).then(|| value.parse().ok())??;
    (100..=999).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_a_placeholder_is_the_whole_text() {
        assert_eq!(find("socket hang up", "socket hang up"), Some(Found::default()));
        for text in ["socket hang up.", "a socket hang up", "socket hang", ""] {
            assert_eq!(find("socket hang up", text), None, "{text}");
        }
    }

    #[test]
    fn a_placeholder_takes_only_what_it_stands_for() {
        for (pattern, text, matches) in [
            ("timeout of {n}ms exceeded", "timeout of 1500ms exceeded", true),
            ("timeout of {n}ms exceeded", "timeout of ms exceeded", false),
            ("timeout of {n}ms exceeded", "timeout of 1.5ms exceeded", false),
            ("timeout of {n}ms exceeded", "timeout of 1500ms exceeded twice", false),
            ("at: {word}", "at: https://a.example/in", true),
            ("at: {word}", "at: two words", false),
            ("at: {word}", "at: ", false),
            ("over {n}", "over 17", true),
            ("Parse Error: {rest}", "Parse Error: Expected HTTP/", true),
            ("({rest})", "()", true),
            ("code {status}", "code 502", true),
            ("code {status}", "code 099", false),
            ("code {status}", "code 5020", false),
        ] {
            assert_eq!(find(pattern, text).is_some(), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn the_error_and_the_status_are_told() {
        let text = "request to https://a.example/in failed, reason: connect ECONNREFUSED ::1:80";
        let found = find("request to {word} failed, reason: {error}", text).expect("a match");
        assert_eq!(found.error, Some("connect ECONNREFUSED ::1:80"));
        let found = find("Response code {status} ({rest})", "Response code 502 (Bad Gateway)").expect("a match");
        assert_eq!(found.status, Some(502));
    }
}
