//! The proxy that the environment names.

use crate::responder::{Reaction, Responder, response};
use test_harness::{Program, program};

/// `check` of an API that nobody can reach without the proxy.
fn check(base_url: &str) -> Program {
    program(&["check"]).env("COTALKER_BASE_URL", base_url).env("COTALKER_TOKEN", "x")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_names_no_usable_proxy_ends_the_start() {
    for (value, parts) in [
        ("socks5://me:s3cret@p:1", ["ALL_PROXY", "SOCKS proxies are not supported"]),
        ("http://me:s3cret@p:99999", ["ALL_PROXY", "not allowed"]),
    ] {
        let ended = check("https://api.invalid").env("ALL_PROXY", value).run().await;
        ended.assert_complains(2, &parts);
        assert!(!ended.stderr.contains("s3cret"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_proxy_refuses_is_told_as_the_proxys() {
    for (refusal, cause) in [
        (Reaction::Send(response("407 Proxy Authentication Required", &[], "")), "the proxy responded with 407"),
        (Reaction::Send(response("403 Forbidden", &[], "")), "the proxy refused to connect to the API"),
        (Reaction::Close, "the proxy closed the connection"),
    ] {
        let proxy = Responder::start(move |_, head| {
            assert!(head.starts_with("CONNECT api.invalid:443 "), "{head}");
            refusal.clone()
        })
        .await;
        let variable = format!(" {}\t", proxy.base_url());
        let ended = check("https://api.invalid").env("HTTPS_PROXY", &variable).run().await;
        ended.assert_complains(1, &[cause, "NO_PROXY"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_over_http_is_called_through_the_proxy_too() {
    let proxy = Responder::start(|_, head| {
        let is_right = head.starts_with("GET http://api.invalid/api/v3/webhook/subscription ");
        let has_login = head.to_ascii_lowercase().contains("proxy-authorization: basic bwu6chc=");
        Reaction::Send(match is_right && has_login {
            true => response("200 OK", &[], "[]"),
            false => response("407 Proxy Authentication Required", &[], ""),
        })
    })
    .await;
    let with_login = proxy.base_url().replace("http://", "http://me:pw@");
    assert_eq!(check("http://api.invalid").env("http_proxy", &with_login).run().await.status, Some(0));
    let ended = check("http://api.invalid").env("http_proxy", &proxy.base_url()).run().await;
    ended.assert_complains(1, &["the proxy responded with 407"]);
}
