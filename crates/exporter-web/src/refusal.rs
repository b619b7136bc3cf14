//! Requests that are not let through, and what they are told.

use axum::response::Response;
use http::StatusCode;
use http::header::{self, HeaderValue};

use crate::response::text;

/// Seconds after which a client whose login was not checked may come again. By then those who waited before it are
/// through, or were told the same.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// Why a request is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The rate limit is reached.
    TooMany,
    /// It brings no login, or a wrong one.
    Login,
    /// Its login was not checked: too many others are before it.
    Busy,
}

impl Refusal {
    /// What the client is told. `challenge` is the value of `WWW-Authenticate`.
    pub(crate) fn response(self, challenge: &HeaderValue) -> Response {
        match self {
            Self::TooMany => text(StatusCode::TOO_MANY_REQUESTS, "too many requests"),
            Self::Busy => {
                let mut response = text(StatusCode::SERVICE_UNAVAILABLE, "too many logins at once");
                response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
                response
            }
            Self::Login => {
                let mut response = text(StatusCode::UNAUTHORIZED, "a login is needed");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.clone());
                response
            }
        }
    }
}

/// What a client is told that speaks HTTP where HTTPS is spoken.
pub(crate) fn needs_https() -> Response {
    text(StatusCode::BAD_REQUEST, "this port speaks HTTPS: use https://")
}

/// The challenge for this realm. Source: RFC 7617, section 2; a realm is a quoted string of RFC 9110, section 5.6.4.
/// Characters that have no place there, all but printable ASCII, become question marks.
pub(crate) fn challenge(realm: &str) -> HeaderValue {
    let mut value = String::from("Basic realm=\"");
    for c in realm.chars() {
        match c {
            '"' | '\\' => value.extend(['\\', c]),
            ' '..='~' => value.push(c),
            _ => value.push('?'),
        }
    }
    value.push_str("\", charset=\"UTF-8\"");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("Basic"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_whose_login_was_not_checked_is_told_to_come_again_and_not_that_it_is_wrong() {
        let response = Refusal::Busy.response(&challenge("x"));
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (503, &"10".parse().expect("a value"))
        );
        assert!(!response.headers().contains_key("www-authenticate"));
    }

    #[test]
    fn a_realm_is_a_quoted_string_whatever_is_in_it() {
        for (realm, expected) in [
            ("my-exporter", "Basic realm=\"my-exporter\", charset=\"UTF-8\""),
            ("a\"b\\c", "Basic realm=\"a\\\"b\\\\c\", charset=\"UTF-8\""),
            ("ñ\n", "Basic realm=\"??\", charset=\"UTF-8\""),
        ] {
            assert_eq!(challenge(realm), expected);
        }
    }
}
