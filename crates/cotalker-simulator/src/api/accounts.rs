//! Who may ask: permanent tokens, and one user who logs in for a token that expires.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use delivery_ledger::UnixMillis;

use crate::world::mix;

#[derive(Debug)]
pub(crate) struct Accounts {
    seed: u64,
    made: u64,
    token: String,
    tokens: HashMap<String, Grant>,
    login: (String, String),
    lifetime_ms: i64,
    logins: u64,
    may_list: bool,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    may_list: bool,
    /// When it ends to be valid; `None` for a permanent token.
    expires: Option<UnixMillis>,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: 401.
    None,
    /// Everything but the list.
    ById,
    /// Everything.
    Full,
}

impl Accounts {
    pub(crate) fn new(seed: u64, token: Option<String>) -> Self {
        let mut accounts = Self {
            seed,
            made: 0,
            token: String::new(),
            tokens: HashMap::new(),
            login: ("exporter@acme.example".to_owned(), format!("pw-{:016x}", mix(seed ^ 0x7077))),
            lifetime_ms: 3_600_000,
            logins: 0,
            may_list: true,
        };
        let token = token.unwrap_or_else(|| accounts.make());
        accounts.tokens.insert(token.clone(), Grant { may_list: true, expires: None });
        accounts.token = token;
        accounts
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn rotate(&mut self) -> String {
        let may_list = self.tokens.remove(&self.token).map_or(self.may_list, |grant| grant.may_list);
        self.token = self.add(may_list);
        self.token.clone()
    }

    pub(crate) fn add(&mut self, may_list: bool) -> String {
        let token = self.make();
        self.tokens.insert(token.clone(), Grant { may_list, expires: None });
        token
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        self.tokens.remove(token);
    }

    pub(crate) fn allow_listing(&mut self, may_list: bool) {
        self.may_list = may_list;
        for grant in self.tokens.values_mut() {
            grant.may_list = may_list;
        }
    }

    pub(crate) const fn login(&self) -> &(String, String) {
        &self.login
    }

    pub(crate) fn set_password(&mut self, password: &str) {
        password.clone_into(&mut self.login.1);
    }

    pub(crate) fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime_ms = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
    }

    pub(crate) fn expire_logins(&mut self) {
        self.tokens.retain(|_, grant| grant.expires.is_none());
    }

    pub(crate) const fn logins(&self) -> u64 {
        self.logins
    }

    /// The token of a login at `now`, or `None` if the two do not go together.
    pub(crate) fn log_in(&mut self, email: &str, password: &str, now: UnixMillis) -> Option<String> {
        if (email, password) != (self.login.0.as_str(), self.login.1.as_str()) {
            return None;
        }
        self.logins += 1;
        let expires = now.plus_millis(self.lifetime_ms);
        // What is expired is not kept: a long demo logs in again and again.
        self.tokens.retain(|_, grant| grant.expires.is_none_or(|expires| expires > now));
        let seconds = |at: UnixMillis| at.as_millis().div_euclid(1_000);
        let claims = format!(r#"{{"email":"{email}","iat":{},"exp":{}}}"#, seconds(now), seconds(expires));
        let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
        let token = format!("{header}.{}.{}", URL_SAFE_NO_PAD.encode(claims), self.make());
        self.tokens.insert(token.clone(), Grant { may_list: self.may_list, expires: Some(expires) });
        Some(token)
    }

    pub(crate) fn access(&self, token: Option<&str>, now: UnixMillis) -> Access {
        match token.and_then(|token| self.tokens.get(token)) {
            Some(grant) if grant.expires.is_some_and(|expires| expires <= now) => Access::None,
            Some(grant) if grant.may_list => Access::Full,
            Some(_) => Access::ById,
            None => Access::None,
        }
    }

    fn make(&mut self) -> String {
        self.made += 1;
        let first = mix(self.seed ^ mix(self.made));
        format!("{first:016x}{:016x}", mix(first))
    }
}
