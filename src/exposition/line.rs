//! One line of a page: a series and its value, as both text formats have it.

use super::number::write_value;
use super::sample::{Label, Shared, Value, write_labels};

/// The upper bound of a bucket, and how the format spells it.
pub(super) type Bound = (f64, fn(&mut Vec<u8>, f64));

/// Writes `name` and `suffix`, the labels (`le` last), the value, and a line feed.
pub(super) fn write_line(
    text: &mut Vec<u8>,
    (name, suffix): (&[u8], &str),
    shared: &Shared,
    labels: &[Label<'_>],
    le: Option<Bound>,
    value: Value,
) {
    text.extend_from_slice(name);
    text.extend_from_slice(suffix.as_bytes());
    let shared = shared.as_bytes();
    let mut before = b'{';
    if !shared.is_empty() {
        text.push(before);
        text.extend_from_slice(shared);
        before = b',';
    }
    if !labels.is_empty() {
        text.push(before);
        write_labels(text, labels);
        before = b',';
    }
    if let Some((upper, write_bound)) = le {
        text.push(before);
        text.extend_from_slice(b"le=\"");
        write_bound(text, upper);
        text.push(b'"');
        before = b',';
    }
    text.extend_from_slice(if before == b'{' { b" " } else { b"} " });
    write_value(text, value);
    text.push(b'\n');
}
