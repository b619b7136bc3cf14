//! The users of a file, and whose login is right.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};

use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

use super::basic_auth::BasicAuth;
use super::hash::{LOWEST_COST, cost_of, evaluate, throw_away};
use super::queue::LoginQueue;
use crate::error::ConfigError;
use crate::peer::Peer;
use crate::refusal::Refusal;

/// The users of a file.
pub(crate) struct Users {
    by_name: HashMap<String, User>,
    highest_cost: u32,
    /// Only this process knows it, and it stays the same as long as the process lives.
    key: Arc<hmac::Key>,
    /// What a login is compared with where none was right yet; no login equals it.
    nobody: hmac::Tag,
}

struct User {
    hash: SecretString,
    cost: u32,
    /// The last login that was right, under the key.
    right: Mutex<Option<hmac::Tag>>,
}

impl Users {
    /// The users with these hashes; `None` without any. What is remembered of those whose hash was the same `before`
    /// stays remembered.
    pub(crate) fn new(
        hashes: BTreeMap<String, SecretString>,
        before: Option<&Self>,
    ) -> Result<Option<Self>, ConfigError> {
        if hashes.is_empty() {
            return Ok(None);
        }
        let key = match before {
            Some(before) => Arc::clone(&before.key),
            None => Arc::new(
                hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())
                    .map_err(|_| ConfigError::at("basic_auth_users", "failed to get random numbers from the system"))?,
            ),
        };
        let mut by_name = HashMap::new();
        for (name, hash) in hashes {
            let cost = cost_of(&name, &hash)?;
            // The tag covers the hash, so with another hash no login equals it.
            let right = before.and_then(|users| users.by_name.get(&name)).and_then(User::right);
            let right = Mutex::new(right);
            by_name.insert(name, User { hash, cost, right });
        }
        let highest_cost = by_name.values().map(|user| user.cost).max().unwrap_or(LOWEST_COST);
        let nobody = hmac::sign(&key, b"");
        Ok(Some(Self { by_name, highest_cost, key, nobody }))
    }

    /// How many users there are; 1 or more.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Lets this login in if it is right. Takes as long as the wait for a turn and one hash of the highest cost, unless
    /// the login is remembered.
    pub(crate) async fn admit(
        self: &Arc<Self>,
        login: BasicAuth,
        peer: Peer,
        queue: &LoginQueue,
    ) -> Result<(), Refusal> {
        if self.remembers(&login) {
            return Ok(());
        }
        let turn = queue.turn(peer).await.ok_or(Refusal::Busy)?;
        // Another request of the same peer may have brought this login meanwhile.
        if self.remembers(&login) {
            return Ok(());
        }
        let users = Arc::clone(self);
        let verified = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even if the request has gone.
            let _turn = turn;
            users.verify(&login)
        });
        if verified.await.unwrap_or(false) { Ok(()) } else { Err(Refusal::Login) }
    }

    /// Whether this login was right before.
    fn remembers(&self, login: &BasicAuth) -> bool {
        let user = self.by_name.get(&login.name);
        let tag = user.and_then(User::right).unwrap_or(self.nobody);
        hmac::verify(&self.key, &self.message(login, user), tag.as_ref()).is_ok()
    }

    /// Whether this login is right, by bcrypt. Blocks for as long as the highest cost of all users takes.
    fn verify(&self, login: &BasicAuth) -> bool {
        let user = self.by_name.get(&login.name);
        let (hash, cost) = match user {
            Some(user) => (user.hash.clone(), user.cost),
            None => (throw_away(self.highest_cost), self.highest_cost),
        };
        let is_equal = evaluate(&login.password, &hash);
        for cost in cost..self.highest_cost {
            black_box(evaluate(&login.password, &throw_away(cost)));
        }
        let Some(user) = user.filter(|_| is_equal) else { return false };
        let tag = hmac::sign(&self.key, &self.message(login, Some(user)));
        *user.right.lock().unwrap_or_else(PoisonError::into_inner) = Some(tag);
        true
    }

    /// What the tag of a login covers: each part with its length, so that no two logins have the same message.
    fn message(&self, login: &BasicAuth, user: Option<&User>) -> Vec<u8> {
        let hash = user.map_or_else(|| throw_away(self.highest_cost), |user| user.hash.clone());
        let mut message = Vec::new();
        for part in [login.name.as_str(), hash.expose_secret(), login.password.expose_secret()] {
            message.extend(part.len().to_be_bytes());
            message.extend(part.as_bytes());
        }
        message
    }
}

impl User {
    fn right(&self) -> Option<hmac::Tag> {
        *self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use futures::FutureExt as _;

    use super::*;
    use crate::login::hash::ROUNDS;

    fn hash(password: &str, cost: u32) -> SecretString {
        SecretString::from(bcrypt::hash(password, cost).expect("a hash"))
    }

    fn users(hashes: &[(&str, SecretString)], before: Option<&Users>) -> Users {
        let hashes = hashes.iter().map(|(name, hash)| ((*name).to_owned(), hash.clone())).collect();
        Users::new(hashes, before).expect("good hashes").expect("users")
    }

    fn login(name: &str, password: &str) -> BasicAuth {
        BasicAuth { name: name.to_owned(), password: SecretString::from(password) }
    }

    /// Whether a login is right, and the rounds of each bcrypt that it took.
    fn verify(users: &Users, name: &str, password: &str) -> (bool, Vec<u64>) {
        ROUNDS.take();
        let is_right = users.verify(&login(name, password));
        (is_right, ROUNDS.take())
    }

    #[test]
    fn every_login_that_is_not_remembered_takes_the_same_number_of_rounds() {
        let users = users(&[("four", hash("a", 4)), ("five", hash("b", 5)), ("seven", hash("c", 7))], None);
        for (name, password, expected) in [
            ("four", "a", true),
            ("five", "b", true),
            ("seven", "c", true),
            ("four", "b", false),
            ("five", "", false),
            ("seven", "a", false),
            ("nobody", "a", false),
            ("", "", false),
        ] {
            let (is_right, rounds) = verify(&users, name, password);
            assert_eq!((is_right, rounds.iter().sum::<u64>()), (expected, 1 << 7), "{name} {rounds:?}");
        }
        assert_eq!(verify(&users, "four", "x").1, [1 << 4, 1 << 4, 1 << 5, 1 << 6]);
        assert_eq!(verify(&users, "nobody", "x").1, [1 << 7]);
    }

    #[test]
    fn only_what_was_right_is_remembered_and_only_as_it_was() {
        let users = users(&[("a", hash("right", 4)), ("b", hash("right", 4))], None);
        for _ in 0..2 {
            assert!(!users.remembers(&login("a", "right")) && !users.remembers(&login("a", "")));
            assert!(!users.verify(&login("a", "wrong")) && !users.verify(&login("nobody", "right")));
            assert!(!users.remembers(&login("a", "wrong")) && !users.remembers(&login("nobody", "right")));
        }
        assert!(users.verify(&login("a", "right")) && users.remembers(&login("a", "right")));
        for (name, password) in [("a", "wrong"), ("b", "right"), ("", "aright"), ("ar", "ight"), ("nobody", "right")] {
            assert!(!users.remembers(&login(name, password)), "{name}:{password}");
        }
        // A wrong one in between changes nothing.
        assert!(!users.verify(&login("a", "wrong")) && users.remembers(&login("a", "right")));
    }

    #[test]
    fn a_user_whose_hash_changes_is_forgotten_and_the_others_are_not() {
        let (old, new) = (hash("old", 4), hash("new", 4));
        let before = users(&[("a", old.clone()), ("b", old.clone()), ("c", old.clone())], None);
        assert!(["a", "b", "c"].iter().all(|name| before.verify(&login(name, "old"))));
        let after = users(&[("a", old.clone()), ("b", new)], Some(&before));
        let remembered = ["a", "b", "c"].map(|name| after.remembers(&login(name, "old")));
        assert_eq!(remembered, [true, false, false]);
        let back = users(&[("c", old)], Some(&after));
        assert!(!back.remembers(&login("c", "old")), "what was taken away comes back unknown");
    }

    #[test]
    fn hashes_of_all_three_prefixes_are_known_and_72_bytes_of_a_password_count() {
        let parts = bcrypt::hash_with_salt("x".repeat(100), 4, [7; 16]).expect("a hash");
        for version in [bcrypt::Version::TwoA, bcrypt::Version::TwoB, bcrypt::Version::TwoY] {
            let users = users(&[("a", SecretString::from(parts.format_for_version(version)))], None);
            assert!(users.verify(&login("a", &"x".repeat(72))) && users.verify(&login("a", &"x".repeat(80))));
            assert!(!users.verify(&login("a", &"x".repeat(71))));
        }
    }

    #[test]
    fn what_is_no_usable_hash_is_refused_unseen() {
        let seventeen = hash("x", 4).expose_secret().replace("$04$", "$17$");
        let three = hash("x", 4).expose_secret().replace("$04$", "$03$");
        let broken = hash("x", 4).expose_secret().replace("$2b$", "$2x$");
        for (text, part) in [
            ("s3cret", "the hash of \"alice\""),
            ("", "the hash of \"alice\""),
            ("$2y$10$s3cret", "the hash of \"alice\""),
            (&broken, "the hash of \"alice\""),
            (&three, "the cost 3 of \"alice\""),
            (&seventeen, "the cost 17 of \"alice\""),
        ] {
            let hashes = BTreeMap::from([("alice".to_owned(), SecretString::from(text))]);
            let line = Users::new(hashes, None).err().expect("refused").to_string();
            assert!(line.starts_with("basic_auth_users: ") && line.contains(part), "{line}");
            assert!(line.contains("from 4 to 16") && !line.contains("s3cret"), "{line}");
            assert!(text.len() < 8 || !line.contains(&text[8..]), "{line}");
        }
    }

    #[tokio::test]
    async fn logins_wait_for_their_turn_and_those_that_are_known_do_not() {
        let users = Arc::new(users(&[("a", hash("right", 4))], None));
        let queue = LoginQueue::default();
        let peer = |last| Peer::from(IpAddr::from([192, 0, 2, last]));
        assert_eq!(users.admit(login("a", "right"), peer(1), &queue).await, Ok(()));
        assert_eq!(users.admit(login("a", "wrong"), peer(1), &queue).await, Err(Refusal::Login));
        let busy = queue.turn(peer(1)).await.expect("a turn");
        assert_eq!(users.admit(login("a", "right"), peer(1), &queue).await, Ok(()));
        let mut waits = std::pin::pin!(users.admit(login("a", "wrong"), peer(2), &queue));
        assert!(waits.as_mut().now_or_never().is_none(), "it waits");
        drop(busy);
        assert_eq!(waits.await, Err(Refusal::Login));
    }
}
