//! The flags of `check`.

use clap::Args;

use crate::look::{Output, output};

/// The options of `check`.
#[derive(Args, Clone, Copy, Debug, PartialEq)]
pub struct CheckOptions {
    /// How check and lost print: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = output())]
    pub output: Output,
}
