use super::*;
use crate::fixture::{SECRET, TLS, certificate, directory, hash, read};

#[test]
fn what_cannot_be_done_is_refused_in_a_line_with_key_value_and_what_is_allowed() {
    let directory = directory();
    let tls = |line: &str| format!("{TLS}  {line}\n");
    for (text, parts) in [
        (
            "tls_server_confg: {}".to_owned(),
            &["line 1: \"tls_server_confg\"", "allowed are tls_server_config, http"][..],
        ),
        (tls("cert_fle: x"), &["line 4: \"cert_fle\"", "allowed are cert_file, key_file, cert, key, client_auth_type"]),
        (tls("key_file: x"), &["line 4: \"key_file\" is given twice"]),
        ("tls_server_config: {}\ntls_server_config: {}".into(), &["line 2: \"tls_server_config\" is given twice"]),
        ("http_server_config: {http3: true}".into(), &["\"http3\"", "allowed are http2, headers"]),
        ("rate_limit: {rate: 1}".into(), &["\"rate\"", "allowed are interval, burst"]),
        ("basic_auth_users: {a: x, a: y}".into(), &["line 1: \"a\" is given twice"]),
        (tls("min_version: TLS10"), &["tls_server_config.min_version: \"TLS10\"", "use TLS12 or TLS13"]),
        (tls("min_version: TLS11"), &["tls_server_config.min_version: \"TLS11\"", "use TLS12 or TLS13"]),
        (tls("max_version: 1.3"), &["tls_server_config.max_version: \"1.3\"", "use TLS12 or TLS13"]),
        (tls("min_version: TLS13\n  max_version: TLS12"), &["max_version: TLS12 is older than min_version, TLS13"]),
        (
            tls("cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]"),
            &["cipher_suites: \"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA\"", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
        ),
        (tls("cipher_suites: [x]"), &["cipher_suites: \"x\"", "TLS_AES_128_GCM_SHA256"]),
        (
            tls("max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]"),
            &["cipher_suites: none of these belongs to a version from min_version to max_version"],
        ),
        (tls("cipher_suites: x"), &["line 4, cipher_suites: a list is needed"]),
        (tls("curve_preferences: [CurveP521]"), &["\"CurveP521\"", "use X25519, CurveP256, CurveP384"]),
        (tls("prefer_server_cipher_suites: maybe"), &["prefer_server_cipher_suites: \"maybe\"", "true or false"]),
        (
            tls("client_auth_type: Whatever"),
            &["client_auth_type: \"Whatever\"", "NoClientCert, RequestClientCert, RequireAnyClientCert, Verify"],
        ),
        (tls("client_auth_type: RequireAndVerifyClientCert"), &["client_auth_type", "client_ca_file (or client_ca)"]),
        (tls("client_auth_type: VerifyClientCertIfGiven"), &["client_auth_type", "client_ca_file (or client_ca)"]),
        (tls("client_ca_file: tls.crt"), &["client_ca_file", "a client_auth_type is needed"]),
        (
            tls("client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: nothing"),
            &["client_ca_file: ", "/nothing: no PEM certificate"],
        ),
        (
            tls("client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: gone"),
            &["client_ca_file: ", "/gone: ", "a readable file is needed"],
        ),
        (
            tls("client_auth_type: RequestClientCert\n  client_allowed_sans: [a]"),
            &["client_allowed_sans", "must be RequireAnyClientCert or RequireAndVerifyClientCert"],
        ),
        (
            tls("client_auth_type: RequireAnyClientCert\n  client_allowed_sans: []"),
            &["client_allowed_sans", "at least one name is needed"],
        ),
        ("tls_server_config: {cert_file: tls.crt}".into(), &["tls_server_config: key_file (or key) is missing"]),
        ("tls_server_config: {key_file: tls.key}".into(), &["tls_server_config: cert_file (or cert) is missing"]),
        ("tls_server_config: {min_version: TLS13}".into(), &["cert_file (or cert) is missing; without TLS"]),
        (tls("cert: x"), &["tls_server_config.cert_file", "cert_file and tls_server_config.cert, not both"]),
        (tls(&format!("key: {SECRET}")), &["tls_server_config.key_file", "not both"]),
        (
            "tls_server_config: {cert_file: gone, key_file: tls.key}".into(),
            &["tls_server_config.cert_file: ", "/gone: ", "a readable file is needed"],
        ),
        (
            "tls_server_config: {cert_file: nothing, key_file: tls.key}".into(),
            &["tls_server_config.cert_file: ", "/nothing: no PEM certificate"],
        ),
        (
            "tls_server_config: {cert_file: tls.crt, key_file: other.key}".into(),
            &["tls_server_config.key_file: ", "/other.key: the private key does not match the certificate"],
        ),
        (
            "tls_server_config: {cert_file: tls.crt, key_file: broken.key}".into(),
            &["tls_server_config.key_file: ", "/broken.key: no PEM private key in it", "not encrypted"],
        ),
        (
            format!("tls_server_config: {{cert_file: tls.crt, key: {SECRET}}}"),
            &["tls_server_config.key: no PEM private key"],
        ),
        (tls(&format!("key: [{SECRET}]")), &["line 4, key: a string is needed"]),
        (format!("tls_server_config:\n  key: \"{SECRET}"), &["line 2", "not valid YAML"]),
        ("tls_server_config: 3".into(), &["line 1, tls_server_config: a mapping (keys with values) is needed"]),
        ("http_server_config: {http2: maybe}".into(), &["http_server_config.http2: \"maybe\"", "true or false"]),
        (
            "http_server_config: {headers: {Server: x}}".into(),
            &["http_server_config.headers: \"Server\"", "Content-Security-Policy, Strict-Transport-Security, X-"],
        ),
        (
            "http_server_config: {headers: {X-Frame-Options: allow}}".into(),
            &["headers.X-Frame-Options: \"allow\"", "use deny or sameorigin"],
        ),
        (
            "http_server_config: {headers: {X-Content-Type-Options: sniff}}".into(),
            &["headers.X-Content-Type-Options: \"sniff\"", "use nosniff"],
        ),
        (
            "http_server_config: {headers: {Content-Security-Policy: \"a\\nb\"}}".into(),
            &["headers.Content-Security-Policy: \"a\\nb\"", "one line of printable ASCII"],
        ),
        (
            format!("basic_auth_users: {{alice: {SECRET}}}"),
            &["basic_auth_users: the hash of \"alice\"", "a bcrypt hash"],
        ),
        ("basic_auth_users: {alice: }".into(), &["basic_auth_users: the hash of \"alice\""]),
        (format!("basic_auth_users: {SECRET}"), &["line 1, basic_auth_users: a mapping (keys with values) is needed"]),
        (format!("basic_auth_users: {{alice: [{SECRET}]}}"), &["line 1, basic_auth_users: a string is needed"]),
        (format!("basic_auth_users:\n  alice:{SECRET}"), &["line 2: a mapping (keys with values) is needed"]),
        (
            tls(&format!("client_ca_file: |\n    -----BEGIN PRIVATE KEY-----\n    {SECRET}")),
            &["client_ca_file: the path of a file is needed; PEM text goes into tls_server_config.client_ca"],
        ),
        (
            format!("tls_server_config:\n  cert_file: tls.crt\n  key_file: '-----BEGIN PRIVATE KEY----- {SECRET}'"),
            &["key_file: the path of a file is needed; PEM text goes into tls_server_config.key"],
        ),
        (format!("\"alice:{SECRET}\": x"), &["line 1: a key is not a key here", "allowed are tls_server_config"]),
        (format!("basic_auth_users: {{\"$2y${SECRET}\": x, \"$2y${SECRET}\": y}}"), &["line 1: a key is given twice"]),
        (format!("basic_auth_users:\n  \"alice:{SECRET}\":"), &["basic_auth_users: a user's name has a colon"]),
        ("rate_limit: {burst: 3}".into(), &["rate_limit.interval: missing; use a duration"]),
        ("rate_limit: {interval: 1s}".into(), &["rate_limit.burst: missing; use a whole number from 1"]),
        ("rate_limit: {interval: 10, burst: 3}".into(), &["rate_limit.interval: \"10\"", "a duration such as 100ms"]),
        ("rate_limit: {interval: 25h, burst: 3}".into(), &["rate_limit.interval: \"25h\"", "up to 24h"]),
        ("rate_limit: {interval: -1s, burst: 3}".into(), &["rate_limit.interval: \"-1s\"", "a duration such as 100ms"]),
        ("rate_limit: {interval: 1s, burst: 0}".into(), &["rate_limit.burst: \"0\"", "a whole number from 1 up"]),
        ("a: b\n---\nc: d".into(), &["line 1: \"a\""]),
        ("{}\n---\n{}".into(), &["a second document begins; use one"]),
        ("- a".into(), &["a mapping (keys with values) is needed"]),
    ] {
        let line = read(&directory, &text).expect_err(&text);
        for part in parts {
            assert!(line.contains(part), "{part:?} is missing of {text:?}: {line}");
        }
        assert!(!line.contains(SECRET) && line.lines().count() == 1, "{line}");
    }
    assert_eq!(read(&directory, [0xff]).expect_err("no text"), "not valid UTF-8");
    let gone = WebConfigFile::read(&directory.path().join("gone.yml")).expect_err("gone").to_string();
    assert!(gone.contains("gone.yml: a readable file is needed"), "{gone}");
}

#[test]
fn every_key_of_the_toolkit_can_be_given() {
    let directory = directory();
    let (certificate, key) = certificate();
    let indented = |pem: &str| pem.replace('\n', "\n    ");
    let hash = hash("x");
    let all = format!(
        "tls_server_config:\n  cert: |\n    {}\n  key: |\n    {}\n  client_ca: |\n    {}\n  client_auth_type: \
         RequireAndVerifyClientCert\n  client_allowed_sans: [scraper.example]\n  min_version: TLS12\n  max_version: TLS13\n  \
         cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]\n  prefer_server_cipher_suites: \
         false\n  curve_preferences: [CurveP256, X25519]\nhttp_server_config:\n  http2: false\n  headers:\n    \
         Content-Security-Policy: default-src 'self'\n    X-Frame-Options: deny\n    X-Content-Type-Options: nosniff\n    \
         X-XSS-Protection: 0\n    Strict-Transport-Security: \"\"\nbasic_auth_users:\n  alice: {hash}\n  42: {hash}\n  \"\": \
         {hash}\nrate_limit:\n  interval: 1.5s\n  burst: 10\n",
        indented(&certificate),
        indented(&key),
        indented(&certificate),
    );
    let config = read(&directory, all).expect("good");
    assert!(config.has_tls() && config.has_logins());
    let names: Vec<_> = config.rules.headers.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["content-security-policy", "x-content-type-options", "x-frame-options", "x-xss-protection"];
    assert_eq!(names, expected, "a blank one is not set");
}

#[test]
fn a_file_with_nothing_in_it_asks_for_nothing() {
    let directory = directory();
    for text in [
        "",
        "\n",
        "# a comment\n",
        "---\n",
        "{}",
        "tls_server_config:\n",
        "tls_server_config: {}\nbasic_auth_users: {}\n",
    ] {
        let config = read(&directory, text).expect("good");
        assert!(!config.has_tls() && !config.has_logins() && config.rules.limit.is_none(), "{text:?}");
    }
    let disabled = read(&directory, "rate_limit: {interval: 0, burst: 3}").expect("good");
    assert!(disabled.rules.limit.is_none());
}

#[test]
fn nothing_of_a_file_is_printed_but_its_name() {
    let directory = directory();
    let printed =
        format!("{:?}", read(&directory, format!("basic_auth_users: {{alice: {}}}", hash("x"))).expect("good"));
    assert!(printed.contains("web.yml") && !printed.contains("alice") && !printed.contains("$2b$"), "{printed}");
}
