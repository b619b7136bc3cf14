//! What may be shown of a receiver's URL.

use url::Url;

/// The host of a URL, and the port if the URL gives one; empty if it has none. Everything else of it may be a secret.
pub(super) fn target_host(url: &str) -> String {
    let Ok(parsed) = Url::parse(url.trim()) else { return String::new() };
    let Some(host) = parsed.host_str().filter(|host| !host.is_empty()) else { return String::new() };
    // A scheme's own port is dropped by the parser; it is shown where the URL gives it.
    let given_default = parsed.port_or_known_default().filter(|port| {
        let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
        let before_path = behind_scheme.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        before_path.trim().ends_with(&format!(":{port}"))
    });
    match parsed.port().or(given_default) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_keeps_of_its_receivers_url_the_host_and_a_given_port() {
        for (url, expected) in [
            ("https://www.server.com", "www.server.com"),
            ("https://user:pass@hooks.acme.example:8443/in/s3cret?token=t#f", "hooks.acme.example:8443"),
            ("https://user:443@hooks.acme.example/x:443", "hooks.acme.example"),
            ("https://hooks.acme.example:443/", "hooks.acme.example:443"),
            ("http://[2001:db8::1]:80/a", "[2001:db8::1]:80"),
            ("HTTP://Hooks.ACME.example/a", "hooks.acme.example"),
            (" https://hooks.acme.example ", "hooks.acme.example"),
            ("https://user@pass@host.example", "host.example"),
            ("hooks.acme.example/s3cret", ""),
            ("mailto:s3cret@acme.example", ""),
            ("", ""),
            ("https://", ""),
        ] {
            assert_eq!(target_host(url), expected, "{url}");
        }
    }
}
