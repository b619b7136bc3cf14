//! Which connections are open, and which one has to go when there are too many.
//!
//! The newcomer is never the one refused: it may be the scraper. A connection either waits (nothing sent yet, half a
//! request) or is being answered. Room is made by whichever kind has more, of it by the client that holds most places, and
//! of those by the one that has been so for longest. So a flood of clients that send nothing cannot end a running answer,
//! a crowd that reads no answer cannot keep out those that are about to ask, and one host takes places from itself.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Who is at the other end, as far as an address tells: whoever has one IPv6 address has the network of it, a /64.
/// Source: RFC 4291, section 2.5.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client(IpAddr);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// The open connections of all listeners.
#[derive(Debug)]
pub(super) struct Connections {
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
    client: Client,
    /// Since when it waits, or is being answered.
    since: Instant,
    is_answering: bool,
    close: CancellationToken,
}

impl Connections {
    pub(super) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { capacity: capacity.max(1), open: Mutex::default() })
    }

    /// A place for a new connection; one of the others is told to close if all are taken.
    pub(super) fn admit(self: &Arc<Self>, client: Client) -> Place {
        let close = CancellationToken::new();
        let mut open = self.lock();
        while open.by_number.len() >= self.capacity && open.evict() {}
        open.opened += 1;
        let number = open.opened;
        let connection = Connection { client, since: Instant::now(), is_answering: false, close: close.clone() };
        open.by_number.insert(number, connection);
        drop(open);
        Place { number, client, close, connections: Arc::clone(self) }
    }

    /// Tells one connection to close, for want of something else than places.
    pub(super) fn make_room(&self) {
        self.lock().evict();
    }

    /// Tells the connections to close whose answer has taken `limit` or longer.
    pub(super) fn close_answers_older_than(&self, limit: Duration) {
        self.lock().by_number.retain(|_, connection| {
            let is_overdue = connection.is_answering && connection.since.elapsed() >= limit;
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
        let answering = self.by_number.values().filter(|connection| connection.is_answering).count();
        let from_answering = answering > self.by_number.len() - answering;
        let of_kind = || self.by_number.iter().filter(|(_, connection)| connection.is_answering == from_answering);
        let mut held = HashMap::<Client, usize>::new();
        for (_, connection) in of_kind() {
            *held.entry(connection.client).or_default() += 1;
        }
        let oldest = of_kind()
            .min_by_key(|(number, connection)| (Reverse(held.get(&connection.client)), connection.since, **number))
            .map(|(number, _)| *number);
        let Some(connection) = oldest.and_then(|number| self.by_number.remove(&number)) else { return false };
        connection.close.cancel();
        true
    }
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    client: Client,
    close: CancellationToken,
    connections: Arc<Connections>,
}

impl Place {
    /// Whose it is.
    pub(super) fn client(&self) -> Client {
        self.client
    }

    /// Waits until the connection has to go.
    pub(super) async fn closed(&self) {
        self.close.cancelled().await;
    }

    /// Whether a request is being answered.
    pub(super) fn is_answering(&self) -> bool {
        self.connections.lock().by_number.get(&self.number).is_some_and(|connection| connection.is_answering)
    }

    /// Marks the connection as being answered until the returned value is dropped.
    pub(super) fn answer(self: &Arc<Self>) -> Answering {
        self.turn(true);
        Answering(Arc::clone(self))
    }

    fn turn(&self, is_answering: bool) {
        if let Some(connection) = self.connections.lock().by_number.get_mut(&self.number) {
            connection.is_answering = is_answering;
            connection.since = Instant::now();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().by_number.remove(&self.number);
    }
}

/// A running answer.
#[derive(Debug)]
pub(super) struct Answering(Arc<Place>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.turn(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        address.parse::<IpAddr>().expect("an address").into()
    }

    fn admit(connections: &Arc<Connections>) -> Arc<Place> {
        admit_from(connections, "192.0.2.1")
    }

    fn admit_from(connections: &Arc<Connections>, address: &str) -> Arc<Place> {
        Arc::new(connections.admit(client(address)))
    }

    fn is_closed(place: &Place) -> bool {
        place.close.is_cancelled()
    }

    #[test]
    fn the_one_that_waits_longest_makes_room() {
        let connections = Connections::new(3);
        let [first, second, third] = [(); 3].map(|()| admit(&connections));
        drop(first.answer());
        let fourth = admit(&connections);
        assert_eq!([&first, &second, &third, &fourth].map(|place| is_closed(place)), [false, true, false, false]);
    }

    #[test]
    fn a_flood_of_clients_that_send_nothing_ends_no_running_answer() {
        let connections = Connections::new(4);
        let scrape = admit(&connections);
        let answer = scrape.answer();
        let flood: Vec<_> = (0..100).map(|_| admit(&connections)).collect();
        assert!(!is_closed(&scrape));
        assert_eq!(flood.iter().filter(|place| !is_closed(place)).count(), 3);
        drop(answer);
    }

    #[test]
    fn a_crowd_that_reads_no_answer_keeps_nobody_out() {
        let connections = Connections::new(4);
        let crowd: Vec<_> = (0..4)
            .map(|_| {
                let place = admit(&connections);
                let answer = place.answer();
                (place, answer)
            })
            .collect();
        let newcomers = [admit(&connections), admit(&connections)];
        assert_eq!(crowd.iter().map(|(place, _)| is_closed(place)).collect::<Vec<_>>(), [true, true, false, false]);
        assert!(newcomers.iter().all(|place| !is_closed(place)));
    }

    #[test]
    fn the_client_that_holds_most_places_makes_room() {
        let connections = Connections::new(4);
        let scraper = admit_from(&connections, "192.0.2.9");
        let scrape = scraper.answer();
        let flood: Vec<_> = (0..20)
            .map(|_| {
                let place = admit(&connections);
                let answer = place.answer();
                (place, answer)
            })
            .collect();
        assert!(!is_closed(&scraper));
        assert_eq!(flood.iter().filter(|(place, _)| !is_closed(place)).count(), 3);
        drop(scrape);
    }

    #[test]
    fn a_client_is_an_ipv4_address_however_it_is_written_or_a_network_of_ipv6() {
        assert_eq!(client("192.0.2.1"), client("::ffff:192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
        assert_ne!(client("::ffff:192.0.2.1"), client("::ffff:192.0.2.2"));
        assert_eq!(client("2001:db8:0:1::1"), client("2001:db8:0:1:ffff::2"));
        assert_ne!(client("2001:db8:0:1::1"), client("2001:db8:0:2::1"));
    }

    #[test]
    fn a_place_is_given_back_and_an_evicted_one_stays_gone() {
        let connections = Connections::new(1);
        let evicted = admit(&connections);
        let kept = admit(&connections);
        drop(evicted.answer());
        drop(evicted);
        assert!(!is_closed(&kept));
        drop(kept);
        assert!(connections.lock().by_number.is_empty());
    }

    #[test]
    fn only_answers_become_overdue() {
        let connections = Connections::new(4);
        let waiting = admit(&connections);
        let answered = admit(&connections);
        let answer = answered.answer();
        connections.close_answers_older_than(Duration::from_secs(3600));
        assert!(!is_closed(&answered));
        connections.close_answers_older_than(Duration::ZERO);
        assert!(is_closed(&answered) && !is_closed(&waiting));
        drop(answer);
    }
}
