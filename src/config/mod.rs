//! The command line and the environment → settings, part by part.
//!
//! A flag's variable follows from its name, and a flag beats its variable. A variable that is set to nothing counts as
//! not set, as in Kubernetes manifests. Secrets come from files or the environment only, never from a flag.

mod command;
mod exit;
mod settings;

pub use self::command::{FlagDoc, Task, command_line, flag_docs, parse, version_text};
pub use self::exit::Exit;
pub use self::settings::ExporterSettings;
pub use crate::api::TOKEN_VARIABLE;
pub use crate::web_options::{DEFAULT_LISTEN_ADDRESS, WebSettings};
