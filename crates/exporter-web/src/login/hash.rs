//! Hashes of passwords, by bcrypt.
//!
//! Only the first 72 bytes of a password count, as in every bcrypt, so also in the tool that made the hash.

use std::str::FromStr as _;

use bcrypt::HashParts;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::ConfigError;

/// A higher cost takes longer than a scrape may: 16 takes some 4 s, and each step doubles it.
const HIGHEST_COST: u32 = 16;

/// The lowest that bcrypt has.
pub(super) const LOWEST_COST: u32 = 4;

/// The cost of a user's hash, if the hash can be used.
pub(super) fn cost_of(name: &str, hash: &SecretString) -> Result<u32, ConfigError> {
    let refused = |problem: &str| {
        Err(ConfigError::at(
            "basic_auth_users",
            format_args!(
                "{problem} of {name:?} is not allowed; use a bcrypt hash ($2a$, $2b$ or $2y$) with a cost from \
                 {LOWEST_COST} to {HIGHEST_COST}, such as `htpasswd -nBC 10 {name}` makes"
            ),
        ))
    };
    // $2x$ marks the hashes of a broken bcrypt.
    let Some(parts) =
        HashParts::from_str(hash.expose_secret()).ok().filter(|_| !hash.expose_secret().starts_with("$2x$"))
    else {
        return refused("the hash");
    };
    match parts.get_cost() {
        cost @ LOWEST_COST..=HIGHEST_COST => Ok(cost),
        cost => refused(&format!("the cost {cost}")),
    }
}

/// A hash that no password has: its salt and its value are zeros.
pub(super) fn throw_away(cost: u32) -> SecretString {
    SecretString::from(format!("$2b${cost:02}${}", ".".repeat(53)))
}

/// Whether `password` has this hash, by one bcrypt.
pub(super) fn evaluate(password: &SecretString, hash: &SecretString) -> bool {
    #[cfg(test)]
    ROUNDS.with_borrow_mut(|rounds| rounds.push(1 << HashParts::from_str(hash.expose_secret()).unwrap().get_cost()));
    bcrypt::verify(password.expose_secret(), hash.expose_secret()).unwrap_or(false)
}

#[cfg(test)]
thread_local! {
    /// The rounds of each bcrypt that this thread has made.
    pub(super) static ROUNDS: std::cell::RefCell<Vec<u64>> = const { std::cell::RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throw_away_hash_lets_nobody_in() {
        for password in ["", "a", &".".repeat(53), throw_away(4).expose_secret()] {
            assert!(!evaluate(&SecretString::from(password), &throw_away(4)), "{password}");
        }
        HashParts::from_str(throw_away(16).expose_secret()).expect("a hash like any");
    }
}
