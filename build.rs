//! Stamps revision, compiler and build date into the binary, for `--version` and `cotalker_exporter_build_info`.

use vergen_gitcl::{Build, Emitter, Gitcl, Rustc};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Emitter::default()
        .add_instructions(&Build::builder().build_date(true).build())?
        .add_instructions(&Gitcl::builder().sha(true).dirty(true).build())?
        .add_instructions(&Rustc::builder().semver(true).build())?
        .emit()?;
    Ok(())
}
