//! Mutexes of the client.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutex that is never held across anything that can panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
