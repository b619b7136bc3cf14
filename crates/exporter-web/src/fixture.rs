//! What the tests share: certificates, hashes, and a directory with a web configuration file.

use std::fs;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use crate::web_config_file::WebConfigFile;

/// In no error and in no output.
pub(crate) const SECRET: &str = "s3cret-and-nobodys-business";

/// A certificate for 127.0.0.1, and its key.
pub(crate) fn certificate() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).expect("parameters").self_signed(&key);
    (certificate.expect("a certificate").pem(), key.serialize_pem())
}

/// A directory with a good certificate, its key, and files that are neither.
pub(crate) fn directory() -> TempDir {
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

/// A cheap hash.
pub(crate) fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).expect("a hash")
}

/// The section for TLS with the files of [`directory`].
pub(crate) const TLS: &str = "tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n";

/// Writes `text` as the file of `directory`, and reads it.
pub(crate) fn read(directory: &TempDir, text: impl AsRef<[u8]>) -> Result<WebConfigFile, String> {
    let path = directory.path().join("web.yml");
    fs::write(&path, text).expect("written");
    WebConfigFile::read(&path).map_err(|error| {
        let line = error.to_string();
        let rest = line.strip_prefix(&format!("{}: ", path.display()));
        rest.unwrap_or_else(|| panic!("the file is not named: {line}")).to_owned()
    })
}
