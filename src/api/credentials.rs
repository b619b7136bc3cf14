//! Where the bearer token comes from: a variable, a file that may be rotated, or a login that may expire.

use std::fmt;
use std::path::{Path, PathBuf};

use super::system_error::SystemError;
use crate::secret::Secret;

/// How to get a token.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A token that never changes.
    Token(Secret),
    /// A file with the token, read again before each call.
    TokenFile(PathBuf),
    /// A login with e-mail and password.
    Login {
        /// The account.
        email: String,
        /// The file with its password, read again before each login.
        password_file: PathBuf,
    },
    /// None at all: the simulated API of a benchmark, which asks for none.
    Anonymous,
}

/// Why a secret cannot be used. The text never holds any of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("{path}: {error}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: SystemError,
    },
    /// It has no text; names where it came from.
    #[error("{0} is empty")]
    Empty(Origin),
    /// It holds a character that no HTTP header can carry; names where it came from.
    #[error("{0} holds a line break or another character that a token cannot have")]
    Unusable(Origin),
}

/// Where a secret came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The environment variable of this name.
    Variable(&'static str),
    /// This file.
    File(PathBuf),
    /// The response to a login.
    Login,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
            Self::Login => f.write_str("the login's token"),
        }
    }
}

/// The token in `text`: without white space around it and without a leading `Bearer `.
///
/// # Errors
///
/// If nothing is left, or no header could carry it; `origin` names in the error where it came from.
pub fn parse_token(text: &str, origin: Origin) -> Result<Secret, SecretError> {
    let text = text.trim();
    let token = match text.get(..6) {
        Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => match text.get(6..) {
            Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => rest.trim_start(),
            Some(_) | None => text,
        },
        Some(_) | None => text,
    };
    if token.is_empty() {
        return Err(SecretError::Empty(origin));
    }
    if token.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(SecretError::Unusable(origin));
    }
    Ok(Secret::new(token))
}

/// The token in the file at `path`.
///
/// # Errors
///
/// If it cannot be read, or holds no token.
pub fn read_token(path: &Path) -> Result<Secret, SecretError> {
    parse_token(read(path)?.expose(), Origin::File(path.to_owned()))
}

/// The password in the file at `path`: all of it but a line break at the end.
///
/// # Errors
///
/// If it cannot be read, or holds nothing.
pub fn read_password(path: &Path) -> Result<Secret, SecretError> {
    let text = read(path)?;
    let text = text.expose();
    let password = text.strip_suffix('\n').unwrap_or(text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(SecretError::Empty(Origin::File(path.to_owned())));
    }
    Ok(Secret::new(password))
}

/// All that the file at `path` holds. It is short: reading it does not hold up the async tasks.
fn read(path: &Path) -> Result<Secret, SecretError> {
    let text = std::fs::read_to_string(path);
    text.map(Secret::new)
        .map_err(|error| SecretError::Unreadable { path: path.to_owned(), error: SystemError::of(&error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_alone_or_behind_its_scheme_with_any_white_space() {
        for text in ["abc.def", " abc.def\n", "Bearer abc.def", "bearer   abc.def\r\n", "\tBEARER\tabc.def "] {
            assert_eq!(parse_token(text, Origin::Login).expect("a token").expose(), "abc.def", "{text:?}");
        }
        assert_eq!(parse_token("bearerabc", Origin::Login).expect("a token").expose(), "bearerabc");
    }

    #[test]
    fn what_is_no_token_is_refused_without_showing_it() {
        for text in ["", " \n", "Bearer ", "Bearer"] {
            let error = parse_token(text, Origin::Variable("COTALKER_TOKEN")).expect_err("empty");
            assert_eq!(error.to_string(), "COTALKER_TOKEN is empty");
        }
        for text in ["s3cret\ns3cret", "s3cret é", "s3cret s3cret"] {
            let error = parse_token(text, Origin::File("token.txt".into())).expect_err("unusable");
            assert!(error.to_string().starts_with("token.txt holds"), "{error}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
