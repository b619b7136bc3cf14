//! TLS.

use std::sync::Arc;

use cotalker_simulator::{Settings, Simulator};
use reqwest::Client;

use crate::client::{LIST, world};

#[tokio::test]
async fn it_serves_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let settings = Settings { tls: Some(Arc::new(config)), ..Settings::default() };
    let simulator = Simulator::start(world(), settings).await.expect("loopback");
    let ca = reqwest::Certificate::from_der(made.cert.der()).expect("a certificate");
    let client = Client::builder().no_proxy().tls_certs_only([ca]).build().expect("a client");
    let request = client.get(format!("{}{LIST}", simulator.base_url())).bearer_auth(simulator.token());
    assert_eq!(request.send().await.expect("a response").status(), 200);
}
