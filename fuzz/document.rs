//! Logs made of chance.

use serde_json::Value;

/// The webhook whose log it is.
pub(crate) const WEBHOOK: &str = "62685990d918fb5557f9f992";

/// A text with this in it cannot be read: in the log that is read, something unreadable stands in its place.
pub(crate) const UNREADABLE: char = '☠';

/// What stands there: unreadable whatever is behind it.
const UNREADABLE_BYTES: [&[u8]; 9] =
    [br"\ud83d", br"x\udc00", br"\ud83d\ud83d", br"\ud83dx", br"\x", br"\u12g", b"\xff", b"\xed\xa0\xbd", b"\xe2\x82"];

const IDS: [&str; 4] = ["62742dd824c886d54e60f02b", "62742DD824C886D54E60F02C", WEBHOOK, "62685990d918fb5557f9f993"];

const TEXTS: [&str; 22] = [
    "",
    " ",
    "connect ETIMEDOUT 67.225.146.248:443",
    "certificate has expired",
    "socket hang up",
    "{\"error\":\"no\"}",
    "[]}],{\\\"",
    "409",
    " 200 ",
    "4.09e2",
    "1651781080084",
    "2022-05-05T20:04:40.084Z",
    "2022-05-05 20:04:40",
    "yesterday",
    "COTTask",
    "create",
    "edit",
    "😀",
    "\u{0}\u{1f}\n",
    "☠",
    "a☠b",
    "62742dd824c886d54e60f02",
];

const WORDS: [&str; 20] = [
    "200",
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "3",
    "-1",
    "204",
    "302",
    "409",
    "409.0",
    "4.09e2",
    "500",
    "1e30",
    "1651781080084",
    "9223372036854775808",
    "123456789012345678901234567890",
    "1.5",
];

const KEYS: [&str; 24] = [
    "_id",
    "subscription",
    "createdAt",
    "status",
    "retry",
    "response",
    "event",
    "company",
    "type",
    "data",
    "extraData",
    "userId",
    "$oid",
    "$date",
    "$numberLong",
    "$numberInt",
    "__v",
    "",
    "a",
    "ключ",
    "☠",
    "_id☠",
    "\u{0}",
    "name",
];

/// A log in two forms.
pub(crate) struct Document {
    /// For the oracle.
    pub(crate) plain: Vec<u8>,
    /// For the reader: with something unreadable where the other has [`UNREADABLE`].
    pub(crate) odd: Vec<u8>,
    /// Where the second is cut.
    pub(crate) cuts: Vec<usize>,
}

impl Document {
    /// The log that these choices make; when there are no more of them, the rest is the simplest.
    pub(crate) fn made_of(choices: Vec<u64>) -> Self {
        let mut dice = Dice(choices.into_iter());
        let mut text = String::new();
        if dice.one_in(20) {
            text.push('\u{feff}');
        }
        dice.array(&mut text, 4, Dice::entry);
        let mut plain = text.into_bytes();
        if dice.one_in(4) {
            for _ in 0..=dice.below(3) {
                dice.mutate(&mut plain);
            }
        }
        let mut odd = Vec::with_capacity(plain.len());
        let mut rest = plain.as_slice();
        let mark = UNREADABLE.to_string();
        while let Some(at) = rest.windows(mark.len()).position(|window| window == mark.as_bytes()) {
            odd.extend_from_slice(&rest[..at]);
            odd.extend_from_slice(dice.pick(&UNREADABLE_BYTES));
            rest = &rest[at + mark.len()..];
        }
        odd.extend_from_slice(rest);
        let cuts = dice.cuts(&odd);
        Self { plain, odd, cuts }
    }
}

/// A log that these choices have changed in a few places, and where to cut it.
pub(crate) fn changed(log: &[u8], choices: Vec<u64>) -> (Vec<u8>, Vec<usize>) {
    let mut dice = Dice(choices.into_iter());
    let mut log = log.to_vec();
    for _ in 0..dice.below(4) {
        dice.mutate(&mut log);
    }
    let cuts = dice.cuts(&log);
    (log, cuts)
}

/// What makes a value and writes it.
type Maker = fn(&mut Dice, &mut String);

/// Choices, one after the other.
struct Dice(std::vec::IntoIter<u64>);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        let choice = self.0.next().unwrap_or_default();
        usize::try_from(choice % limit.max(1) as u64).expect("below a usize")
    }

    fn one_in(&mut self, chances: usize) -> bool {
        // Without choices: no.
        self.below(chances) + 1 == chances
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn cuts(&mut self, log: &[u8]) -> Vec<usize> {
        let mut cuts: Vec<usize> = (0..self.below(6)).map(|_| self.below(log.len() + 1)).collect();
        cuts.sort_unstable();
        cuts
    }

    fn space(&mut self, out: &mut String) {
        if self.one_in(12) {
            out.push_str(self.pick(&[" ", "\n", "\t\r", "  "]));
        }
    }

    fn array(&mut self, out: &mut String, most: usize, mut item: impl FnMut(&mut Self, &mut String)) {
        self.space(out);
        out.push('[');
        for number in 0..self.below(most + 1) {
            if number > 0 {
                out.push(',');
            }
            self.space(out);
            item(self, out);
            self.space(out);
        }
        out.push(']');
        self.space(out);
    }

    fn entry(&mut self, out: &mut String) {
        if self.one_in(20) {
            return self.any(out, 3);
        }
        self.object(
            out,
            &[
                ("_id", Self::id),
                ("subscription", Self::subscription),
                ("createdAt", Self::time),
                ("status", Self::number),
                ("retry", Self::number),
                ("response", Self::text),
                ("event", Self::event),
            ],
        );
    }

    fn event(&mut self, out: &mut String) {
        let event: Maker = |dice, out| {
            dice.object(
                out,
                &[
                    ("company", Self::id),
                    ("type", Self::text),
                    ("event", Self::text),
                    ("createdAt", Self::time),
                    ("data", |dice, out| dice.in_text(out, |dice, out| dice.object(out, &[("_id", Self::id)]))),
                    ("extraData", |dice, out| dice.in_text(out, |dice, out| dice.object(out, &[("userId", Self::id)]))),
                ],
            );
        };
        self.in_text(out, event);
    }

    /// What `inner` makes, or, now and then, a text that holds it.
    fn in_text(&mut self, out: &mut String, inner: Maker) {
        if !self.one_in(5) {
            return inner(self, out);
        }
        let mut text = String::new();
        inner(self, &mut text);
        if self.one_in(10) {
            text.push_str(self.pick(&["x", "{}", "]", "\u{feff}"]));
        }
        out.push_str(&Value::from(text).to_string());
    }

    /// An object with most of these members, in some order, some of them twice, and others.
    fn object(&mut self, out: &mut String, members: &[(&str, Maker)]) {
        out.push('{');
        let mut is_first = true;
        let turn = self.below(members.len());
        for at in 0..members.len() {
            let (name, value) = members[(at + turn) % members.len()];
            let times = match self.below(24) {
                22 => 0,
                23 => 2,
                _ => 1,
            };
            for _ in 0..times {
                self.member(out, &mut is_first, name);
                if self.one_in(16) { self.any(out, 3) } else { value(self, out) }
            }
            if self.one_in(8) {
                let name = self.pick(&KEYS);
                self.member(out, &mut is_first, name);
                self.any(out, 3);
            }
        }
        self.space(out);
        out.push('}');
    }

    fn member(&mut self, out: &mut String, is_first: &mut bool, name: &str) {
        if !std::mem::take(is_first) {
            out.push(',');
        }
        self.space(out);
        self.quoted(out, name);
        self.space(out);
        out.push(':');
        self.space(out);
    }

    /// A text in quotes, a letter of it escaped now and then.
    fn quoted(&mut self, out: &mut String, text: &str) {
        let quoted = Value::from(text).to_string();
        let escaped = if self.one_in(8) { self.below(text.chars().count()) } else { usize::MAX };
        for (number, letter) in quoted.chars().enumerate() {
            // Behind the first quote; letters and digits that are no part of an escape.
            if number == escaped.wrapping_add(1) && letter.is_ascii_alphanumeric() && !quoted.contains('\\') {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            } else {
                out.push(letter);
            }
        }
    }

    fn id(&mut self, out: &mut String) {
        let id = self.pick(&IDS);
        match self.below(12) {
            9 => self.object(out, &[("$oid", |dice, out| out.push_str(&Value::from(dice.pick(&IDS)).to_string()))]),
            10 => self.object(out, &[("_id", |dice, out| dice.id(out))]),
            11 => self.scalar(out),
            _ => self.quoted(out, id),
        }
    }

    fn subscription(&mut self, out: &mut String) {
        if self.one_in(4) { self.id(out) } else { self.quoted(out, WEBHOOK) }
    }

    fn time(&mut self, out: &mut String) {
        match self.below(6) {
            3 => out.push_str("1651781080084"),
            4 => self.object(out, &[("$date", |dice, out| dice.scalar(out))]),
            5 => self.scalar(out),
            millis => out.push_str(&format!("\"2022-05-05T20:04:40.08{millis}Z\"")),
        }
    }

    fn number(&mut self, out: &mut String) {
        if self.one_in(6) {
            return self.scalar(out);
        }
        let number = self.pick(&WORDS);
        if self.one_in(6) { self.quoted(out, number) } else { out.push_str(number) }
    }

    fn text(&mut self, out: &mut String) {
        let text = self.pick(&TEXTS);
        self.quoted(out, text);
    }

    fn scalar(&mut self, out: &mut String) {
        if self.one_in(2) { self.text(out) } else { out.push_str(self.pick(&WORDS)) }
    }

    fn any(&mut self, out: &mut String, depth: usize) {
        match self.below(if depth == 0 { 3 } else { 5 }) {
            0 => out.push_str(self.pick(&WORDS)),
            1 => self.text(out),
            2 => self.id(out),
            3 => self.array(out, 3, |dice, out| dice.any(out, depth - 1)),
            _ => {
                out.push('{');
                let mut is_first = true;
                for _ in 0..self.below(4) {
                    let name = self.pick(&KEYS);
                    self.member(out, &mut is_first, name);
                    self.any(out, depth - 1);
                }
                out.push('}');
            }
        }
    }

    /// Changes, drops, doubles or inserts a few bytes somewhere.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let from = self.below(bytes.len());
        let to = (from + 1 + self.below(4)).min(bytes.len());
        match self.below(4) {
            0 => {
                const TYPICAL: &[u8] = b"{}[]\",:\\ \n0123456789eE.+-truefalsn\xff\x00\xef\xbb\xbf";
                bytes[from] = self.pick(TYPICAL);
            }
            1 => drop(bytes.drain(from..to)),
            2 => {
                let piece = bytes[from..to].to_vec();
                bytes.splice(from..from, piece);
            }
            _ => {
                let at = self.below(bytes.len());
                let piece = bytes[from..to].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
}
