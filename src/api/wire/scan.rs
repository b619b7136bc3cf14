//! Reads objects member by member, as far as they can be read.
//!
//! A JSON parser gives up a whole entry for half a surrogate pair in a text that nobody needs, and the entry would not
//! count. So only the needed values are decoded here, and one that cannot be is a value less. Everything else is passed
//! over by its brackets and quotes.

use std::borrow::Cow;

use memchr::memchr2;

use super::lenient::Scalar;
use crate::api::nesting::Nesting;

/// Objects that stand for one value: a reference that the API filled in, and MongoDB's extended JSON. Where several of
/// these members have a value, the first one here is taken.
pub(super) const STAND_INS: [&[u8]; 6] = [b"_id", b"$oid", b"$date", b"$numberLong", b"$numberInt", b"$numberDouble"];

/// So many objects may stand around one value: `{"_id": {"$oid": "…"}}`, `{"$date": {"$numberLong": "…"}}`.
const STAND_IN_LEVELS: u8 = 2;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The value of a key. One that is given twice has none: nobody can say which is right.
#[derive(Debug, Default)]
pub(super) enum Given<T> {
    #[default]
    Never,
    Once(T),
    Twice,
}

impl<T: Default> Given<T> {
    pub(super) fn put(&mut self, value: T) {
        *self = match self {
            Self::Never => Self::Once(value),
            Self::Once(_) | Self::Twice => Self::Twice,
        };
    }

    pub(super) fn value(self) -> T {
        match self {
            Self::Once(value) => value,
            Self::Never | Self::Twice => T::default(),
        }
    }
}

/// A place in JSON text. Its methods give `None` where the text is no JSON at all.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Reads a text that is one value, with `read`.
    pub(super) fn whole<T>(bytes: &'a [u8], read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut cursor = Self { bytes: bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes), at: 0 };
        let value = read(&mut cursor)?;
        cursor.peek().is_none().then_some(value)
    }

    /// Reads an object: `member` gets each key and must take its value. A key that cannot be read comes as an empty one.
    pub(super) fn members(&mut self, mut member: impl FnMut(&[u8], &mut Self) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        if self.peek()? == b'}' {
            return self.expect(b'}');
        }
        loop {
            let key = self.quoted()?;
            self.expect(b':')?;
            if key.contains(&b'\\') {
                member(decode(key).unwrap_or_default().as_bytes(), self)?;
            } else {
                member(&key[1..key.len() - 1], self)?;
            }
            if self.peek()? == b'}' {
                return self.expect(b'}');
            }
            self.expect(b',')?;
        }
    }

    /// Passes over a value, or whatever word stands in the place of one.
    pub(super) fn skip(&mut self) -> Option<()> {
        match Nesting::opened_by(self.peek()?) {
            Some(mut nesting) => self.at = nesting.advance(self.bytes, self.at + 1).ok()??,
            None => {
                self.word()?;
            }
        }
        Some(())
    }

    /// Takes a value that should be a scalar, or an object that stands for one.
    pub(super) fn scalar(&mut self) -> Option<Scalar<'a>> {
        self.scalar_within(STAND_IN_LEVELS)
    }

    /// Takes a value that should be a text, and nothing that stands for one.
    pub(super) fn plain(&mut self) -> Option<Scalar<'a>> {
        self.scalar_within(0)
    }

    fn scalar_within(&mut self, levels: u8) -> Option<Scalar<'a>> {
        match self.peek()? {
            b'"' => Some(decode(self.quoted()?).map_or(Scalar::Unreadable, Scalar::Text)),
            b'{' if levels > 0 => self.or_skip(Scalar::Unreadable, |cursor| cursor.stand_in(levels - 1)),
            b'{' | b'[' => self.skip().map(|()| Scalar::Unreadable),
            _ => self.word().map(Scalar::of_word),
        }
    }

    fn stand_in(&mut self, levels: u8) -> Option<Scalar<'a>> {
        let mut found: [Given<Scalar<'a>>; STAND_INS.len()] = Default::default();
        self.members(|key, cursor| {
            match STAND_INS.iter().zip(&mut found).find(|(name, _)| **name == key) {
                Some((_, found)) => found.put(cursor.scalar_within(levels)?),
                None => cursor.skip()?,
            }
            Some(())
        })?;
        Some(found.into_iter().map(Given::value).find(Scalar::has_value).unwrap_or(Scalar::Unreadable))
    }

    /// Takes a value that should be an object, or a text that holds one, with `read`; what is none has no value.
    pub(super) fn object<T: Default>(&mut self, read: impl FnOnce(&mut Cursor<'_>) -> Option<T>) -> Option<T> {
        match self.peek()? {
            b'{' => self.or_skip(T::default(), |cursor| read(cursor)),
            b'"' => {
                let text = decode(self.quoted()?);
                Some(text.and_then(|text| Cursor::whole(text.as_bytes(), |inner| read(inner))).unwrap_or_default())
            }
            _ => self.skip().map(|()| T::default()),
        }
    }

    /// Takes a value with `read`, or, if that fails, passes over it: it is `otherwise` then.
    fn or_skip<T>(&mut self, otherwise: T, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let start = self.at;
        if let Some(value) = read(self) {
            return Some(value);
        }
        self.at = start;
        self.skip().map(|()| otherwise)
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.bytes.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let is_it = self.peek()? == byte;
        self.at += 1;
        is_it.then_some(())
    }

    /// A text with its quotes.
    fn quoted(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at - 1;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let found = memchr2(b'"', b'\\', rest)?;
            if rest[found] == b'"' {
                self.at += found + 1;
                return self.bytes.get(start..self.at);
            }
            self.at += found + 2;
        }
    }

    /// A number, `true`, `false`, `null`, or what stands in their place.
    fn word(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let is_end = |byte: &u8| b",]}:\"{[ \t\n\r".contains(byte);
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).filter(|word| !word.is_empty())
    }
}

/// What a text with its quotes says; `None` if it cannot be read.
pub(super) fn decode(quoted: &[u8]) -> Option<Cow<'_, str>> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    // All of them, whatever the first is: that goes sixteen at a time.
    if inner.iter().fold(true, |is_plain, byte| is_plain & (*byte != b'\\') & (*byte >= b' ')) {
        return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
    }
    serde_json::from_slice::<String>(quoted).ok().map(Cow::Owned)
}
