//! The flag that says where the checkpoint is.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Clone, Debug)]
pub(crate) struct StoreOptions {
    /// Directory for the checkpoint, made if there is none; without it counts live in memory
    #[arg(long = "state.path", value_name = "DIRECTORY")]
    pub(crate) state_path: Option<PathBuf>,
}
