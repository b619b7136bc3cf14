//! A text that must not be shown.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// A token, a password, or a hash of one. It prints as `[redacted]`, cannot be serialised, is wiped from memory when it
/// is dropped, and gives its text through [`Secret::expose`] alone: a search for that word finds every place where a
/// secret leaves.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Compares the texts, to tell whether a secret was replaced. Not in constant time: what a client sends must not be
/// checked this way.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_redacted_and_gives_its_text_when_asked() {
        let secret = Secret::new("s3cret");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "[redacted] [redacted] Some([redacted])");
        assert_eq!(secret.expose(), "s3cret");
        assert_eq!((secret == Secret::new("s3cret"), secret == Secret::new("other")), (true, false));
    }
}
