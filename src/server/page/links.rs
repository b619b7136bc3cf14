//! Where links lead: relative to the page, so that they work behind any prefix.

use http::HeaderMap;

/// The prefix that a proxy took off the path. Source: Traefik's `StripPrefix`; others know it as well. Without it a page
/// that was asked for as `/prefix`, without a slash at the end, cannot know that its links have to go below that.
const FORWARDED_PREFIX: &str = "x-forwarded-prefix";

/// Where the pages are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Links {
    /// What stands before every path; empty, or ending in a slash.
    root: String,
}

impl Links {
    /// From the status page.
    pub(crate) fn from_root(headers: &HeaderMap) -> Self {
        Self { root: prefix(headers).unwrap_or_default() }
    }

    /// From a page one level below it.
    pub(crate) fn from_below(headers: &HeaderMap) -> Self {
        Self { root: prefix(headers).unwrap_or_else(|| String::from("../")) }
    }

    /// To the status page; what does for a page without a prefix stays on it.
    pub(super) fn home(&self) -> &str {
        if self.root.is_empty() { "./" } else { &self.root }
    }

    /// To the page of a webhook.
    pub(super) fn webhook(&self, id: &str) -> String {
        format!("{}webhooks/{id}", self.root)
    }

    /// To this path, which begins with a slash.
    pub(super) fn path(&self, path: &str) -> String {
        let path = path.strip_prefix('/').unwrap_or(path);
        // What has a colon first would be taken for a scheme, and what begins with a slash for a host.
        let root =
            if self.root.is_empty() && (path.contains(':') || path.starts_with('/')) { "./" } else { &self.root };
        format!("{root}{path}")
    }
}

/// The prefix with a slash at its end, if a proxy told one that can be nothing but a path.
fn prefix(headers: &HeaderMap) -> Option<String> {
    let prefix = headers.get(FORWARDED_PREFIX)?.to_str().ok()?.trim().trim_end_matches('/');
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte);
    let is_plain = prefix.starts_with('/') && !prefix.contains("//") && prefix.bytes().all(is_path);
    is_plain.then(|| format!("{prefix}/"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn behind(prefix: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(FORWARDED_PREFIX.parse().expect("a name"), HeaderValue::from_static(prefix))])
    }

    #[test]
    fn links_are_relative() {
        let none = HeaderMap::new();
        let (root, below) = (Links::from_root(&none), Links::from_below(&none));
        assert_eq!((root.home(), below.home()), ("./", "../"));
        assert_eq!((root.webhook("a"), below.webhook("a")), ("webhooks/a".into(), "../webhooks/a".into()));
        assert_eq!((root.path("/metrics"), below.path("/metrics")), ("metrics".into(), "../metrics".into()));
        assert_eq!((root.path("/:name"), root.path("//x")), ("./:name".into(), ".//x".into()));
    }

    #[test]
    fn a_prefix_that_a_proxy_tells_is_used_if_it_is_a_path() {
        for (told, expected) in [("/tools/cotalker", "/tools/cotalker/"), ("/x/", "/x/"), (" /x ", "/x/")] {
            assert_eq!(Links::from_root(&behind(told)).home(), expected);
            assert_eq!(Links::from_below(&behind(told)).webhook("a"), format!("{expected}webhooks/a"));
        }
        for nonsense in ["", "/", "x", "//evil.example", "/x//y", "/x\"", "/x?y", "javascript:x", "/\\evil.example"] {
            assert_eq!(Links::from_root(&behind(nonsense)), Links::from_root(&HeaderMap::new()), "{nonsense}");
        }
    }
}
