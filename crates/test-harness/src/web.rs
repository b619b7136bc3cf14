//! An exporter with a web configuration (`--web.config.file`), the files of it, and clients.

use std::net::SocketAddr;
use std::path::PathBuf;

use cotalker_simulator::{Simulator, World};
use reqwest::{Client, ClientBuilder, Response};
use tempfile::TempDir;

use crate::program::program;
use crate::running::Running;
use crate::scene::{START, serve};

pub use crate::certificates::{Ca, Pair, dns, identity, trusting};

/// A directory with a web configuration in it, and what that names.
pub struct Files {
    directory: TempDir,
    /// Who has signed the server's certificate.
    pub ca: Ca,
}

/// The section for TLS with the files that [`Files::new`] writes.
pub const TLS: &str = "tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n";

impl Files {
    /// With a certificate for the server.
    #[must_use]
    pub fn new() -> Self {
        let files = Self { directory: tempfile::tempdir().expect("a directory"), ca: Ca::new() };
        files.write_server(&files.ca.signs_server());
        files
    }

    /// Writes a file as a careful user does: at once, or not at all.
    pub fn write(&self, name: &str, text: &str) {
        let new = self.path("new");
        std::fs::write(&new, text).expect("written");
        std::fs::rename(new, self.path(name)).expect("in place");
    }

    /// Writes the server's certificate and key.
    pub fn write_server(&self, pair: &Pair) {
        self.write("tls.crt", &pair.certificate);
        self.write("tls.key", &pair.key);
    }

    /// Where the file of this name is.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The flag with the file, which is written with this text.
    #[must_use]
    pub fn flag(&self, text: &str) -> String {
        self.write("web.yml", text);
        format!("--web.config.file={}", self.path("web.yml").display())
    }

    /// A client that trusts the server.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client_with(|client| client)
    }

    /// The same with something changed.
    #[must_use]
    pub fn client_with(&self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        trusting(&self.ca, change)
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}

/// A running exporter with a web configuration, and what it watches: a company without webhooks.
#[derive(Debug)]
pub struct Exporter {
    /// Its process.
    pub running: Running,
    /// Where it listens.
    pub address: SocketAddr,
    _simulator: Simulator,
}

impl Exporter {
    /// With the flag of [`Files::flag`] and further ones.
    pub async fn start(flags: &[&str]) -> Self {
        let simulator = serve(World::new(START, 1)).await;
        let running = program(flags).arg("--poll.interval=1s").towards(&simulator).anywhere().spawn();
        let address = running.address().await;
        Self { running, address, _simulator: simulator }
    }

    /// The URL of this path over TLS.
    #[must_use]
    pub fn https(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// The URL of this path over plain HTTP.
    #[must_use]
    pub fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The status that `client` gets at this URL; `None` if it gets no response.
pub async fn status(client: &Client, url: String) -> Option<u16> {
    client.get(url).send().await.ok().map(|response| response.status().as_u16())
}

/// The header of this name, if the response has it.
#[must_use]
pub fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().expect("text"))
}

/// A hash of a password that costs little.
#[must_use]
pub fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).expect("a hash")
}
