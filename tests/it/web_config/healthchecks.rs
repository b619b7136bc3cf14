//! `healthcheck` against each kind of server.

use tokio::net::TcpListener;

use test_harness::web::{Ca, Exporter, Files, TLS, hash};
use test_harness::{Ended, program};

async fn healthcheck(address: &str, flags: &[&str]) -> Ended {
    let asked = program(&["healthcheck", "--web.listen-address", address]);
    flags.iter().fold(asked, |asked, flag| asked.arg(flag)).run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn healthcheck_finds_each_kind_of_server_well_whatever_has_become_of_its_file() {
    let files = Files::new();
    files.write("clients.crt", &Ca::new().pem());
    let demand = |auth: &str| format!("{TLS}  client_auth_type: {auth}\n  client_ca_file: clients.crt\n");
    for text in [
        String::new(),
        format!("basic_auth_users: {{alice: {}}}\n", hash("x")),
        "rate_limit: {interval: 24h, burst: 1}\n".to_owned(),
        TLS.to_owned(),
        format!("{TLS}  min_version: TLS13\nbasic_auth_users: {{alice: {}}}\n", hash("x")),
        demand("VerifyClientCertIfGiven"),
        demand("RequireAndVerifyClientCert"),
        demand("RequireAndVerifyClientCert") + "  max_version: TLS12\n",
        demand("RequireAnyClientCert"),
    ] {
        let flag = files.flag(&text);
        let exporter = Exporter::start(&[&flag]).await;
        let address = exporter.address.to_string();
        let check = async |flags: &[&str]| {
            let ended = healthcheck(&address, flags).await;
            assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""), "{text}");
        };
        check(&[&flag]).await;
        for other in ["", TLS, "nonsense: 1"] {
            files.write("web.yml", other);
            check(&[&flag]).await;
        }
        check(&[]).await;
        check(&["--web.config.file=/nowhere"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn healthcheck_trusts_a_certificate_that_has_expired() {
    let files = Files::new();
    let mut parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).expect("parameters");
    parameters.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = parameters.self_signed(&key).expect("a certificate").pem();
    files.write_server(&test_harness::web::Pair { certificate, key: key.serialize_pem() });
    let flag = files.flag(TLS);
    let exporter = Exporter::start(&[&flag]).await;
    let ended = healthcheck(&exporter.address.to_string(), &[&flag]).await;
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn healthcheck_finds_nothing_where_nobody_listens_or_nobody_answers() {
    let files = Files::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    // It accepts, as the system does for it, and says nothing.
    healthcheck(&address, &[&files.flag(TLS)]).await.assert_complains(1, &[&address]);
    drop(listener);
    healthcheck(&address, &[&files.flag(TLS)]).await.assert_complains(1, &[&address]);
    healthcheck(&address, &[]).await.assert_complains(1, &[&address]);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_takes_no_notice_of_the_file() {
    let simulator = test_harness::serve(cotalker_simulator::World::new(test_harness::START, 1)).await;
    let ended = program(&["check", "--web.config.file=/nowhere"]).towards(&simulator).run().await;
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
}
