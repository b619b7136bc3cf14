use super::grouping::grouped;
use super::language::Language;
use super::span::Span;
use super::vocabulary::Words;

const DAY: i64 = 86_400;

fn both() -> [&'static dyn Words; 2] {
    Language::ALL.map(Language::words)
}

#[test]
fn spans_are_in_one_unit() {
    for (seconds, english, spanish) in [
        (-5, "0 s", "0 s"),
        (59, "59 s", "59 s"),
        (60, "1 minute", "1 minuto"),
        (3_599, "59 minutes", "59 minutos"),
        (3_600, "1 hour", "1 hora"),
        (47 * 3_600, "47 hours", "47 horas"),
        (48 * 3_600, "2 days", "2 días"),
        (40_000 * DAY, "40,000 days", "40\u{202f}000 días"),
    ] {
        let span = Span::of_millis(seconds * 1_000);
        assert_eq!(both().map(|words| words.span(span)), [english, spanish]);
    }
}

#[test]
fn ages_and_intervals_are_told_with_their_spans() {
    let [english, spanish] = both();
    assert_eq!((english.ago(-1), english.ago(1_500)), ("just now".into(), "1 s ago".into()));
    assert_eq!((spanish.ago(-1), spanish.ago(61_000)), ("hace un instante".into(), "hace 1 minuto".into()));
    assert_eq!(
        [60_000, 90_000, 5_000].map(|millis| english.every(millis)),
        ["every minute", "every minute", "every 5 s"]
    );
    assert_eq!(
        [60_000, 120_000, 5_000].map(|millis| spanish.every(millis)),
        ["cada minuto", "cada 2 minutos", "cada 5 s"]
    );
}

#[test]
fn numbers_are_grouped_as_the_language_does_it() {
    let [english, spanish] = both();
    assert_eq!(
        [0, 999, 1_234, 12_345, 1_234_567].map(|n| english.number(n)),
        ["0", "999", "1,234", "12,345", "1,234,567"]
    );
    let spaced = ["0", "999", "1234", "12\u{202f}345", "1\u{202f}234\u{202f}567"];
    assert_eq!([0, 999, 1_234, 12_345, 1_234_567].map(|n| spanish.number(n)), spaced);
    assert_eq!(grouped(u64::MAX, ',', 4), "18,446,744,073,709,551,615");
}
