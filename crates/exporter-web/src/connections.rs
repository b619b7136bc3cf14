//! Which connections are open, and which one has to go when there are too many.
//!
//! The newcomer is never refused: it may be the scraper. A connection either waits (it has sent nothing yet, or half a
//! request) or is responding. The connection that has to go is one of the kind that has more connections, of the peer
//! that holds most of those, and of that peer's the one that has been so for longest. So a flood of clients that send
//! nothing cannot end a running response, a crowd that reads no response cannot keep out new requests, and one host
//! takes places from itself.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::peer::Peer;

/// The open connections of all listeners.
#[derive(Debug)]
pub(crate) struct Connections {
    capacity: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    opened: u64,
    by_number: HashMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    peer: Peer,
    /// Since when it waits, or responds.
    since: Instant,
    is_responding: bool,
    close: CancellationToken,
}

impl Connections {
    /// None open, and `capacity` places; there is always at least one.
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { capacity: capacity.max(1), open: Mutex::default() })
    }

    /// A place for a new connection; one of the others is told to close if all are taken.
    pub(crate) fn admit(self: &Arc<Self>, peer: Peer) -> Place {
        let close = CancellationToken::new();
        let mut open = self.lock();
        while open.by_number.len() >= self.capacity && open.evict() {}
        open.opened += 1;
        let number = open.opened;
        let connection = Connection { peer, since: Instant::now(), is_responding: false, close: close.clone() };
        open.by_number.insert(number, connection);
        drop(open);
        Place { number, peer, close, connections: Arc::clone(self) }
    }

    /// Tells one connection to close, where something else than places is short.
    pub(crate) fn make_room(&self) {
        self.lock().evict();
    }

    /// Tells the connections to close whose response has taken `limit` or longer.
    pub(crate) fn close_responses_older_than(&self, limit: Duration) {
        self.lock().by_number.retain(|_, connection| {
            let is_overdue = connection.is_responding && connection.since.elapsed() >= limit;
            if is_overdue {
                connection.close.cancel();
            }
            !is_overdue
        });
    }

    /// Nothing panics while it holds the lock, and no step leaves the map half changed.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Tells a connection to close and frees its place; says whether there was one. Looks at all of them: they are a
    /// few hundred, and this costs less than the accept before it.
    fn evict(&mut self) -> bool {
        let responding = self.by_number.values().filter(|connection| connection.is_responding).count();
        let from_responding = responding > self.by_number.len() - responding;
        let of_kind = || self.by_number.iter().filter(|(_, connection)| connection.is_responding == from_responding);
        let mut held = HashMap::<Peer, usize>::new();
        for (_, connection) in of_kind() {
            *held.entry(connection.peer).or_default() += 1;
        }
        let oldest = of_kind()
            .min_by_key(|(number, connection)| (Reverse(held.get(&connection.peer)), connection.since, **number))
            .map(|(number, _)| *number);
        let Some(connection) = oldest.and_then(|number| self.by_number.remove(&number)) else { return false };
        connection.close.cancel();
        true
    }
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    number: u64,
    peer: Peer,
    close: CancellationToken,
    connections: Arc<Connections>,
}

impl Place {
    /// Whose it is.
    pub(crate) fn peer(&self) -> Peer {
        self.peer
    }

    /// Waits until the connection has to go.
    pub(crate) async fn closed(&self) {
        self.close.cancelled().await;
    }

    /// Whether a response is under way.
    pub(crate) fn is_responding(&self) -> bool {
        self.connections.lock().by_number.get(&self.number).is_some_and(|connection| connection.is_responding)
    }

    /// Marks the connection as responding until the returned value is dropped.
    pub(crate) fn respond(self: &Arc<Self>) -> Responding {
        self.turn(true);
        Responding(Arc::clone(self))
    }

    /// Waiting begins, or responding. Does nothing for a connection whose place was taken away.
    fn turn(&self, is_responding: bool) {
        if let Some(connection) = self.connections.lock().by_number.get_mut(&self.number) {
            connection.is_responding = is_responding;
            connection.since = Instant::now();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().by_number.remove(&self.number);
    }
}

/// A response that is under way.
#[derive(Debug)]
pub(crate) struct Responding(Arc<Place>);

impl Drop for Responding {
    fn drop(&mut self) {
        self.0.turn(false);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn admit(connections: &Arc<Connections>) -> Arc<Place> {
        admit_from(connections, "192.0.2.1")
    }

    fn admit_from(connections: &Arc<Connections>, address: &str) -> Arc<Place> {
        Arc::new(connections.admit(address.parse::<IpAddr>().expect("an address").into()))
    }

    fn is_closed(place: &Place) -> bool {
        place.close.is_cancelled()
    }

    #[test]
    fn the_one_that_waits_longest_makes_room() {
        let connections = Connections::new(3);
        let [first, second, third] = [(); 3].map(|()| admit(&connections));
        drop(first.respond());
        let fourth = admit(&connections);
        assert_eq!([&first, &second, &third, &fourth].map(|place| is_closed(place)), [false, true, false, false]);
    }

    #[test]
    fn a_flood_of_clients_that_send_nothing_ends_no_running_response() {
        let connections = Connections::new(4);
        let scrape = admit(&connections);
        let response = scrape.respond();
        let flood: Vec<_> = (0..100).map(|_| admit(&connections)).collect();
        assert!(!is_closed(&scrape));
        assert_eq!(flood.iter().filter(|place| !is_closed(place)).count(), 3);
        drop(response);
    }

    #[test]
    fn a_crowd_that_reads_no_response_keeps_nobody_out() {
        let connections = Connections::new(4);
        let crowd: Vec<_> = (0..4)
            .map(|_| {
                let place = admit(&connections);
                let response = place.respond();
                (place, response)
            })
            .collect();
        let newcomers = [admit(&connections), admit(&connections)];
        assert_eq!(crowd.iter().map(|(place, _)| is_closed(place)).collect::<Vec<_>>(), [true, true, false, false]);
        assert!(newcomers.iter().all(|place| !is_closed(place)));
    }

    #[test]
    fn the_peer_that_holds_most_places_makes_room() {
        let connections = Connections::new(4);
        let scraper = admit_from(&connections, "192.0.2.9");
        let scrape = scraper.respond();
        let flood: Vec<_> = (0..20)
            .map(|_| {
                let place = admit(&connections);
                let response = place.respond();
                (place, response)
            })
            .collect();
        assert!(!is_closed(&scraper));
        assert_eq!(flood.iter().filter(|(place, _)| !is_closed(place)).count(), 3);
        drop(scrape);
    }

    #[test]
    fn a_place_is_given_back_and_an_evicted_one_stays_gone() {
        let connections = Connections::new(1);
        let evicted = admit(&connections);
        let kept = admit(&connections);
        drop(evicted.respond());
        drop(evicted);
        assert!(!is_closed(&kept));
        drop(kept);
        assert!(connections.lock().by_number.is_empty());
    }

    #[test]
    fn only_responses_become_overdue() {
        let connections = Connections::new(4);
        let waiting = admit(&connections);
        let responding = admit(&connections);
        let response = responding.respond();
        connections.close_responses_older_than(Duration::from_secs(3600));
        assert!(!is_closed(&responding));
        connections.close_responses_older_than(Duration::ZERO);
        assert!(is_closed(&responding) && !is_closed(&waiting));
        drop(response);
    }
}
