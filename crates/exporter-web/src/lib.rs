//! The web configuration file of Prometheus exporters, for Rust.
//!
//! Every exporter in Go serves its metrics through the [exporter-toolkit], which reads one YAML file,
//! `--web.config.file`: TLS, client certificates, logins (bcrypt), response headers, a rate limit. This crate reads the
//! same file with the same meaning and serves an [`axum::Router`] as it asks for. A file that works for one exporter
//! works here, or is refused in one line that says why.
//!
//! ```
//! use axum::{Router, routing::get};
//! use exporter_web::{ListenAddress, Server, WebConfigFile, listen};
//! use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
//! use tokio_util::sync::CancellationToken;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("web.yml");
//! // `htpasswd -nBC 10 prometheus` makes such a hash.
//! let hash = bcrypt::hash("secret", 4)?;
//! std::fs::write(&path, format!("basic_auth_users: {{prometheus: {hash}}}"))?;
//!
//! let file = WebConfigFile::read(&path)?;
//! file.log_summary();
//! let address: ListenAddress = "127.0.0.1:0".parse()?;
//! let listeners = listen(&[address]).await?;
//! let bound = listeners[0].local_addr()?;
//!
//! let pages = Router::new()
//!     .route("/metrics", get(async || "up 1\n"))
//!     .route("/-/healthy", get(async || "healthy\n"));
//! let server = Server::new(listeners, pages)
//!     .web_config(Some(file))
//!     .realm("my exporter")
//!     .open_paths(["/-/healthy"])
//!     .on_reload(|reload| println!("a changed web configuration was {reload:?}"));
//! let stop = CancellationToken::new();
//! let serving = server.serve(stop.clone());
//!
//! let asking = async {
//!     let mut responses = String::new();
//!     for path in ["/metrics", "/-/healthy"] {
//!         let mut stream = tokio::net::TcpStream::connect(bound).await?;
//!         stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await?;
//!         stream.read_to_string(&mut responses).await?;
//!     }
//!     stop.cancel();
//!     Ok::<_, std::io::Error>(responses)
//! };
//! let ((), responses) = tokio::join!(serving, asking);
//! let responses = responses?;
//! assert!(responses.contains("401 Unauthorized") && responses.contains("healthy"));
//! # Ok(())
//! # }
//! ```
//!
//! # The file
//!
//! The format is that of the toolkit's [web-configuration.md]. What differs, on purpose:
//!
//! - TLS 1.0 and 1.1, cipher suites with CBC or without forward secrecy, and the curve P-521 are refused: rustls has none
//!   of them.
//! - HTTP/2 is never offered; `http2` may be given, and changes nothing.
//! - Client certificates are verified only against `client_ca_file` (or `client_ca`). Without one, verification is
//!   refused: Go would trust all public CAs.
//! - A `tls_server_config` with any key in it has to result in TLS.
//! - A key may be given once, and a file has one document.
//! - The cost of a bcrypt hash is from 4 to 16.
//!
//! # Changes of the file
//!
//! The file, and the files that it names, are read again when a connection or a request comes and the last look began a
//! second ago or longer. Their content is compared, so a Kubernetes Secret that is rotated is seen. A change that cannot be
//! used leaves the previous configuration in force. So does a change that would take a protection away: switching TLS or
//! logins off, or demanding less of client certificates, takes a restart, because a file that is emptied by mistake must
//! not open the pages. See [`Reload`].
//!
//! # Logs
//!
//! What is logged goes through [`tracing`], with this crate's name as the target. It holds no secret, and nothing of a
//! request.
//!
//! [exporter-toolkit]: https://github.com/prometheus/exporter-toolkit
//! [web-configuration.md]: https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md

mod accept;
mod body;
mod config;
mod connections;
mod error;
mod files;
#[cfg(test)]
mod fixture;
mod handshakes;
mod holding;
mod limits;
mod listen;
mod login;
mod passed;
mod peer;
mod pem;
mod progress;
mod rate_limit;
mod refusal;
mod reload;
mod response;
mod rules;
mod serve;
mod server;
mod shared;
mod tls;
mod web_config_file;

pub use self::body::Pieces;
pub use self::connections::Edition;
pub use self::error::ConfigError;
pub use self::limits::Limits;
pub use self::listen::{ListenAddress, ListenError, ParseListenAddressError, listen};
pub use self::passed::{PassedSockets, PassedSocketsError};
pub use self::reload::Reload;
pub use self::response::{respond, text};
pub use self::server::Server;
pub use self::web_config_file::WebConfigFile;
