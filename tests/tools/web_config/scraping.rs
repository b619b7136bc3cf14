//! A real Prometheus gets through.

use crate::prometheus_server::Prometheus;
use test_harness::until;
use test_harness::web::{Ca, Exporter, Files, TLS, hash};

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_scrapes_over_tls_with_a_certificate_and_a_login() {
    let files = Files::new();
    let clients = Ca::new();
    let scraper = clients.signs_client();
    for (name, text) in [
        ("ca.crt", files.ca.pem()),
        ("clients.crt", clients.pem()),
        ("scraper.crt", scraper.certificate),
        ("scraper.key", scraper.key),
    ] {
        files.write(name, &text);
    }
    let exporter = Exporter::start(&[&files.flag(&format!(
        "{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n  client_allowed_sans: \
         [scraper.example]\nbasic_auth_users: {{prometheus: {}}}\n",
        hash("pass word")
    ))])
    .await;
    let how = |password: &str| {
        let path = |name: &str| files.path(name).display().to_string();
        format!(
            "    scheme: https\n    tls_config: {{ ca_file: {}, cert_file: {}, key_file: {} }}\n    basic_auth: {{ \
             username: prometheus, password: {password} }}\n",
            path("ca.crt"),
            path("scraper.crt"),
            path("scraper.key")
        )
    };
    for (password, expected) in [("pass word", 1.0), ("wrong", 0.0)] {
        let prometheus = Prometheus::start(exporter.address, &how(password));
        until("a scrape", async || {
            let ups = prometheus.values("up{job=\"cotalker\"}", []).await;
            (!ups.is_empty()).then(|| assert_eq!(ups.values().copied().collect::<Vec<_>>(), [expected], "{password}"))
        })
        .await;
        let is_read = !prometheus.values("cotalker_up", []).await.is_empty();
        assert_eq!(is_read, expected == 1.0, "{password}");
    }
}
