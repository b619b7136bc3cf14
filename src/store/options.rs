//! The flag that says where the checkpoint is.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Clone, Debug)]
pub(crate) struct StoreOptions {
    /// Directory for the checkpoint, created if missing; without it counts are in memory only
    #[arg(long = "state.path", value_name = "DIRECTORY")]
    pub(crate) state_path: Option<PathBuf>,
}
