//! Which connections are open, and which one has to go when there are too many.
//!
//! The newcomer is never refused: it may be the scraper. A connection either waits (it has sent nothing yet, or half a
//! request) or is responding. The connection that has to go is one of the kind that has more connections, of the peer
//! that holds most of those, and of that peer's the one that has been so for longest. So a flood of clients that send
//! nothing cannot end a running response, a crowd that reads no response cannot keep out new requests, and one host
//! takes places from itself.
//!
//! A response whose client takes nothing, or takes it too slowly, has to go as well: see [`Connections::close_overdue`].
//! And so do responses that together keep too many editions of a page in memory: see [`Edition`].

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::peer::Peer;

/// What a response is of: responses of one edition share their large data, responses of two do not. A response says so as
/// an extension, and so a crowd of slow clients keeps few editions in memory ([`Limits::editions`](crate::Limits)). Numbers
/// go up with the editions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edition(pub u64);

/// The open connections of all listeners.
#[derive(Debug)]
pub(crate) struct Connections {
    capacity: usize,
    /// The most editions in use, the newest one included.
    editions: usize,
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
    /// Since when its client has taken nothing of the response; `None` while there is nothing to take.
    stalled_since: Option<Instant>,
    /// What the response is of.
    edition: Option<Edition>,
    close: CancellationToken,
}

impl Connections {
    /// None open, and `capacity` places for responses of `editions` editions; there is always at least one of each.
    pub(crate) fn new(capacity: usize, editions: usize) -> Arc<Self> {
        Arc::new(Self { capacity: capacity.max(1), editions: editions.max(1), open: Mutex::default() })
    }

    /// A place for a new connection; one of the others is told to close if all are taken.
    pub(crate) fn admit(self: &Arc<Self>, peer: Peer) -> Place {
        let close = CancellationToken::new();
        let mut open = self.lock();
        while open.by_number.len() >= self.capacity && open.evict() {}
        open.opened += 1;
        let number = open.opened;
        let connection = Connection {
            peer,
            since: Instant::now(),
            is_responding: false,
            stalled_since: None,
            edition: None,
            close: close.clone(),
        };
        open.by_number.insert(number, connection);
        drop(open);
        Place { number, peer, close, connections: Arc::clone(self) }
    }

    /// Tells one connection to close, where something else than places is short.
    pub(crate) fn make_room(&self) {
        self.lock().evict();
    }

    /// Tells the connections to close whose response has taken `limit` or longer, or whose client has taken nothing of it
    /// for `stall` or longer.
    pub(crate) fn close_overdue(&self, limit: Duration, stall: Duration) {
        self.lock().by_number.retain(|_, connection| {
            let is_stalled = connection.stalled_since.is_some_and(|since| since.elapsed() >= stall);
            let is_overdue = connection.is_responding && (is_stalled || connection.since.elapsed() >= limit);
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
    /// Tells connections to close until responses of no more than `most` editions are left. Those of the newest one stay,
    /// and of the others each time the one goes that has been under way for longest, of the peer that has most of them.
    fn limit_editions(&mut self, most: usize) {
        loop {
            let in_use: HashSet<Edition> =
                self.by_number.values().filter_map(|connection| connection.edition).collect();
            if in_use.len() <= most {
                return;
            }
            let newest = in_use.iter().max().copied();
            if !self.close_one(|connection| connection.edition.is_some() && connection.edition != newest) {
                return;
            }
        }
    }

    /// Tells a connection to close and frees its place; says whether there was one. Looks at all of them: they are a
    /// few hundred, and this costs less than the accept before it.
    fn evict(&mut self) -> bool {
        let responding = self.by_number.values().filter(|connection| connection.is_responding).count();
        let from_responding = responding > self.by_number.len() - responding;
        self.close_one(|connection| connection.is_responding == from_responding)
    }

    /// Tells one of these connections to close and frees its place: of the peer that has most of them the one that has
    /// been so for longest. Says whether there was one.
    fn close_one(&mut self, is_of_kind: impl Fn(&Connection) -> bool) -> bool {
        let of_kind = || self.by_number.iter().filter(|(_, connection)| is_of_kind(connection));
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

    /// The client has taken some of the response.
    pub(crate) fn progressed(&self) {
        if let Some(connection) = self.connections.lock().by_number.get_mut(&self.number) {
            connection.stalled_since = Some(Instant::now());
        }
    }

    /// Waiting begins, or responding. Does nothing for a connection whose place was taken away.
    fn turn(&self, is_responding: bool) {
        if let Some(connection) = self.connections.lock().by_number.get_mut(&self.number) {
            connection.is_responding = is_responding;
            connection.since = Instant::now();
            (connection.stalled_since, connection.edition) = (None, None);
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

impl Responding {
    /// There is something to take. If it is of an edition, others are told to close if there are too many of those.
    pub(crate) fn offers(&self, edition: Option<Edition>) {
        let Self(place) = self;
        place.progressed();
        let mut open = place.connections.lock();
        if let Some(connection) = open.by_number.get_mut(&place.number) {
            connection.edition = edition;
            open.limit_editions(place.connections.editions);
        }
    }
}

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
        let connections = Connections::new(3, 4);
        let [first, second, third] = [(); 3].map(|()| admit(&connections));
        drop(first.respond());
        let fourth = admit(&connections);
        assert_eq!([&first, &second, &third, &fourth].map(|place| is_closed(place)), [false, true, false, false]);
    }

    #[test]
    fn a_flood_of_clients_that_send_nothing_ends_no_running_response() {
        let connections = Connections::new(4, 4);
        let scrape = admit(&connections);
        let response = scrape.respond();
        let flood: Vec<_> = (0..100).map(|_| admit(&connections)).collect();
        assert!(!is_closed(&scrape));
        assert_eq!(flood.iter().filter(|place| !is_closed(place)).count(), 3);
        drop(response);
    }

    #[test]
    fn a_crowd_that_reads_no_response_keeps_nobody_out() {
        let connections = Connections::new(4, 4);
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
        let connections = Connections::new(4, 4);
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
        let connections = Connections::new(1, 4);
        let evicted = admit(&connections);
        let kept = admit(&connections);
        drop(evicted.respond());
        drop(evicted);
        assert!(!is_closed(&kept));
        drop(kept);
        assert!(connections.lock().by_number.is_empty());
    }

    /// So long that no test takes it.
    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn only_responses_become_overdue() {
        let connections = Connections::new(4, 4);
        let waiting = admit(&connections);
        let responding = admit(&connections);
        let response = responding.respond();
        connections.close_overdue(LONG, LONG);
        assert!(!is_closed(&responding));
        connections.close_overdue(Duration::ZERO, LONG);
        assert!(is_closed(&responding) && !is_closed(&waiting));
        drop(response);
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_of_which_nothing_is_taken_becomes_overdue_before_one_that_is_slow() {
        let connections = Connections::new(4, 4);
        let [waiting, preparing, stalled, slow] = [(); 4].map(|()| admit(&connections));
        let responses = [preparing.respond(), stalled.respond(), slow.respond()];
        responses[1..].iter().for_each(|response| response.offers(None));
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(4)).await;
            slow.progressed();
        }
        connections.close_overdue(LONG, Duration::from_secs(10));
        assert_eq!([&waiting, &preparing, &stalled, &slow].map(|place| is_closed(place)), [false, false, true, false]);
        drop(responses);
    }

    /// A response of this edition, under way.
    fn serve(connections: &Arc<Connections>, address: &str, edition: u64) -> (Arc<Place>, Responding) {
        let place = admit_from(connections, address);
        let response = place.respond();
        response.offers(Some(Edition(edition)));
        (place, response)
    }

    #[test]
    fn clients_that_read_nothing_keep_no_more_than_a_few_editions_and_take_none_from_a_slow_one() {
        let connections = Connections::new(256, 4);
        let slow = serve(&connections, "192.0.2.9", 0);
        let crowd: Vec<_> = (0..60).map(|edition| serve(&connections, "192.0.2.1", edition)).collect();
        let open: Vec<usize> = (0..60).filter(|number| !is_closed(&crowd[*number].0)).collect();
        assert_eq!(open, [57, 58, 59], "the newest ones of whoever has most");
        assert!(!is_closed(&slow.0));
    }

    #[test]
    fn any_number_of_responses_may_be_of_few_editions_and_one_that_has_ended_is_of_none() {
        let connections = Connections::new(256, 2);
        let crowd: Vec<_> = (0..40).map(|number| serve(&connections, "192.0.2.1", number % 2)).collect();
        assert!(crowd.iter().all(|(place, _)| !is_closed(place)));
        let (places, responses): (Vec<_>, Vec<_>) = crowd.into_iter().unzip();
        drop(responses);
        let newest = [2, 3].map(|edition| serve(&connections, "192.0.2.1", edition));
        assert!(places.iter().chain(newest.iter().map(|(place, _)| place)).all(|place| !is_closed(place)));
    }
}
