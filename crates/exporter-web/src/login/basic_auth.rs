//! The `Authorization` header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use secrecy::SecretString;

/// The name and the password that a request brings.
pub(crate) struct BasicAuth {
    pub(super) name: String,
    pub(super) password: SecretString,
}

impl BasicAuth {
    /// Reads them from these headers; `None` where there are none, or malformed ones. Source: RFC 7617.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let (scheme, text) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Self { name: name.to_owned(), password: password.into() })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_login_is_read_from_its_header() {
        let of = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).expect("text"))]);
            BasicAuth::of(&headers).map(|login| (login.name, login.password.expose_secret().to_owned()))
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
        assert!(BasicAuth::of(&HeaderMap::new()).is_none());
    }
}
