//! Logins: users with bcrypt hashes.
//!
//! **No oracle.** Nothing but the status tells whether a user exists or a password is right:
//!
//! - Every login that is not remembered costs the same work, 2^c rounds, where c is the highest cost of all users. A
//!   hash of a lower cost b is topped up with throw-away hashes of the costs b, b+1, … c−1, for
//!   2^b + (2^b + 2^(b+1) + … + 2^(c−1)) = 2^c. For a user that does not exist one throw-away hash of cost c is made.
//! - Only logins that were right are remembered: a quick response says no more than its status does. What is kept is a
//!   keyed hash of name, password hash and password, with a key that only this process knows. One is kept per user, so
//!   there is a bound. The comparison takes the same steps for every name, in constant time. When a user's hash changes,
//!   nothing is remembered of that user.
//!
//! **No starvation.** Hashing happens off the async threads, one at a time. A flood of wrong passwords takes one
//! processor at most, and a remembered login does not wait for it. A first login waits in a queue, see `queue.rs`.

mod basic_auth;
mod hash;
mod queue;
mod users;

pub(crate) use self::basic_auth::BasicAuth;
pub(crate) use self::queue::LoginQueue;
pub(crate) use self::users::Users;
