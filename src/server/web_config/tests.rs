use std::fs;
use std::os::unix::fs::symlink;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;

const SECRET: &str = "s3cret-and-nobodys-business";

/// A certificate for 127.0.0.1, and its key.
fn certificate() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).expect("parameters").self_signed(&key);
    (certificate.expect("a certificate").pem(), key.serialize_pem())
}

/// A directory with a good certificate, its key, and files that are neither.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key) = certificate();
    let (_, other_key) = self::certificate();
    let broken_key = format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n");
    for (name, text) in [
        ("tls.crt", certificate.as_str()),
        ("tls.key", &key),
        ("other.key", &other_key),
        ("broken.key", &broken_key),
        ("nothing", ""),
    ] {
        fs::write(directory.path().join(name), text).expect("written");
    }
    directory
}

fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).expect("a hash")
}

const TLS: &str = "tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n";

/// Writes `text` as the file of `directory`, and reads it.
fn read(directory: &TempDir, text: impl AsRef<[u8]>) -> Result<Protection, String> {
    let path = directory.path().join("web.yml");
    fs::write(&path, text).expect("written");
    Protection::read(&path).map_err(|refused| {
        let line = refused.to_string();
        let rest = line.strip_prefix(&format!("{}: ", path.display()));
        rest.unwrap_or_else(|| panic!("the file is not named: {line}")).to_owned()
    })
}

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
        (tls("key_file: x"), &["line 4: \"key_file\" is there twice"]),
        ("tls_server_config: {}\ntls_server_config: {}".into(), &["line 2: \"tls_server_config\" is there twice"]),
        ("http_server_config: {http3: true}".into(), &["\"http3\"", "allowed are http2, headers"]),
        ("rate_limit: {rate: 1}".into(), &["\"rate\"", "allowed are interval, burst"]),
        ("basic_auth_users: {a: x, a: y}".into(), &["line 1: \"a\" is there twice"]),
        (tls("min_version: TLS10"), &["tls_server_config.min_version: \"TLS10\"", "allowed is TLS12 or TLS13"]),
        (tls("min_version: TLS11"), &["tls_server_config.min_version: \"TLS11\"", "allowed is TLS12 or TLS13"]),
        (tls("max_version: 1.3"), &["tls_server_config.max_version: \"1.3\"", "allowed is TLS12 or TLS13"]),
        (tls("min_version: TLS13\n  max_version: TLS12"), &["max_version: TLS12 is older than min_version, TLS13"]),
        (
            tls("cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]"),
            &["cipher_suites: \"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA\"", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
        ),
        (tls("cipher_suites: [x]"), &["cipher_suites: \"x\"", "TLS_AES_128_GCM_SHA256"]),
        (
            tls("max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]"),
            &["cipher_suites: none of these is of a version from min_version to max_version"],
        ),
        (tls("cipher_suites: x"), &["line 4, cipher_suites: a list is needed"]),
        (tls("curve_preferences: [CurveP521]"), &["\"CurveP521\"", "allowed is X25519, CurveP256, CurveP384"]),
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
            &["tls_server_config.key_file: ", "/other.key: the private key is not the certificate's"],
        ),
        (
            "tls_server_config: {cert_file: tls.crt, key_file: broken.key}".into(),
            &["tls_server_config.key_file: ", "/broken.key: no PEM private key", "not encrypted"],
        ),
        (
            format!("tls_server_config: {{cert_file: tls.crt, key: {SECRET}}}"),
            &["tls_server_config.key: no PEM private key"],
        ),
        (tls(&format!("key: [{SECRET}]")), &["line 4, key: one text is needed"]),
        (format!("tls_server_config:\n  key: \"{SECRET}"), &["line 2", "this is no YAML"]),
        ("tls_server_config: 3".into(), &["line 1, tls_server_config: keys with values are needed"]),
        ("http_server_config: {http2: maybe}".into(), &["http_server_config.http2: \"maybe\"", "true or false"]),
        (
            "http_server_config: {headers: {Server: x}}".into(),
            &["http_server_config.headers: \"Server\"", "Content-Security-Policy, Strict-Transport-Security, X-"],
        ),
        (
            "http_server_config: {headers: {X-Frame-Options: allow}}".into(),
            &["headers.X-Frame-Options: \"allow\"", "allowed is deny or sameorigin"],
        ),
        (
            "http_server_config: {headers: {X-Content-Type-Options: sniff}}".into(),
            &["headers.X-Content-Type-Options: \"sniff\"", "allowed is nosniff"],
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
        (format!("basic_auth_users: {SECRET}"), &["line 1, basic_auth_users: keys with values are needed"]),
        (format!("basic_auth_users: {{alice: [{SECRET}]}}"), &["line 1, basic_auth_users: one text is needed"]),
        (format!("basic_auth_users:\n  alice:{SECRET}"), &["line 2: keys with values are needed"]),
        (
            tls(&format!("client_ca_file: |\n    -----BEGIN PRIVATE KEY-----\n    {SECRET}")),
            &["client_ca_file: the path of a file is needed; PEM text goes into tls_server_config.client_ca"],
        ),
        (
            format!("tls_server_config:\n  cert_file: tls.crt\n  key_file: '-----BEGIN PRIVATE KEY----- {SECRET}'"),
            &["key_file: the path of a file is needed; PEM text goes into tls_server_config.key"],
        ),
        (format!("\"alice:{SECRET}\": x"), &["line 1: a key is no key of this place", "allowed are tls_server_config"]),
        (format!("basic_auth_users: {{\"$2y${SECRET}\": x, \"$2y${SECRET}\": y}}"), &["line 1: a key is there twice"]),
        (format!("basic_auth_users:\n  \"alice:{SECRET}\":"), &["basic_auth_users: a user's name has a colon"]),
        ("rate_limit: {burst: 3}".into(), &["rate_limit.interval: missing; needed is a duration"]),
        ("rate_limit: {interval: 1s}".into(), &["rate_limit.burst: missing; needed is a whole number from 1"]),
        ("rate_limit: {interval: 10, burst: 3}".into(), &["rate_limit.interval: \"10\"", "a duration such as 100ms"]),
        ("rate_limit: {interval: 25h, burst: 3}".into(), &["rate_limit.interval: \"25h\"", "up to 24h"]),
        ("rate_limit: {interval: -1s, burst: 3}".into(), &["rate_limit.interval: \"-1s\"", "a duration such as 100ms"]),
        ("rate_limit: {interval: 1s, burst: 0}".into(), &["rate_limit.burst: \"0\"", "a whole number from 1 up"]),
        ("a: b\n---\nc: d".into(), &["line 1: \"a\""]),
        ("{}\n---\n{}".into(), &["a second document begins; allowed is one"]),
        ("- a".into(), &["keys with values are needed"]),
    ] {
        let line = read(&directory, &text).expect_err(&text);
        for part in parts {
            assert!(line.contains(part), "{part:?} is missing of {text:?}: {line}");
        }
        assert!(!line.contains(SECRET) && line.lines().count() == 1, "{line}");
    }
    assert_eq!(read(&directory, [0xff]).expect_err("no text"), "this is no UTF-8 text");
    let gone = Protection::read(&directory.path().join("gone.yml")).expect_err("gone").to_string();
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

/// A file that is watched, and what happens to it.
struct Scene {
    directory: TempDir,
    instruments: Arc<Instruments>,
    watched: Arc<Watched>,
}

impl Scene {
    fn of(text: &str) -> Self {
        let directory = directory();
        let config = read(&directory, text).expect("good");
        Self::watching(directory, config)
    }

    fn watching(directory: TempDir, config: Protection) -> Self {
        let instruments = Arc::new(Instruments::new(60.0).expect("instruments"));
        let guard = Guard::new(Some(config), Arc::clone(&instruments));
        Self { directory, instruments, watched: guard.file.expect("a file") }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).expect("written");
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&lock(&self.watched.state).rules)
    }

    /// How many changes were taken, and how many were not.
    fn reloads(&self) -> (u64, u64) {
        let text = String::from_utf8(self.instruments.render(crate::clock::now())).expect("text");
        let of = |result: &str| {
            let name = format!("cotalker_exporter_web_config_reloads_total{{result=\"{result}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).expect("a series")
        };
        (of("ok"), of("error"))
    }

    /// Looks, and gives whether other rules are in force since.
    fn look(&self) -> bool {
        let before = self.rules();
        self.watched.look();
        !Arc::ptr_eq(&before, &self.rules())
    }
}

#[test]
fn what_is_the_same_is_not_taken_again_and_what_changes_is_once() {
    let scene = Scene::of(TLS);
    assert!(!scene.look());
    let (certificate, key) = certificate();
    scene.write("tls.crt", &certificate);
    scene.write("tls.key", &key);
    assert!(scene.look() && !scene.look());
    // Written anew, with the same in it.
    scene.write("tls.key", &key);
    assert!(!scene.look());
    scene.write("web.yml", &format!("{TLS}rate_limit: {{interval: 1s, burst: 2}}\n"));
    assert!(scene.look() && scene.rules().limit.is_some());
    assert_eq!(scene.reloads(), (2, 0));
}

#[test]
fn what_is_broken_leaves_all_as_it_was_and_counts_once_until_it_changes() {
    let scene = Scene::of(TLS);
    let (certificate, key) = certificate();
    // A pair of which one half has come.
    scene.write("tls.crt", &certificate);
    assert!(!scene.look() && !scene.look());
    assert_eq!(scene.reloads(), (0, 1));
    scene.write("tls.key", &key);
    assert!(scene.look());
    assert_eq!(scene.reloads(), (1, 1));
    for (text, errors) in [("nonsense: 1", 2), ("nonsense: 2", 3), ("nonsense: 2", 3)] {
        scene.write("web.yml", text);
        assert!(!scene.look());
        assert_eq!(scene.reloads(), (1, errors), "{text}");
    }
    fs::remove_file(scene.directory.path().join("web.yml")).expect("removed");
    assert!(!scene.look() && !scene.look());
    assert_eq!(scene.reloads(), (1, 4));
    // What was good comes back: it is taken, so that the trouble ends.
    scene.write("web.yml", TLS);
    assert!(scene.look());
    assert_eq!(scene.reloads(), (2, 4));
}

#[test]
fn no_change_of_the_file_opens_the_pages() {
    let logins = format!("basic_auth_users: {{alice: {}}}\n", hash("x"));
    let both = Scene::of(&format!("{TLS}{logins}"));
    for text in ["", TLS, &logins] {
        both.write("web.yml", text);
        assert!(!both.look(), "{text:?}");
    }
    assert_eq!(both.reloads(), (0, 3));
    let auth = |auth: &str| format!("{TLS}  client_auth_type: {auth}\n  client_ca_file: tls.crt\n");
    let strict = Scene::of(&auth("RequireAndVerifyClientCert"));
    for text in [TLS, &auth("RequestClientCert"), &auth("RequireAnyClientCert"), &auth("VerifyClientCertIfGiven")] {
        strict.write("web.yml", text);
        assert!(!strict.look(), "{text}");
    }
    assert_eq!(strict.reloads(), (0, 4));
    let named = Scene::of(&(auth("RequireAndVerifyClientCert") + "  client_allowed_sans: [scraper.example]\n"));
    named.write("web.yml", &auth("RequireAndVerifyClientCert"));
    assert!(!named.look(), "certificates of any name");
    let lax = Scene::of(TLS);
    for text in [auth("RequestClientCert"), auth("RequireAnyClientCert"), auth("RequireAndVerifyClientCert")] {
        lax.write("web.yml", &text);
        assert!(lax.look(), "more can be asked: {text}");
    }
    let neither = Scene::of("");
    neither.write("web.yml", TLS);
    assert!(!neither.look(), "no TLS where plain HTTP is expected");
    neither.write("web.yml", &logins);
    assert!(neither.look() && neither.rules().users.is_some(), "logins can be switched on");
    assert_eq!(neither.reloads(), (1, 1));
}

#[test]
fn a_kubernetes_secret_whose_links_are_swapped_is_read_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let version = |name: &str| {
        let path = directory.path().join(name);
        fs::create_dir(&path).expect("a directory");
        let (certificate, key) = certificate();
        for (name, text) in [("tls.crt", certificate.as_str()), ("tls.key", &key), ("web.yml", TLS)] {
            fs::write(path.join(name), text).expect("written");
        }
    };
    version("..1");
    version("..2");
    symlink("..1", directory.path().join("..data")).expect("a link");
    for name in ["tls.crt", "tls.key", "web.yml"] {
        symlink(format!("..data/{name}"), directory.path().join(name)).expect("a link");
    }
    let config = Protection::read(&directory.path().join("web.yml")).expect("good");
    let scene = Scene::watching(directory, config);
    assert!(!scene.look());
    symlink("..2", scene.directory.path().join("..new")).expect("a link");
    fs::rename(scene.directory.path().join("..new"), scene.directory.path().join("..data")).expect("swapped");
    assert!(scene.look());
    assert_eq!(scene.reloads(), (1, 0));
}

#[tokio::test]
async fn looks_are_a_second_apart_and_one_at_a_time_and_are_waited_for_with_patience() {
    let scene = Scene::of(TLS);
    let watched = &scene.watched;
    let start = Instant::now();
    let (ended, until) = watched.look_under_way(start).expect("the first one looks");
    assert_eq!(until, start + LOOK_PATIENCE);
    ended.cancelled().await;
    assert!(watched.look_under_way(start + LOOK_EVERY - Duration::from_millis(1)).is_none());
    let (ended, _) = watched.look_under_way(start + LOOK_EVERY).expect("the next one");
    ended.cancelled().await;

    // One that hangs: nobody begins another, and whoever comes waits no longer than the first.
    *lock(&watched.last_look) = Some(Look { began: start, ended: CancellationToken::new() });
    for later in [Duration::from_millis(1), Duration::from_secs(60)] {
        let (ended, until) = watched.look_under_way(start + later).expect("the one that hangs");
        assert_eq!((ended.is_cancelled(), until), (false, start + LOOK_PATIENCE));
    }
}
