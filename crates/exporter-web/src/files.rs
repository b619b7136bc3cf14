//! The web configuration file and the files that it names, as they are on disk.

use std::io;
use std::path::Path;

use secrecy::ExposeSecret as _;

use crate::config::{PemPlace, PemSource, Settings, parse};
use crate::error::ConfigError;
use crate::pem::{Pem, Pems};

/// What was read, file by file. It holds keys and hashes, so nothing prints it.
pub(crate) type Contents = Vec<Result<Vec<u8>, io::ErrorKind>>;

/// One look at the files.
pub(crate) struct FilesOnDisk {
    /// For comparing two looks. It is content that counts, neither time nor inode, so a Kubernetes Secret whose links
    /// are swapped is seen like any other change.
    pub(crate) contents: Contents,
    /// What the contents ask for.
    pub(crate) meaning: Result<(Settings, Option<Pems>), ConfigError>,
}

impl FilesOnDisk {
    /// Reads the file at `path`, and those that it names. Blocks.
    pub(crate) fn read(path: &Path) -> Self {
        let mut contents = Contents::new();
        let meaning = meaning(path, &mut contents).map_err(|error| error.within(path));
        Self { contents, meaning }
    }
}

fn meaning(path: &Path, contents: &mut Contents) -> Result<(Settings, Option<Pems>), ConfigError> {
    let mut read = |path: &Path| {
        let content = std::fs::read(path);
        contents.push(content.as_ref().map(Clone::clone).map_err(io::Error::kind));
        content
    };
    let text = read(path).map_err(|error| ConfigError::at("a readable file is needed", error))?;
    let settings = parse(&text, path.parent().unwrap_or(Path::new("")))?;
    let mut pem = |source: &PemSource| match &source.place {
        PemPlace::Inline(text) => {
            Ok(Pem { origin: source.key.to_owned(), text: text.expose_secret().as_bytes().to_vec() })
        }
        PemPlace::File(path) => {
            let origin = format!("{}: {}", source.key, path.display());
            match read(path) {
                Ok(text) => Ok(Pem { origin, text }),
                Err(error) => Err(ConfigError::at(&origin, format_args!("{error}; a readable file is needed"))),
            }
        }
    };
    let pems = match &settings.tls {
        Some(tls) => Some(Pems {
            certificate: pem(&tls.certificate)?,
            key: pem(&tls.key)?,
            client_ca: tls.client_ca.as_ref().map(pem).transpose()?,
        }),
        None => None,
    };
    Ok((settings, pems))
}
