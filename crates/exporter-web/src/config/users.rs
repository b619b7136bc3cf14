//! `basic_auth_users`: names and the hashes of their passwords.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::error::ConfigError;

/// The users of this section. Whether a hash can be used is decided in `login/users.rs`.
pub(super) fn users(section: BTreeMap<String, Option<String>>) -> Result<BTreeMap<String, SecretString>, ConfigError> {
    let user = |(name, hash): (String, Option<String>)| {
        if name.contains(':') {
            // Without the space after the colon, name and hash are read as one name: nothing of it is shown.
            return Err(ConfigError::at("basic_auth_users", "a user's name has a colon; use one without"));
        }
        Ok((name, hash.unwrap_or_default().into()))
    };
    section.into_iter().map(user).collect()
}
