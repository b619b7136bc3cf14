//! Who is let into a connection, and over which TLS.

use std::sync::Arc;

use rcgen::SanType;
use reqwest::tls::Version;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use test_harness::program;
use test_harness::web::{Ca, Exporter, Files, TLS, dns, identity, status};

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_served_over_tls_to_who_trusts_the_certificate() {
    let files = Files::new();
    let exporter = Exporter::start(&[&files.flag(TLS)]).await;
    let response = files.client().get(exporter.https("/metrics")).send().await.expect("a response");
    assert_eq!(response.status(), 200);
    assert!(
        response.text().await.expect("text").contains("cotalker_exporter_web_config_reloads_total{result=\"error\"} 0")
    );
    for path in ["/", "/-/healthy"] {
        assert_eq!(status(&files.client(), exporter.https(path)).await, Some(200), "{path}");
    }
    let stranger = test_harness::web::trusting(&Ca::new(), |client| client);
    assert_eq!(status(&stranger, exporter.https("/metrics")).await, None);
    assert_eq!(status(&files.client(), exporter.http("/metrics")).await, Some(400));
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_key_and_ca_may_stand_in_the_file_itself() {
    let files = Files::new();
    let clients = Ca::new();
    let server = files.ca.signs_server();
    let block = |pem: &str| format!("|\n    {}", pem.trim().replace('\n', "\n    "));
    let flag = files.flag(&format!(
        "tls_server_config:\n  client_auth_type: RequireAndVerifyClientCert\n  cert: {}\n  key: {}\n  client_ca: {}\n",
        block(&server.certificate),
        block(&server.key),
        block(&clients.pem()),
    ));
    let exporter = Exporter::start(&[&flag]).await;
    let known = files.client_with(|client| client.identity(identity(&clients.signs_client())));
    assert_eq!(status(&known, exporter.https("/metrics")).await, Some(200));
    assert_eq!(status(&files.client(), exporter.https("/metrics")).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_auth_type_lets_in_whom_it_should() {
    let files = Files::new();
    let clients = Ca::new();
    files.write("clients.crt", &clients.pem());
    let none = files.client();
    let foreign = files.client_with(|client| client.identity(identity(&Ca::new().signs_client())));
    let known = files.client_with(|client| client.identity(identity(&clients.signs_client())));
    for (auth, has_ca, [without, untrusted, trusted]) in [
        ("NoClientCert", false, [true, true, true]),
        ("RequestClientCert", false, [true, true, true]),
        // The CA is a hint to the client.
        ("RequestClientCert", true, [true, true, true]),
        ("RequireAnyClientCert", false, [false, true, true]),
        ("RequireAnyClientCert", true, [false, true, true]),
        ("RequireClientCert", false, [false, true, true]),
        ("VerifyClientCertIfGiven", true, [true, false, true]),
        ("RequireAndVerifyClientCert", true, [false, false, true]),
    ] {
        let ca = if has_ca { "  client_ca_file: clients.crt\n" } else { "" };
        for version in ["TLS12", "TLS13"] {
            let versions = format!("  min_version: {version}\n  max_version: {version}\n");
            let flag = files.flag(&format!("{TLS}  client_auth_type: {auth}\n{ca}{versions}"));
            let exporter = Exporter::start(&[&flag]).await;
            let url = || exporter.https("/metrics");
            let seen = [status(&none, url()).await, status(&foreign, url()).await, status(&known, url()).await];
            let expected = [without, untrusted, trusted].map(|is_let_in| is_let_in.then_some(200));
            assert_eq!(seen, expected, "{auth} {has_ca} {version}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn allowed_names_let_in_who_has_one_of_them_of_any_kind() {
    let files = Files::new();
    let clients = Ca::new();
    files.write("clients.crt", &clients.pem());
    let text = |text: &str| text.try_into().expect("text");
    let allowed = "[scraper.example, 10.0.0.7, 'fd00::7', sre@acme.example, 'spiffe://acme/prometheus']";
    for auth in ["RequireAndVerifyClientCert\n  client_ca_file: clients.crt", "RequireAnyClientCert"] {
        let flag = files.flag(&format!("{TLS}  client_auth_type: {auth}\n  client_allowed_sans: {allowed}\n"));
        let exporter = Exporter::start(&[&flag]).await;
        for (names, is_let_in) in [
            (vec![dns("scraper.example")], true),
            (vec![dns("other.example"), dns("scraper.example")], true),
            (vec![SanType::IpAddress([10, 0, 0, 7].into())], true),
            (vec![SanType::IpAddress("fd00::7".parse().expect("an address"))], true),
            (vec![SanType::Rfc822Name(text("sre@acme.example"))], true),
            (vec![SanType::URI(text("spiffe://acme/prometheus"))], true),
            (vec![dns("a.scraper.example")], false),
            (vec![dns("*.example")], false),
            (vec![SanType::IpAddress([10, 0, 0, 8].into())], false),
            (vec![SanType::URI(text("spiffe://acme/prometheus/x"))], false),
            (vec![], false),
        ] {
            let pair = clients.signs(names.clone());
            let client = files.client_with(|client| client.identity(identity(&pair)));
            let seen = status(&client, exporter.https("/metrics")).await;
            assert_eq!(seen.is_some(), is_let_in, "{auth} {names:?}: {seen:?}");
        }
        assert_eq!(status(&files.client(), exporter.https("/metrics")).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_outside_of_the_bounds_are_not_spoken() {
    let files = Files::new();
    let [old, new] = [Version::TLS_1_2, Version::TLS_1_3]
        .map(|version| files.client_with(|client| client.tls_version_min(version).tls_version_max(version)));
    for (bounds, expected) in [
        ("", [true, true]),
        ("  min_version: TLS13\n", [false, true]),
        ("  max_version: TLS12\n", [true, false]),
        ("  min_version: TLS12\n  max_version: TLS13\n", [true, true]),
    ] {
        let exporter = Exporter::start(&[&files.flag(&format!("{TLS}{bounds}"))]).await;
        let seen = [
            status(&old, exporter.https("/-/healthy")).await.is_some(),
            status(&new, exporter.https("/-/healthy")).await.is_some(),
        ];
        assert_eq!(seen, expected, "{bounds}");
    }
}

/// What a client that offers these suites and curves, in its order, agrees upon with the server: suite and curve.
async fn agreed(files: &Files, exporter: &Exporter, suites: &[&str], curves: &[&str]) -> Option<(String, String)> {
    let mut provider = ring::default_provider();
    if !suites.is_empty() {
        let of_name = |name: &&str| {
            let all = ring::ALL_CIPHER_SUITES.iter();
            *all.clone().find(|suite| format!("{:?}", suite.suite()) == *name).expect("a suite")
        };
        provider.cipher_suites = suites.iter().map(of_name).collect();
    }
    if !curves.is_empty() {
        let of_name = |name: &&str| {
            *ring::ALL_KX_GROUPS.iter().find(|curve| format!("{:?}", curve.name()) == *name).expect("a curve")
        };
        provider.kx_groups = curves.iter().map(of_name).collect();
    }
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(files.ca.pem().as_bytes()).expect("PEM")).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(exporter.address).await.expect("a connection");
    let name = "127.0.0.1".try_into().expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    let (_, connection) = stream.get_ref();
    let suite = connection.negotiated_cipher_suite().expect("a suite").suite();
    let curve = connection.negotiated_key_exchange_group().expect("a curve").name();
    Some((format!("{suite:?}"), format!("{curve:?}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn suites_and_curves_are_those_of_the_file_and_the_order_is_whose_it_says() {
    const AES_128: &str = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    const AES_256: &str = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    const CHACHA: &str = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
    let files = Files::new();
    let start = async |keys: &str| Exporter::start(&[&files.flag(&format!("{TLS}{keys}"))]).await;

    let two = format!("  max_version: TLS12\n  cipher_suites: [{AES_256}, {CHACHA}]\n");
    let suite = async |exporter: &Exporter, suites: &[&str]| Some(agreed(&files, exporter, suites, &[]).await?.0);
    let servers_order = start(&two).await;
    assert_eq!(suite(&servers_order, &[CHACHA, AES_256]).await.as_deref(), Some(AES_256));
    assert_eq!(suite(&servers_order, &[AES_128]).await, None);
    let clients_order = start(&format!("{two}  prefer_server_cipher_suites: false\n")).await;
    assert_eq!(suite(&clients_order, &[CHACHA, AES_256]).await.as_deref(), Some(CHACHA));

    // The list is of TLS 1.2: those of 1.3 are all on, unless one of them is named.
    let of_12 = start(&format!("  cipher_suites: [{AES_128}]\n")).await;
    assert_eq!(suite(&of_12, &["TLS13_AES_256_GCM_SHA384"]).await.as_deref(), Some("TLS13_AES_256_GCM_SHA384"));
    assert_eq!(suite(&of_12, &[AES_256]).await, None);
    let of_13 = start("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n").await;
    assert_eq!(suite(&of_13, &["TLS13_AES_256_GCM_SHA384"]).await, None);
    assert_eq!(suite(&of_13, &["TLS13_AES_128_GCM_SHA256"]).await.as_deref(), Some("TLS13_AES_128_GCM_SHA256"));

    // Which of the listed ones is the client's choice, as in Go from 1.24 on.
    let curves = start("  curve_preferences: [CurveP384, CurveP256]\n").await;
    let curve = async |curves_: &[&str]| Some(agreed(&files, &curves, &[], curves_).await?.1);
    assert_eq!(curve(&["X25519", "secp256r1", "secp384r1"]).await.as_deref(), Some("secp256r1"));
    assert_eq!(curve(&["secp384r1", "secp256r1"]).await.as_deref(), Some("secp384r1"));
    assert_eq!(curve(&["X25519"]).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_ends_the_start_of_who_serves_with_status_2_and_one_line() {
    let files = Files::new();
    let bad = files.flag(&format!("{TLS}  min_version: TLS10\n"));
    let path = files.path("web.yml").display().to_string();
    let parts =
        ["--web.config.file (or EXPORTER_WEB_CONFIG_FILE): ", &path, "min_version: \"TLS10\"", "use TLS12 or TLS13"];
    program(&["demo", &bad]).run().await.assert_complains(2, &parts);
    let daemon = program(&[]).env("COTALKER_TOKEN", "x").env("EXPORTER_WEB_CONFIG_FILE", &path);
    daemon.run().await.assert_complains(2, &parts);
    let gone = program(&["demo", "--web.config.file=/nowhere/web.yml"]).run().await;
    gone.assert_complains(2, &["--web.config.file", "/nowhere/web.yml: a readable file is needed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_prints_addresses_that_say_https() {
    let files = Files::new();
    let running = program(&["demo", &files.flag(TLS), "--web.listen-address=127.0.0.1:0"]).spawn();
    let address = running.address().await;
    assert_eq!(status(&files.client(), format!("https://{address}/")).await, Some(200));
    running.terminate();
    let ended = running.ended().await;
    assert!(
        ended.stdout.contains(&format!("https://{address}/  ")) && !ended.stdout.contains(&format!("http://{address}")),
        "{ended:?}"
    );
}

#[tokio::test]
async fn the_log_says_what_is_in_force_and_what_somebody_may_have_thought_to_be() {
    let files = Files::new();
    let lax = format!("{TLS}  client_auth_type: RequireAnyClientCert\n");
    for (text, warning) in [(lax.as_str(), "only RequireAndVerifyClientCert keeps them out"), ("", "protects nothing")]
    {
        let exporter = Exporter::start(&[&files.flag(text)]).await;
        let line = exporter.running.logs(warning).await;
        assert!(line.contains("level=warn"), "{line}");
    }
    let exporter = Exporter::start(&[&files.flag(TLS)]).await;
    let line = exporter.running.logs("web configuration (--web.config.file)").await;
    assert!(line.contains("tls=true") && line.contains("client_auth_type=NoClientCert"), "{line}");
}

#[tokio::test]
async fn the_log_says_why_a_client_is_not_let_in() {
    let files = Files::new();
    files.write("clients.crt", &Ca::new().pem());
    let strict = format!("{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n");
    let exporter = Exporter::start(&[&files.flag(&strict)]).await;
    assert_eq!(status(&files.client(), exporter.https("/metrics")).await, None);
    let line = exporter.running.logs("a TLS handshake failed because of a certificate").await;
    assert!(line.contains("level=warn") && line.contains("peer sent no certificates"), "{line}");
}
