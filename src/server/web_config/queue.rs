//! Who hashes next: one login at a time, and of each client one in line.
//!
//! A client with many wrong passwords waits behind itself, so that another one's first login, Prometheus's after a
//! restart, stands behind one login of each client at most. Clients are told apart by their address only: those behind
//! one proxy share a place in line.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::server::connections::Client;

/// How long a login waits in line. Source: Prometheus gives up a scrape after 10 s unless told otherwise.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// The line.
pub(super) struct Queue {
    /// Whoever holds this may hash.
    head: Arc<Semaphore>,
    /// Whoever holds a client's may stand in line.
    by_client: Mutex<HashMap<Client, Weak<Semaphore>>>,
    patience: Duration,
}

/// The right to hash, given back when dropped.
pub(super) struct Turn {
    _head: OwnedSemaphorePermit,
    _client: OwnedSemaphorePermit,
}

impl Default for Queue {
    fn default() -> Self {
        Self { head: Arc::new(Semaphore::new(1)), by_client: Mutex::default(), patience: TURN_WITHIN }
    }
}

impl Queue {
    /// Waits for a turn; none if that takes too long.
    pub(super) async fn turn(&self, client: Client) -> Option<Turn> {
        let turn = async {
            let client = self.of(client).acquire_owned().await.ok()?;
            let head = Arc::clone(&self.head).acquire_owned().await.ok()?;
            Some(Turn { _head: head, _client: client })
        };
        timeout(self.patience, turn).await.ok().flatten()
    }

    /// The client's own line. It lasts as long as somebody is in it.
    fn of(&self, client: Client) -> Arc<Semaphore> {
        let mut by_client = self.by_client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = by_client.get(&client).and_then(Weak::upgrade) {
            return line;
        }
        // No more are left than there are connections.
        by_client.retain(|_, line| line.strong_count() > 0);
        let line = Arc::new(Semaphore::new(1));
        by_client.insert(client, Arc::downgrade(&line));
        line
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use futures::FutureExt as _;

    use super::*;

    fn client(last: u8) -> Client {
        IpAddr::from([192, 0, 2, last]).into()
    }

    #[tokio::test]
    async fn whoever_waits_with_many_logins_holds_up_another_by_one_of_them() {
        let queue = Queue::default();
        let running = queue.turn(client(1)).await.expect("a turn");
        let mut crowd: Vec<_> = (0..20).map(|_| Box::pin(queue.turn(client(1)))).collect();
        assert!(crowd.iter_mut().all(|waits| waits.as_mut().now_or_never().is_none()));
        let mut scraper = Box::pin(queue.turn(client(2)));
        assert!(scraper.as_mut().now_or_never().is_none(), "one at a time");
        drop(running);
        assert!(crowd.iter_mut().all(|waits| waits.as_mut().now_or_never().is_none()), "the other came before");
        let turn = scraper.now_or_never().flatten().expect("the next turn");
        drop(turn);
        let next: Vec<_> = crowd.iter_mut().filter_map(|waits| waits.as_mut().now_or_never()).collect();
        assert_eq!(next.len(), 1);
    }

    #[tokio::test]
    async fn whoever_has_gone_is_forgotten() {
        let queue = Queue::default();
        for last in 0..50 {
            drop(queue.turn(client(last)).await.expect("a turn"));
        }
        assert_eq!(queue.by_client.lock().expect("a lock").len(), 1);
    }

    #[tokio::test]
    async fn waiting_has_an_end_and_leaves_the_line_free() {
        let queue = Queue { patience: Duration::ZERO, ..Queue::default() };
        let running = queue.turn(client(1)).await.expect("a turn");
        assert!(queue.turn(client(1)).await.is_none() && queue.turn(client(2)).await.is_none());
        drop(running);
        assert!(queue.turn(client(1)).await.is_some() && queue.turn(client(2)).await.is_some());
    }
}
