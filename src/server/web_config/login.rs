//! Who may see the pages: users with bcrypt hashes.
//!
//! **No oracle.** Nothing but the status tells whether a user exists or a password is right:
//!
//! - Every login that is not known to be right costs the same work, 2^c rounds with the highest cost c of all users. A
//!   hash of a lower cost b is topped up with throw-away hashes of the costs b, b+1, … c−1, for
//!   2^b + (2^b + 2^(b+1) + … + 2^(c−1)) = 2^c. For a user that does not exist one throw-away hash of cost c is made.
//! - What is remembered is logins that were right, never ones that were wrong: a quick answer says no more than the 200
//!   that it carries. It is remembered under a keyed hash, with a key that only this process knows, of name, hash and
//!   password; one per user, so there is a bound. The look at it takes the same steps for every name, and compares in
//!   constant time. With another hash nothing is remembered of a user.
//!
//! **No starvation.** Hashing happens off the async threads, one at a time: a flood of wrong passwords takes one
//! processor at most, and whoever has logged in once is let in past it. Who logs in for the first time waits in line,
//! where each client stands once (those behind one proxy are one, see `queue.rs`); who gives up leaves it, and who has
//! waited for too long is told to come again.
//!
//! Only the first 72 bytes of a password count, as in every bcrypt, so in the tool that made the hash, too.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bcrypt::HashParts;
use http::{HeaderMap, header};
use ring::hmac;

use super::Refusal;
use super::format::Refused;
use super::queue::Queue;
use crate::secret::Secret;
use crate::server::connections::Client;

/// A higher cost takes longer than a scrape may: 16 takes some 4 s, and each step doubles it.
const HIGHEST_COST: u32 = 16;

/// The lowest that bcrypt has.
const LOWEST_COST: u32 = 4;

/// A name and a password, as a client gives them.
pub(super) struct Login {
    name: String,
    password: Secret,
}

impl Login {
    /// The one in these headers. Source: RFC 7617.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let (scheme, text) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Self { name: name.to_owned(), password: Secret::new(password) })
    }
}

/// The users of a file.
pub(super) struct Users {
    by_name: HashMap<String, User>,
    highest_cost: u32,
    /// Only this process knows it, and it stays the same as long as the process lives.
    key: Arc<hmac::Key>,
    /// What is compared with where no login was right yet; equals none.
    nobody: hmac::Tag,
}

struct User {
    hash: Secret,
    cost: u32,
    /// The last login that was right, under the key.
    right: Mutex<Option<hmac::Tag>>,
}

impl Users {
    /// The users with these hashes; `None` without any. Those whose hash was the same `before` stay logged in.
    pub(super) fn new(hashes: BTreeMap<String, Secret>, before: Option<&Self>) -> Result<Option<Self>, Refused> {
        if hashes.is_empty() {
            return Ok(None);
        }
        let key = match before {
            Some(before) => Arc::clone(&before.key),
            None => Arc::new(
                hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())
                    .map_err(|_| Refused::because("basic_auth_users", "the system gives no random numbers"))?,
            ),
        };
        let mut by_name = HashMap::new();
        for (name, hash) in hashes {
            let cost = cost_of(&name, &hash)?;
            // If the hash is another now nothing equals this any more: it covers the hash, too.
            let right = before.and_then(|users| users.by_name.get(&name)).and_then(User::right);
            let right = Mutex::new(right);
            by_name.insert(name, User { hash, cost, right });
        }
        let highest_cost = by_name.values().map(|user| user.cost).max().unwrap_or(LOWEST_COST);
        let nobody = hmac::sign(&key, b"");
        Ok(Some(Self { by_name, highest_cost, key, nobody }))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Lets this login in if it is right, for as long as that takes.
    pub(super) async fn admit(
        self: &Arc<Self>,
        login: Login,
        client: Client,
        queue: &Arc<Queue>,
    ) -> Result<(), Refusal> {
        if self.remembers(&login) {
            return Ok(());
        }
        let turn = queue.turn(client).await.ok_or(Refusal::Busy)?;
        // The same client may have been here just before.
        if self.remembers(&login) {
            return Ok(());
        }
        let users = Arc::clone(self);
        let verified = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even if nobody waits for it any more.
            let _turn = turn;
            users.verify(&login)
        });
        if verified.await.unwrap_or(false) { Ok(()) } else { Err(Refusal::Login) }
    }

    /// Whether this login was right before.
    fn remembers(&self, login: &Login) -> bool {
        let user = self.by_name.get(&login.name);
        let tag = user.and_then(User::right).unwrap_or(self.nobody);
        hmac::verify(&self.key, &self.message(login, user), tag.as_ref()).is_ok()
    }

    /// Whether this login is right, by bcrypt. Blocks for as long as the highest cost of all users takes.
    fn verify(&self, login: &Login) -> bool {
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

    /// What is hashed of a login: each part with its length, so that no two logins read the same.
    fn message(&self, login: &Login, user: Option<&User>) -> Vec<u8> {
        let hash = user.map_or_else(|| throw_away(self.highest_cost), |user| user.hash.clone());
        let mut message = Vec::new();
        for part in [login.name.as_str(), hash.expose(), login.password.expose()] {
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

/// The cost of a user's hash, if it is one that can be used.
fn cost_of(name: &str, hash: &Secret) -> Result<u32, Refused> {
    let refused = |problem: &str| {
        Err(Refused::because(
            "basic_auth_users",
            format_args!(
                "{problem} of {name:?} is not allowed; allowed is a bcrypt hash ($2a$, $2b$ or $2y$) with a cost from \
                 {LOWEST_COST} to {HIGHEST_COST}, such as `htpasswd -nBC 10 {name}` makes"
            ),
        ))
    };
    // $2x$ marks the hashes of a broken bcrypt.
    let Some(parts) = HashParts::from_str(hash.expose()).ok().filter(|_| !hash.expose().starts_with("$2x$")) else {
        return refused("the hash");
    };
    match parts.get_cost() {
        cost @ LOWEST_COST..=HIGHEST_COST => Ok(cost),
        cost => refused(&format!("the cost {cost}")),
    }
}

/// A hash that no password has: its salt and itself are zeros.
fn throw_away(cost: u32) -> Secret {
    Secret::new(format!("$2b${cost:02}${}", ".".repeat(53)))
}

/// One bcrypt.
fn evaluate(password: &Secret, hash: &Secret) -> bool {
    #[cfg(test)]
    tests::ROUNDS.with_borrow_mut(|rounds| rounds.push(1 << HashParts::from_str(hash.expose()).unwrap().get_cost()));
    bcrypt::verify(password.expose(), hash.expose()).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::net::IpAddr;

    use futures::FutureExt as _;
    use http::HeaderValue;

    use super::*;

    thread_local! {
        /// The rounds of each bcrypt that this thread has made.
        pub(super) static ROUNDS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    }

    fn hash(password: &str, cost: u32) -> Secret {
        Secret::new(bcrypt::hash(password, cost).expect("a hash"))
    }

    fn users(hashes: &[(&str, Secret)], before: Option<&Users>) -> Users {
        let hashes = hashes.iter().map(|(name, hash)| ((*name).to_owned(), hash.clone())).collect();
        Users::new(hashes, before).expect("good hashes").expect("users")
    }

    fn login(name: &str, password: &str) -> Login {
        Login { name: name.to_owned(), password: Secret::new(password) }
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
    fn a_throw_away_hash_lets_nobody_in() {
        for password in ["", "a", &".".repeat(53), throw_away(4).expose()] {
            assert!(!evaluate(&Secret::new(password), &throw_away(4)), "{password}");
        }
        HashParts::from_str(throw_away(16).expose()).expect("a hash like any");
    }

    #[test]
    fn hashes_of_all_three_prefixes_are_known_and_72_bytes_of_a_password_count() {
        let parts = bcrypt::hash_with_salt("x".repeat(100), 4, [7; 16]).expect("a hash");
        for version in [bcrypt::Version::TwoA, bcrypt::Version::TwoB, bcrypt::Version::TwoY] {
            let users = users(&[("a", Secret::new(parts.format_for_version(version)))], None);
            assert!(users.verify(&login("a", &"x".repeat(72))) && users.verify(&login("a", &"x".repeat(80))));
            assert!(!users.verify(&login("a", &"x".repeat(71))));
        }
    }

    #[test]
    fn what_is_no_usable_hash_is_refused_unseen() {
        let seventeen = hash("x", 4).expose().replace("$04$", "$17$");
        let three = hash("x", 4).expose().replace("$04$", "$03$");
        let broken = hash("x", 4).expose().replace("$2b$", "$2x$");
        for (text, part) in [
            ("s3cret", "the hash of \"alice\""),
            ("", "the hash of \"alice\""),
            ("$2y$10$s3cret", "the hash of \"alice\""),
            (&broken, "the hash of \"alice\""),
            (&three, "the cost 3 of \"alice\""),
            (&seventeen, "the cost 17 of \"alice\""),
        ] {
            let hashes = BTreeMap::from([("alice".to_owned(), Secret::new(text))]);
            let line = Users::new(hashes, None).err().expect("refused").to_string();
            assert!(line.starts_with("basic_auth_users: ") && line.contains(part), "{line}");
            assert!(line.contains("from 4 to 16") && !line.contains("s3cret"), "{line}");
            assert!(text.len() < 8 || !line.contains(&text[8..]), "{line}");
        }
    }

    #[test]
    fn a_login_is_read_from_its_header() {
        let of = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).expect("text"))]);
            Login::of(&headers).map(|login| (login.name, login.password.expose().to_owned()))
        };
        let basic = |text: &str| of(&format!("Basic {}", STANDARD.encode(text)));
        assert_eq!(basic("alice:a:b"), Some(("alice".into(), "a:b".into())));
        assert_eq!(basic(":"), Some((String::new(), String::new())));
        assert_eq!(basic("ñ:設備"), Some(("ñ".into(), "設備".into())));
        assert_eq!(of("bAsIc YTpi"), Some(("a".into(), "b".into())));
        for nothing in ["", "Basic", "Basic ", "Bearer YTpi", "Basic YTpi=", "Basic !", "YTpi"] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
        assert_eq!(basic("no colon"), None);
        assert!(Login::of(&HeaderMap::new()).is_none());
    }

    #[tokio::test]
    async fn logins_wait_for_their_turn_and_those_that_are_known_do_not() {
        let users = Arc::new(users(&[("a", hash("right", 4))], None));
        let queue = Arc::new(Queue::default());
        let client = |last| Client::from(IpAddr::from([192, 0, 2, last]));
        assert_eq!(users.admit(login("a", "right"), client(1), &queue).await, Ok(()));
        assert_eq!(users.admit(login("a", "wrong"), client(1), &queue).await, Err(Refusal::Login));
        let busy = queue.turn(client(1)).await.expect("a turn");
        assert_eq!(users.admit(login("a", "right"), client(1), &queue).await, Ok(()));
        let mut waits = std::pin::pin!(users.admit(login("a", "wrong"), client(2), &queue));
        assert!(waits.as_mut().now_or_never().is_none(), "it waits");
        drop(busy);
        assert_eq!(waits.await, Err(Refusal::Login));
    }
}
