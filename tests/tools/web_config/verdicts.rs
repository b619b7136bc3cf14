//! What this exporter says of a file, and what Prometheus' own tool does. They agree on every key that it knows, but for
//! what is listed here with its reason.

use std::process::Command;

use exporter_web::WebConfigFile;
use test_harness::web::{Ca, Files, TLS, hash};

enum Verdict {
    /// Both take it.
    Good,
    /// Both refuse it.
    Bad,
    /// The tool takes it, and this exporter does not, because it could not be as the user wishes.
    RefusedHere(&'static str),
    /// The tool of Prometheus 2.42 does not know the key yet; the exporter takes it.
    NewGood,
    /// The same, and the exporter refuses the value.
    NewBad,
}
use Verdict::{Bad, Good, NewBad, NewGood, RefusedHere};

fn promtool(files: &Files) -> (bool, String) {
    let checked = Command::new("promtool").args(["check", "web-config"]).arg(files.path("web.yml")).output();
    let output = checked.expect("`promtool` is needed: Debian's package `prometheus`, which scripts/test installs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[test]
fn verdicts_on_files_are_those_of_promtool_but_for_what_is_listed() {
    const NO_OLD_TLS: &str = "rustls speaks TLS 1.2 and 1.3";
    const NO_OLD_SUITES: &str = "rustls has no suite with CBC or without forward secrecy";
    let files = Files::new();
    let clients = Ca::new();
    files.write("clients.crt", &clients.pem());
    files.write("empty.crt", "");
    files.write("other.key", &clients.signs_server().key);
    let tls = |lines: &str| format!("{TLS}{lines}");
    let auth = |auth: &str| format!("{TLS}  client_auth_type: {auth}\n  client_ca_file: clients.crt\n");
    let headers = |line: &str| format!("http_server_config:\n  headers:\n    {line}\n");
    let users = |line: &str| format!("basic_auth_users:\n  {line}\n");
    let inline = {
        let pair = files.ca.signs_server();
        let block = |pem: &str| format!("|\n    {}", pem.trim().replace('\n', "\n    "));
        format!("tls_server_config:\n  cert: {}\n  key: {}\n", block(&pair.certificate), block(&pair.key))
    };
    let cases = [
        ("empty", String::new(), Good),
        ("a comment only", "# nothing\n".into(), Good),
        ("empty sections", "tls_server_config:\nhttp_server_config:\nbasic_auth_users:\n".into(), Good),
        ("an unknown section", "nonsense: {}\n".into(), Bad),
        ("a section twice", "basic_auth_users: {}\nbasic_auth_users: {}\n".into(), Bad),
        ("a list", "- a\n".into(), Bad),
        ("no YAML", "a: [\n".into(), Bad),
        ("a second document", "{}\n---\nnonsense: 1\n".into(), RefusedHere("nothing may be left unread")),
        ("TLS", tls(""), Good),
        ("an unknown key of TLS", tls("  cert_fle: x\n"), Bad),
        ("a key of TLS twice", tls("  key_file: tls.key\n"), Bad),
        ("a certificate that is missing", "tls_server_config: {key_file: tls.key}\n".into(), Bad),
        ("a key that is missing", "tls_server_config: {cert_file: tls.crt}\n".into(), Bad),
        ("a certificate file that is gone", "tls_server_config: {cert_file: gone, key_file: tls.key}\n".into(), Bad),
        ("a key file that is gone", "tls_server_config: {cert_file: tls.crt, key_file: gone}\n".into(), Bad),
        ("a certificate that is none", "tls_server_config: {cert_file: empty.crt, key_file: tls.key}\n".into(), Bad),
        ("a foreign key", "tls_server_config: {cert_file: tls.crt, key_file: other.key}\n".into(), Bad),
        ("only a version", "tls_server_config: {min_version: TLS13}\n".into(), RefusedHere("it would be plain HTTP")),
        ("NoClientCert", tls("  client_auth_type: NoClientCert\n"), Good),
        ("RequestClientCert", tls("  client_auth_type: RequestClientCert\n"), Good),
        ("RequireAnyClientCert", tls("  client_auth_type: RequireAnyClientCert\n"), Good),
        ("RequireClientCert", tls("  client_auth_type: RequireClientCert\n"), Good),
        ("RequestClientCert with a CA", auth("RequestClientCert"), Good),
        ("RequireAnyClientCert with a CA", auth("RequireAnyClientCert"), Good),
        ("VerifyClientCertIfGiven", auth("VerifyClientCertIfGiven"), Good),
        ("RequireAndVerifyClientCert", auth("RequireAndVerifyClientCert"), Good),
        ("an unknown auth type", auth("Whatever"), Bad),
        ("a CA without an auth type", tls("  client_ca_file: clients.crt\n"), Bad),
        (
            "verification without a CA",
            tls("  client_auth_type: RequireAndVerifyClientCert\n"),
            RefusedHere("Go would trust all public CAs, and so let anybody in"),
        ),
        (
            "a CA file without a certificate",
            tls("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: empty.crt\n"),
            RefusedHere("nobody would be let in"),
        ),
        ("a CA file that is gone", auth("RequireAndVerifyClientCert").replace("clients", "gone"), Bad),
        ("TLS12 to TLS13", tls("  min_version: TLS12\n  max_version: TLS13\n"), Good),
        ("TLS13 only", tls("  min_version: TLS13\n"), Good),
        ("TLS10", tls("  min_version: TLS10\n"), RefusedHere(NO_OLD_TLS)),
        ("TLS11", tls("  max_version: TLS11\n"), RefusedHere(NO_OLD_TLS)),
        ("an unknown version", tls("  min_version: TLS14\n"), Bad),
        (
            "versions the wrong way round",
            tls("  min_version: TLS13\n  max_version: TLS12\n"),
            RefusedHere("no handshake could succeed"),
        ),
        (
            "suites of TLS 1.2",
            tls(
                "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256]\n",
            ),
            Good,
        ),
        ("suites of TLS 1.3", tls("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"), Good),
        (
            "a suite with CBC",
            tls("  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n"),
            RefusedHere(NO_OLD_SUITES),
        ),
        (
            "a suite without forward secrecy",
            tls("  cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]\n"),
            RefusedHere(NO_OLD_SUITES),
        ),
        (
            "suites of TLS 1.3 where 1.2 is the newest",
            tls("  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"),
            RefusedHere("no handshake could succeed"),
        ),
        ("an unknown suite", tls("  cipher_suites: [TLS_NULL]\n"), Bad),
        ("preferred suites", tls("  prefer_server_cipher_suites: false\n"), Good),
        ("preferred suites, perhaps", tls("  prefer_server_cipher_suites: perhaps\n"), Bad),
        ("curves", tls("  curve_preferences: [CurveP256, CurveP384, X25519]\n"), Good),
        ("P-521", tls("  curve_preferences: [CurveP521]\n"), RefusedHere("ring has no such curve")),
        ("an unknown curve", tls("  curve_preferences: [CurveP25519]\n"), Bad),
        ("HTTP/2", "http_server_config: {http2: true}\n".into(), Good),
        ("no HTTP/2", "http_server_config: {http2: false}\n".into(), Good),
        ("HTTP/2, perhaps", "http_server_config: {http2: perhaps}\n".into(), Bad),
        ("X-Frame-Options", headers("X-Frame-Options: sameorigin"), Good),
        ("X-Frame-Options of another value", headers("X-Frame-Options: allow"), Bad),
        ("a blank X-Frame-Options", headers("X-Frame-Options: \"\""), Bad),
        ("X-Content-Type-Options", headers("X-Content-Type-Options: nosniff"), Good),
        ("X-Content-Type-Options of another value", headers("X-Content-Type-Options: sniff"), Bad),
        ("X-XSS-Protection", headers("X-XSS-Protection: 0"), Good),
        ("Strict-Transport-Security", headers("Strict-Transport-Security: max-age=1"), Good),
        ("Content-Security-Policy", headers("Content-Security-Policy: default-src 'self'"), Good),
        ("a blank Content-Security-Policy", headers("Content-Security-Policy: \"\""), Good),
        ("a header in small letters", headers("x-frame-options: deny"), Bad),
        ("another header", headers("Server: x"), Bad),
        (
            "a header of two lines",
            headers("Content-Security-Policy: \"a\\nb\""),
            RefusedHere("no header has two lines"),
        ),
        ("a user", users(&format!("alice: {}", hash("x"))), Good),
        ("a user whose name is a number", users(&format!("42: {}", hash("x"))), Good),
        ("a user with $2y$", users(&format!("alice: {}", hash("x").replace("$2b$", "$2y$"))), Good),
        ("a user with $2a$", users(&format!("alice: {}", hash("x").replace("$2b$", "$2a$"))), Good),
        ("a user twice", users(&format!("{{a: {}, a: {}}}", hash("x"), hash("y"))), Bad),
        ("a user without a hash", users("alice:"), Bad),
        ("a user with a password", users("alice: wonderland"), Bad),
        ("a user with a hash of another kind", users("alice: $6$abc$def"), Bad),
        ("a cost of 3", users(&format!("alice: {}", hash("x").replace("$04$", "$03$"))), Bad),
        ("a cost of 32", users(&format!("alice: {}", hash("x").replace("$04$", "$32$"))), Bad),
        (
            "a cost of 17",
            users(&format!("alice: {}", hash("x").replace("$04$", "$17$"))),
            RefusedHere("the first scrape would get no response in time"),
        ),
        (
            "$2x$",
            users(&format!("alice: {}", hash("x").replace("$2b$", "$2x$"))),
            RefusedHere("such hashes were made by a broken bcrypt"),
        ),
        (
            "a user with a colon",
            users(&format!("\"a:b\": {}", hash("x"))),
            RefusedHere("no client can send such a name"),
        ),
        ("certificate and key in the file", inline.clone(), NewGood),
        ("certificate in the file and beside it", inline + "  cert_file: tls.crt\n", NewBad),
        ("allowed names", auth("RequireAndVerifyClientCert") + "  client_allowed_sans: [scraper.example]\n", NewGood),
        ("allowed names without a demand", auth("VerifyClientCertIfGiven") + "  client_allowed_sans: [a]\n", NewBad),
        ("a rate limit", "rate_limit: {interval: 1s, burst: 10}\n".into(), NewGood),
        ("no rate limit", "rate_limit: {interval: 0, burst: 10}\n".into(), NewGood),
        ("a rate limit without a burst", "rate_limit: {interval: 1s}\n".into(), NewBad),
    ];
    for (name, text, verdict) in cases {
        // As users write it, below its key.
        let text = text.replace("basic_auth_users:\n  {", "basic_auth_users: {");
        files.write("web.yml", &text);
        let ours = WebConfigFile::read(&files.path("web.yml"));
        let (theirs, said) = promtool(&files);
        let (ours_expected, theirs_expected, why) = match verdict {
            Good => (true, true, ""),
            Bad => (false, false, ""),
            RefusedHere(why) => (false, true, why),
            NewGood => (true, false, ""),
            NewBad => (false, false, ""),
        };
        assert_eq!(theirs, theirs_expected, "promtool on {name}: {said}\n{text}");
        assert_eq!(ours.is_ok(), ours_expected, "here on {name} ({why}): {ours:?}\n{text}");
        if matches!(verdict, NewGood | NewBad) {
            assert!(said.contains("not found in type"), "promtool has come to know the key of {name}: {said}");
        }
    }
}

#[test]
fn the_example_of_the_readme_is_good_here_and_there() {
    let files = Files::new();
    files.write("clients.crt", &Ca::new().pem());
    let readme = include_str!("../../../docs/web-config.md");
    let blocks = readme.split("```yaml\n").filter_map(|rest| Some(rest.split_once("```")?.0));
    let example = blocks.into_iter().find(|block| block.starts_with("tls_server_config:")).expect("an example");
    assert!(example.contains("$2y$10$..."), "a place for a hash");
    files.write("web.yml", &example.replace("$2y$10$...", &hash("x")));
    let ours = WebConfigFile::read(&files.path("web.yml")).expect("good");
    assert!(ours.has_tls() && ours.has_logins());
    let (is_good, said) = promtool(&files);
    assert!(is_good, "{said}");
}
