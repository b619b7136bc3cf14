//! `--web.config.file`: TLS, client certificates, logins, headers and a rate limit, by the real program.

mod healthchecks;
mod logins;
mod reloads;
mod scraping;
mod tls;
mod verdicts;

use std::net::SocketAddr;
use std::path::PathBuf;

use cotalker_simulator::{Simulator, World};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use reqwest::{Certificate, Client, ClientBuilder, Identity, Response};
use tempfile::TempDir;

use crate::program::{Running, program};
use crate::scene::{START, serve};

/// A certificate authority (CA).
struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
struct Pair {
    certificate: String,
    key: String,
}

impl Ca {
    fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key")).expect("a CA"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for whoever has these names.
    fn signs(&self, names: Vec<SanType>) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = names;
        let certificate = parameters.signed_by(&key, &self.0).expect("a certificate");
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// A certificate for the server.
    fn signs_server(&self) -> Pair {
        self.signs(vec![SanType::IpAddress([127, 0, 0, 1].into())])
    }

    /// A certificate for a client.
    fn signs_client(&self) -> Pair {
        self.signs(vec![dns("scraper.example")])
    }
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("a name"))
}

/// A directory with a web configuration in it, and what that names.
struct Files {
    directory: TempDir,
    ca: Ca,
}

/// The section for TLS with the files that [`Files::new`] writes.
const TLS: &str = "tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n";

impl Files {
    /// With a certificate for the server.
    fn new() -> Self {
        let files = Self { directory: tempfile::tempdir().expect("a directory"), ca: Ca::new() };
        files.write_server(&files.ca.signs_server());
        files
    }

    fn write(&self, name: &str, text: &str) {
        // As a careful user does: at once, or not at all.
        let new = self.path("new");
        std::fs::write(&new, text).expect("written");
        std::fs::rename(new, self.path(name)).expect("in place");
    }

    fn write_server(&self, pair: &Pair) {
        self.write("tls.crt", &pair.certificate);
        self.write("tls.key", &pair.key);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The flag with the file, which is written with this text.
    fn flag(&self, text: &str) -> String {
        self.write("web.yml", text);
        format!("--web.config.file={}", self.path("web.yml").display())
    }

    /// A client that trusts the server.
    fn client(&self) -> Client {
        self.client_with(|client| client)
    }

    fn client_with(&self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        trusting(&self.ca, change)
    }
}

/// A client that trusts what `ca` signs, and nobody else.
fn trusting(ca: &Ca, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = Certificate::from_pem(ca.pem().as_bytes()).expect("a certificate");
    change(Client::builder().no_proxy().tls_certs_only([root])).build().expect("a client")
}

fn identity(pair: &Pair) -> Identity {
    Identity::from_pem(format!("{}{}", pair.certificate, pair.key).as_bytes()).expect("an identity")
}

/// A running exporter, and what it watches.
struct Exporter {
    running: Running,
    address: SocketAddr,
    _simulator: Simulator,
}

impl Exporter {
    /// With the flag of [`Files::flag`] and further ones.
    async fn start(flags: &[&str]) -> Self {
        let simulator = serve(World::new(START, 1)).await;
        let running = program(flags).arg("--poll.interval=1s").towards(&simulator).anywhere().spawn();
        let address = running.address().await;
        Self { running, address, _simulator: simulator }
    }

    fn https(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The status that `client` gets at this URL; `None` if it gets no response.
async fn status(client: &Client, url: String) -> Option<u16> {
    client.get(url).send().await.ok().map(|response| response.status().as_u16())
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().expect("text"))
}

/// A cheap hash.
fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).expect("a hash")
}
