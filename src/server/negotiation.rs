//! What a client asks for with `Accept` and `Accept-Encoding`. Source: RFC 9110, sections 12.4.2, 12.5.1 and 12.5.3.

use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName};

use crate::compression::Encoding;
use crate::exposition::Format;

/// A format under the name that a client gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) format: Format,
    pub(super) content_type: &'static str,
    /// The media type, split.
    media_type: (&'static str, &'static str),
    version: &'static str,
}

/// Source: Prometheus, "Exposition formats".
const TEXT: Offer = Offer {
    format: Format::Text,
    content_type: "text/plain; version=0.0.4; charset=utf-8",
    media_type: ("text", "plain"),
    version: "0.0.4",
};

/// Source: OpenMetrics 1.0, section "Content Type"; 0.0.1 is what it was called before, byte for byte the same.
const OPENMETRICS: [Offer; 2] = [
    Offer {
        format: Format::OpenMetrics,
        content_type: "application/openmetrics-text; version=1.0.0; charset=utf-8",
        media_type: ("application", "openmetrics-text"),
        version: "1.0.0",
    },
    Offer {
        format: Format::OpenMetrics,
        content_type: "application/openmetrics-text; version=0.0.1; charset=utf-8",
        media_type: ("application", "openmetrics-text"),
        version: "0.0.1",
    },
];

/// The offer that weighs most; of two that weigh the same OpenMetrics, and the text format if none has any weight.
pub(super) fn format(headers: &HeaderMap) -> Offer {
    let ranges: Vec<Item<'_>> = items(headers, &ACCEPT).collect();
    let weight = |offer: &Offer| {
        let matching = ranges.iter().filter_map(|range| Some((specificity(range, offer)?, range.weight)));
        // The most specific range decides, whatever the others weigh.
        matching.max_by_key(|(specificity, _)| *specificity).map_or(0, |(_, weight)| weight)
    };
    let [newest, older] = OPENMETRICS;
    let mut best = (TEXT, weight(&TEXT));
    for offer in [older, newest] {
        let weight = weight(&offer);
        if weight > 0 && weight >= best.1 {
            best = (offer, weight);
        }
    }
    best.0
}

/// How exactly a media range names an offer; `None` if it does not.
fn specificity(range: &Item<'_>, offer: &Offer) -> Option<u8> {
    let (main, sub) = offer.media_type;
    let (wanted_main, wanted_sub) = range.name.split_once('/')?;
    match (wanted_main.trim(), wanted_sub.trim()) {
        // Whoever takes anything gets what every client of metrics can read.
        ("*", "*") => (offer.format == Format::Text).then_some(0),
        (wanted, "*") if wanted.eq_ignore_ascii_case(main) => Some(1),
        (wanted_main, wanted_sub) if wanted_main.eq_ignore_ascii_case(main) && wanted_sub.eq_ignore_ascii_case(sub) => {
            // Other parameters (a charset, an escaping of names) ask for nothing that the page lacks.
            match range.parameter("version") {
                None => Some(2),
                Some(version) => (version == offer.version).then_some(3),
            }
        }
        _ => None,
    }
}

/// The encoding that weighs most; of two that weigh the same the smaller page.
pub(super) fn encoding(headers: &HeaderMap) -> Encoding {
    let Weights { zstd, gzip, identity } = Weights::of(headers);
    match zstd.max(gzip) {
        0 => Encoding::Identity,
        best if best < identity => Encoding::Identity,
        best if best == zstd => Encoding::Zstd,
        _ => Encoding::Gzip,
    }
}

/// Whether gzip weighs at least as much as no compression: for pages that have no other.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let Weights { gzip, identity, .. } = Weights::of(headers);
    gzip > 0 && gzip >= identity
}

/// What a client asks for with `Accept-Encoding`, in thousandths.
struct Weights {
    zstd: u16,
    gzip: u16,
    identity: u16,
}

impl Weights {
    fn of(headers: &HeaderMap) -> Self {
        let (mut zstd, mut gzip, mut identity, mut any) = (None, None, None, None);
        for Item { name, weight, .. } in items(headers, &ACCEPT_ENCODING) {
            match name.to_ascii_lowercase().as_str() {
                "zstd" => zstd = zstd.max(Some(weight)),
                "gzip" | "x-gzip" => gzip = gzip.max(Some(weight)),
                "identity" => identity = Some(weight),
                "*" => any = Some(weight),
                _ => {}
            }
        }
        // Whoever takes anything gets what every client of HTTP can read.
        Self { zstd: zstd.unwrap_or(0), gzip: gzip.or(any).unwrap_or(0), identity: identity.unwrap_or(0) }
    }
}

/// One of the things that a header lists.
struct Item<'a> {
    name: &'a str,
    parameters: &'a str,
    /// In thousandths.
    weight: u16,
}

impl<'a> Item<'a> {
    fn of(text: &'a str) -> Self {
        let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
        let item = Self { name: name.trim(), parameters, weight: MOST };
        // A weight that cannot be read is none, so that the plain text is sent.
        let weight = item.parameter("q").map_or(MOST, |weight| thousandths(weight).unwrap_or(0));
        Self { weight, ..item }
    }

    /// The value of a parameter, without quotation marks.
    fn parameter(&self, wanted: &str) -> Option<&'a str> {
        self.parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"'))
        })
    }
}

/// The weight of what has none.
const MOST: u16 = 1000;

fn thousandths(weight: &str) -> Option<u16> {
    let weight = weight.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000")]
    Some((weight * f32::from(MOST)).round() as u16)
}

fn items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Item<'a>> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(Item::of)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn asking(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("a value"))])
    }

    #[test]
    fn the_format_is_the_one_that_the_client_weighs_most() {
        let [newest, older] = OPENMETRICS;
        for (accept, expected) in [
            ("application/openmetrics-text; version=1.0.0", newest),
            ("application/openmetrics-text; version=\"1.0.0\"; charset=utf-8", newest),
            ("Application/OpenMetrics-Text;Version=0.0.1", older),
            ("application/openmetrics-text", newest),
            ("application/openmetrics-text;version=2.0.0", TEXT),
            ("application/*", newest),
            // Prometheus 2.42 and 3.5.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                newest,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                newest,
            ),
            ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5", TEXT),
            ("text/plain;q=0.5, application/openmetrics-text;version=0.0.1;q=0.5", older),
            (
                "application/openmetrics-text;version=1.0.0;q=0.1,application/openmetrics-text;version=0.0.1;q=0.2",
                older,
            ),
            ("application/openmetrics-text, application/openmetrics-text;version=1.0.0;q=0", older),
            ("application/openmetrics-text;q=0, */*", TEXT),
            ("application/openmetrics-text;q=0", TEXT),
            ("application/openmetrics-text;q=x, text/html", TEXT),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
            ("application/openmetrics-text;version=1.0.0;q=0.5, */*;q=0.9", TEXT),
            ("application/json", TEXT),
            ("text", TEXT),
            ("*/*", TEXT),
            ("", TEXT),
        ] {
            assert_eq!(format(&asking(ACCEPT, accept)), expected, "{accept}");
        }
        assert_eq!(format(&HeaderMap::new()), TEXT);
    }

    #[test]
    fn the_encoding_is_the_one_that_the_client_weighs_most() {
        use Encoding::{Gzip, Identity, Zstd};
        for (accept, expected) in [
            ("gzip", Gzip),
            ("GZip", Gzip),
            ("x-gzip", Gzip),
            ("deflate, gzip;q=0.5", Gzip),
            ("gzip ; Q=0.001", Gzip),
            ("*", Gzip),
            ("br, *;q=0.1", Gzip),
            ("identity, gzip", Gzip),
            ("*;q=0, gzip", Gzip),
            ("gzip, zstd;q=0.9", Gzip),
            ("gzip, zstd;q=0", Gzip),
            ("br, ZSTD", Zstd),
            ("gzip, deflate, br, zstd", Zstd),
            ("gzip;q=0.8, zstd;q=0.8, identity;q=0.8", Zstd),
            ("", Identity),
            ("identity", Identity),
            ("br, deflate", Identity),
            ("gzip;q=0", Identity),
            ("gzip;q=0.000", Identity),
            ("*, gzip;q=0", Identity),
            ("*;q=0", Identity),
            ("gzip;q=x", Identity),
            ("gzip;q=2", Identity),
            ("gzip;q=0.5, zstd;q=0.4, identity", Identity),
            ("gzipped", Identity),
        ] {
            assert_eq!(encoding(&asking(ACCEPT_ENCODING, accept)), expected, "{accept}");
        }
        assert_eq!(encoding(&HeaderMap::new()), Identity);
    }
}
