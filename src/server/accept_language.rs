//! Which language a client wants.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use crate::words::Language;

/// The weight of a language that has none, in thousandths.
const MOST: u16 = 1000;

/// The language that these request headers want most, of those that there are. Of two that are wanted as much the one
/// that is named first. Who wants none of them gets the default. Sources: RFC 9110, section 12.5.4, and the lookup of
/// RFC 4647, section 3.4: `es-CL` is content with `es`.
pub(super) fn wanted(headers: &HeaderMap) -> Language {
    let values = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<(&str, u16)> = values.flat_map(|value| value.split(',')).map(range).collect();
    let named = |language: Language| {
        let of_language = ranges.iter().enumerate().filter(|(_, (range, _))| is_of(range, language));
        // The first of its greatest weight.
        of_language
            .map(|(place, (_, weight))| (*weight, place))
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
    };
    let any = ranges.iter().position(|(range, _)| *range == "*");
    let any = any.and_then(|place| Some((ranges.get(place)?.1, place)));
    let wish = |language: Language| named(language).or(any).filter(|(weight, _)| *weight > 0);
    let mut best = (Language::default(), wish(Language::default()));
    for language in Language::ALL {
        let next = wish(language);
        let is_better = match (next, best.1) {
            (Some((weight, place)), Some((most, first))) => weight > most || (weight == most && place < first),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if is_better {
            best = (language, next);
        }
    }
    best.0
}

/// A range, and its weight in thousandths; 0 where that cannot be read.
fn range(text: &str) -> (&str, u16) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
    });
    (range, weight.unwrap_or(MOST))
}

/// A weight: from 0 to 1, with three digits at most behind the point.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = format!("{fraction:0<3}").parse().unwrap_or(0);
    match whole {
        "0" if is_number => fraction,
        "1" if is_number && fraction == 0 => MOST,
        _ => 0,
    }
}

/// Whether the primary subtag of `range` is this language's.
fn is_of(range: &str, language: Language) -> bool {
    range.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case(language.tag()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_language_that_is_wanted_most_is_spoken() {
        for (accept, expected) in [
            ("es", "es"),
            ("ES", "es"),
            ("es-CL", "es"),
            ("es-419,es;q=0.9,en;q=0.8", "es"),
            ("es-MX,en;q=0.5", "es"),
            ("en-US,en;q=0.9,es;q=0.8", "en"),
            ("en;q=0.8,es;q=0.9", "es"),
            ("es;q=0.8, en;q=0.9", "en"),
            ("es,en", "es"),
            ("en,es", "en"),
            ("en;q=0.5, es;q=0.500", "en"),
            ("fr-FR,es;q=0.1", "es"),
            ("fr, de;q=0.5", "en"),
            ("es;q=0", "en"),
            ("es;q=0,*", "en"),
            ("en;q=0,*;q=0.1", "es"),
            ("en;q=0", "en"),
            ("*", "en"),
            ("*;q=0.5, es;q=0.4", "en"),
            ("es;q=0.001", "es"),
            ("es ; Q=1.000 , en;q=0.999", "es"),
            ("es-CL;q=0.2, es;q=0.9, en;q=0.5", "es"),
            ("es;q=2, en;q=0.1", "en"),
            ("es;q=0.1234, en;q=0.1", "en"),
            ("es;q=x, en;q=0.1", "en"),
            ("est", "en"),
            ("", "en"),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(accept))]);
            assert_eq!(wanted(&headers).tag(), expected, "{accept}");
        }
        assert_eq!(wanted(&HeaderMap::new()).tag(), "en");
    }

    #[test]
    fn several_headers_are_one() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_LANGUAGE, HeaderValue::from_static("en;q=0.3"));
        headers.append(ACCEPT_LANGUAGE, HeaderValue::from_static("es;q=0.4"));
        assert_eq!(wanted(&headers).tag(), "es");
    }
}
