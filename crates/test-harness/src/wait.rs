//! Waiting for what is to come, instead of sleeping.

use std::time::Duration;

/// A test that waits for something that never comes ends after this long. It is long, for an unoptimised build on a busy
/// machine may need a minute to read 150 MB.
pub const PATIENCE: Duration = Duration::from_secs(400);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits until something is so.
///
/// # Panics
///
/// If it is not so within [`PATIENCE`].
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    look_until(LOOK_EVERY, &mut look).await.unwrap_or_else(|| panic!("never seen: {what}"))
}

/// Looks every so often until something is so; `None` if it is not so within [`PATIENCE`].
pub(crate) async fn look_until<T>(every: Duration, look: &mut impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let wait = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(every).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.ok()
}
