//! What `serde_json` refuses as a whole for the sake of one odd field, made into what it reads.
//!
//! A text that was cut in the middle of an emoji (`"\ud83d"`), bytes that are no UTF-8, a key that is given twice, a number
//! that no float holds: each is a field without a value, and nothing around it fails. This is the slow way, taken only
//! where the fast one has failed. It keeps what the wire types can name, which lies at most [`DEEPEST`] objects deep, and
//! leaves everything else out.

/// Objects in objects, as far as a needed field lies: entry, event, data, and an `_id` that is an object itself.
const DEEPEST: usize = 4;

/// What stands for a value that cannot be read: no type of the wire takes it for one.
const UNREADABLE: &[u8] = b"[]";

/// The same entry as sound JSON; `None` if it is no JSON object even at the level of brackets and strings.
pub(super) fn repair(json: &[u8]) -> Option<Vec<u8>> {
    let mut scanner = Scanner { json, at: 0 };
    let value = scanner.value(0)?;
    scanner.skip_space();
    (scanner.at == json.len() && value.first() == Some(&b'{')).then_some(value)
}

struct Scanner<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Reads one value, and gives it as sound JSON.
    fn value(&mut self, depth: usize) -> Option<Vec<u8>> {
        self.skip_space();
        match self.peek()? {
            b'{' if depth < DEEPEST => self.object(depth),
            b'{' | b'[' => self.skip_nested().map(|()| UNREADABLE.to_vec()),
            b'"' => {
                let raw = self.string()?;
                let is_readable = serde_json::from_slice::<String>(raw).is_ok();
                Some(if is_readable { raw } else { UNREADABLE }.to_vec())
            }
            _ => {
                let token = self.token()?;
                if serde_json::from_slice::<serde_json::Value>(token).is_ok() {
                    return Some(token.to_vec());
                }
                // A number that is too large for its type is one; anything else is no JSON.
                let is_number = token.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
                is_number.then(|| UNREADABLE.to_vec())
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Vec<u8>> {
        self.at += 1;
        let mut members: Vec<(String, Vec<u8>)> = Vec::new();
        self.skip_space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(b"{}".to_vec());
        }
        loop {
            self.skip_space();
            let key = self.string()?;
            self.skip_space();
            if self.peek()? != b':' {
                return None;
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            // A key that cannot be read is none that is needed.
            if let Ok(key) = serde_json::from_slice::<String>(key) {
                match members.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, twice)) => *twice = UNREADABLE.to_vec(),
                    None => members.push((key, value)),
                }
            }
            self.skip_space();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        let mut json = vec![b'{'];
        for (index, (key, value)) in members.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            json.extend_from_slice(&serde_json::to_vec(key).ok()?);
            json.push(b':');
            json.extend_from_slice(value);
        }
        json.push(b'}');
        Some(json)
    }

    /// A string with its quotes, as it stands.
    fn string(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.json.get(start..self.at)
    }

    /// A number or a word, as it stands.
    fn token(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')) {
            self.at += 1;
        }
        self.json.get(start..self.at).filter(|token| !token.is_empty())
    }

    /// Skips an object or an array, however deep.
    fn skip_nested(&mut self) -> Option<()> {
        let mut open = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.checked_sub(1)?,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(json: &[u8]) -> Option<serde_json::Value> {
        repair(json).map(|json| serde_json::from_slice(&json).expect("sound JSON"))
    }

    #[test]
    fn what_is_sound_and_needed_stays_as_it_is() {
        let json = r#"{"_id":"a","n":-1.5e3,"event":{"data":{"_id":"b","name":"é😀\n"}},"ok":true,"none":null}"#;
        assert_eq!(repaired(json.as_bytes()), serde_json::from_str(json).ok());
    }

    #[test]
    fn an_odd_field_has_no_value_and_the_others_keep_theirs() {
        for odd in [
            &br#""\ud83d""#[..],
            br#""\udc00x""#,
            b"\"\xff\xfe\"",
            b"\"a\tb\"",
            br#""\q""#,
            b"1e999",
            br#"{"a":{"b":{"c":{"d":"\ud83d"}}}}"#,
            br#"["\ud83d",{"x":1}]"#,
        ] {
            let json = [b"{\"odd\":", odd, b",\"_id\":\"a\"}"].concat();
            let value = repaired(&json).expect("an object");
            assert_eq!(value["_id"], "a", "{}", String::from_utf8_lossy(odd));
        }
    }

    #[test]
    fn a_key_given_twice_has_no_value_and_an_unreadable_key_is_left_out() {
        let value = repaired(br#"{"a":1,"b":2,"a":3,"\ud83d":4,"\u0062":5}"#).expect("an object");
        assert_eq!(value, serde_json::json!({"a": [], "b": []}));
    }

    #[test]
    fn what_is_no_object_is_not_made_into_one() {
        for json in [
            &b"7"[..],
            b"[]",
            b"{",
            b"{\"a\"}",
            b"{\"a\":1,}",
            b"{\"a\":1}x",
            b"\"{}\"",
            b"",
            b"{\"a\":}",
            b"{\"a\":2x}",
        ] {
            assert_eq!(repaired(json), None, "{}", String::from_utf8_lossy(json));
        }
    }
}
