//! The CA file, and its changes.

use cotalker_simulator::{Settings, Simulator, World};
use cotalker_webhook_exporter::api::call::CallResult;

use crate::responder::{client, settings};
use test_harness::START;
use test_harness::ca;

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_file_that_changes_is_read_again_and_a_broken_one_changes_nothing() {
    let ((pem, server), (other, _)) = (ca("127.0.0.1"), ca("127.0.0.1"));
    let tls = Settings { tls: Some(server), ..Settings::default() };
    let simulator = Simulator::start(World::new(START, 1), tls).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    let write = |text: &str| std::fs::write(&file, text).expect("written");
    write(&other);

    let mut settings = settings(simulator.base_url());
    settings.credentials = cotalker_webhook_exporter::api::credentials::Credentials::Token(
        cotalker_webhook_exporter::secret::Secret::new(simulator.token()),
    );
    (settings.ca_pem, settings.ca_file) = (Some(other.as_bytes().to_vec()), Some(file.clone()));
    let (client, _) = client(settings);
    assert_eq!(client.list(None).await.expect_err("no trust").result, CallResult::Tls);

    write(&pem);
    client.list(None).await.expect("a list, as soon as the file holds the CA");

    for broken in ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "", "no PEM"] {
        write(broken);
        client.renew_connections();
        client.list(None).await.expect("a list all the same");
    }
    std::fs::remove_file(&file).expect("removed");
    client.renew_connections();
    client.list(None).await.expect("a list all the same");
}
