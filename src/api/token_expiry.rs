//! When a token that is a JSON Web Token says it expires.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::secret::Secret;

/// A longer token is not looked into. A convention: no server takes a header of that size.
const LONGEST: usize = 64 * 1024;

/// The latest moment that is shown, in seconds since 1970: the last second of the year 9999, beyond which RFC 3339 has no
/// dates.
const LATEST: f64 = 253_402_300_799.0;

/// The claims that are read; all others are skipped.
#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

/// The claim `exp` of `token`, in seconds since 1970 (RFC 7519, section 4.1.4); `None` if it is no JSON Web Token (RFC
/// 7515, section 7.1: three parts in base64url) or has no usable one. The signature is not checked: the API does that.
pub(super) fn expiry(token: &Secret) -> Option<f64> {
    let text = token.expose();
    let mut parts = text.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    if text.len() > LONGEST {
        return None;
    }
    let claims = Secret::new(String::from_utf8(URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?);
    let Claims { exp } = serde_json::from_str(claims.expose()).ok()?;
    (0.0..=LATEST).contains(&exp).then_some(exp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> Secret {
        Secret::new(format!("eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims)))
    }

    #[test]
    fn a_web_token_that_expires_says_when() {
        assert_eq!(expiry(&token(r#"{"sub":"u","exp":1790000000,"iat":1}"#)), Some(1_790_000_000.0));
        assert_eq!(expiry(&token(r#"{"exp":1790000000.5}"#)), Some(1_790_000_000.5));
    }

    #[test]
    fn what_does_not_say_has_no_expiry() {
        for claims in [r#"{"sub":"u"}"#, r#"{"exp":"1790000000"}"#, r#"{"exp":-1}"#, r#"{"exp":1e30}"#, "[]", "", "{"] {
            assert_eq!(expiry(&token(claims)), None, "{claims}");
        }
        for text in ["opaque", "a.b", "a.b.c", "a.eyJleHAiOjF9.c.d", "é.é.é"] {
            assert_eq!(expiry(&Secret::new(text)), None, "{text}");
        }
    }
}
