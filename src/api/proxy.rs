//! The proxy between the exporter and the API, as the environment names it.
//!
//! The variables are read here and not left to the HTTP client, which ignores one that it cannot use: calls would then
//! go past the proxy, or fail with a cause that names nothing.

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::options::Refused;
use crate::secret::Secret;

/// What a usable variable holds.
const ALLOWED: &str = "the URL of an http or https proxy, such as http://proxy.example:3128";

/// The URL of the proxy that calls of `base_url` go through, if any. `variable` reads an environment variable. White
/// space around a value does not count, and a value without a scheme is an http proxy. Source of the names and their
/// order: curl, which the HTTP client follows too.
///
/// # Errors
///
/// If the variable that applies names no proxy that can be used. Its value may hold a password and is not told.
pub(super) fn from_environment(
    base_url: &Url,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Secret>, Refused> {
    let first = |names: &[&'static str]| {
        names.iter().find_map(|name| {
            let value = variable(name)?.trim().to_owned();
            (!value.is_empty()).then_some((*name, value))
        })
    };
    let found = match base_url.scheme() {
        "https" => first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
        _ => first(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]),
    };
    let Some((name, value)) = found else { return Ok(None) };
    let direct = first(&["NO_PROXY", "no_proxy"]).map(|(_, hosts)| hosts).unwrap_or_default();
    if is_direct(base_url, direct) {
        return Ok(None);
    }
    let text = if value.contains("://") { value } else { format!("http://{value}") };
    let url = Url::parse(&text).ok().filter(Url::has_host);
    match url {
        Some(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(Secret::new(url))),
        Some(url) if url.scheme().starts_with("socks") => {
            Err(Refused(format!("{name}: SOCKS proxies are not supported; use {ALLOWED}")))
        }
        Some(_) | None => Err(Refused(format!("{name}: its value is not allowed; use {ALLOWED}"))),
    }
}

/// Whether `hosts` (NO_PROXY) exempts the API from any proxy.
fn is_direct(base_url: &Url, hosts: String) -> bool {
    let any_proxy = Matcher::builder().all("http://proxy.invalid").no(hosts).build();
    base_url.as_str().parse().is_ok_and(|uri| any_proxy.intercept(&uri).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(base_url: &str, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let lookup =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let proxy = from_environment(&base_url.parse().expect("a URL"), lookup);
        proxy.map(|proxy| proxy.map(|proxy| proxy.expose().to_owned())).map_err(|Refused(line)| line)
    }

    #[test]
    fn the_first_variable_of_the_scheme_counts_without_white_space() {
        let both = [("HTTPS_PROXY", " "), ("https_proxy", " p:1\n"), ("HTTP_PROXY", "https://me:pw@q:2")];
        assert_eq!(of("https://api", &both), Ok(Some("http://p:1/".to_owned())));
        assert_eq!(of("http://api", &both), Ok(Some("https://me:pw@q:2/".to_owned())));
        assert_eq!(of("http://api", &[("all_proxy", "http://r")]), Ok(Some("http://r/".to_owned())));
        assert_eq!(of("https://api", &[("HTTP_PROXY", "http://r")]), Ok(None));
    }

    #[test]
    fn an_exempt_host_needs_no_usable_proxy() {
        for hosts in ["api.example", " .example ", "*"] {
            let variables = [("ALL_PROXY", "socks5://p:1"), ("NO_PROXY", hosts)];
            assert_eq!(of("https://api.example", &variables), Ok(None), "{hosts}");
        }
    }

    #[test]
    fn what_is_no_usable_proxy_is_refused_by_the_name_of_its_variable_unseen() {
        for value in ["socks5://me:s3cret@p:1", "SOCKS5h://s3cret", "socks4://s3cret:1"] {
            let line = of("https://api", &[("ALL_PROXY", value)]).expect_err("a refusal");
            assert!(line.starts_with("ALL_PROXY: SOCKS proxies are not supported"), "{line}");
            assert!(!line.contains("s3cret"), "{line}");
        }
        for value in ["http://", "s3cret:99999", "ftp://s3cret", "http://me:s3cret@p:x", "://s3cret"] {
            let line = of("https://api", &[("https_proxy", value)]).expect_err("a refusal");
            assert!(line.starts_with("https_proxy: its value is not allowed"), "{line}");
            assert!(!line.contains("s3cret") && line.lines().count() == 1, "{line}");
        }
    }
}
