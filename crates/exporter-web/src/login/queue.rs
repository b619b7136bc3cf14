//! Which login is hashed next: one at a time, and one of each peer in the queue.
//!
//! A peer with many wrong passwords waits behind itself. So another peer's first login, such as Prometheus' after a
//! restart, waits behind one login of each peer at most. Peers are told apart by their address only: clients behind one
//! proxy share a place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::peer::Peer;

/// How long a login waits for its turn. Source: Prometheus gives up a scrape after 10 s unless told otherwise.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// The queue of logins that wait to be hashed.
pub(crate) struct LoginQueue {
    /// Its one permit is the right to hash.
    head: Arc<Semaphore>,
    /// A peer's one permit is the right to wait for the head.
    by_peer: Mutex<HashMap<Peer, Weak<Semaphore>>>,
    patience: Duration,
}

/// The right to hash, given back when dropped.
pub(crate) struct Turn {
    _head: OwnedSemaphorePermit,
    _peer: OwnedSemaphorePermit,
}

impl Default for LoginQueue {
    fn default() -> Self {
        Self { head: Arc::new(Semaphore::new(1)), by_peer: Mutex::default(), patience: TURN_WITHIN }
    }
}

impl LoginQueue {
    /// Waits for a turn; `None` if that takes longer than 10 s.
    pub(crate) async fn turn(&self, peer: Peer) -> Option<Turn> {
        let turn = async {
            let peer = self.of(peer).acquire_owned().await.ok()?;
            let head = Arc::clone(&self.head).acquire_owned().await.ok()?;
            Some(Turn { _head: head, _peer: peer })
        };
        timeout(self.patience, turn).await.ok().flatten()
    }

    /// The peer's own queue. It lasts as long as a login is in it.
    fn of(&self, peer: Peer) -> Arc<Semaphore> {
        let mut by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = by_peer.get(&peer).and_then(Weak::upgrade) {
            return own;
        }
        // This keeps no more of them than there are connections.
        by_peer.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(1));
        by_peer.insert(peer, Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use futures::FutureExt as _;

    use super::*;

    fn peer(last: u8) -> Peer {
        IpAddr::from([192, 0, 2, last]).into()
    }

    #[tokio::test]
    async fn whoever_waits_with_many_logins_holds_up_another_by_one_of_them() {
        let queue = LoginQueue::default();
        let running = queue.turn(peer(1)).await.expect("a turn");
        let mut crowd: Vec<_> = (0..20).map(|_| Box::pin(queue.turn(peer(1)))).collect();
        assert!(crowd.iter_mut().all(|waits| waits.as_mut().now_or_never().is_none()));
        let mut scraper = Box::pin(queue.turn(peer(2)));
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
        let queue = LoginQueue::default();
        for last in 0..50 {
            drop(queue.turn(peer(last)).await.expect("a turn"));
        }
        assert_eq!(queue.by_peer.lock().expect("a lock").len(), 1);
    }

    #[tokio::test]
    async fn waiting_has_an_end_and_leaves_the_line_free() {
        let queue = LoginQueue { patience: Duration::ZERO, ..LoginQueue::default() };
        let running = queue.turn(peer(1)).await.expect("a turn");
        assert!(queue.turn(peer(1)).await.is_none() && queue.turn(peer(2)).await.is_none());
        drop(running);
        assert!(queue.turn(peer(1)).await.is_some() && queue.turn(peer(2)).await.is_some());
    }
}
