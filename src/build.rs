//! What this binary was built from.

/// The crate's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The git revision, or `unknown` where the build had none.
pub const REVISION: &str = known(option_env!("VERGEN_GIT_SHA"));

/// The compiler's version.
pub const RUSTC: &str = known(option_env!("VERGEN_RUSTC_SEMVER"));

/// The day of the build, UTC.
pub const DATE: &str = known(option_env!("VERGEN_BUILD_DATE"));

/// `unknown` for what the build script could not find out.
const fn known(value: Option<&'static str>) -> &'static str {
    match value {
        Some(value) if !value.is_empty() => value,
        _ => "unknown",
    }
}
