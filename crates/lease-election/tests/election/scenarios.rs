//! What happens to a Lease, told one by one.

use std::time::Duration;

use lease_election::{CLIENT_GO, Call, Election, Now, Outcome, Standing};

use crate::world::{Network, World};

const SECOND: Duration = Duration::from_secs(1);

fn three() -> World {
    let mut world = World::new(&[1.0, 1.0, 1.0], 1);
    world.pass(SECOND * 30);
    world
}

#[test]
fn of_three_replicas_that_start_one_takes_the_lease_within_a_second() {
    let mut world = World::new(&[1.0, 1.0, 1.0], 1);
    world.pass(SECOND);
    assert!(world.holder().is_some());
    assert_eq!(world.transitions(), Some(0));
}

#[test]
fn the_lease_of_a_replica_that_was_killed_passes_on_once_it_has_run_out() {
    let mut world = three();
    let killed = world.holder().expect("a holder");
    world.replace(killed);
    world.pass(SECOND * 12);
    assert_eq!(world.holder(), None, "it may still run");
    world.pass(SECOND * 4);
    assert!(world.holder().is_some());
    assert_eq!(world.transitions(), Some(1));
}

#[test]
fn a_lease_that_is_given_back_passes_on_with_the_next_read() {
    let mut world = three();
    let ends = world.holder().expect("a holder");
    world.terminate(ends);
    world.pass(SECOND * 5);
    // Of those that are there, or by the one that has started in its place.
    assert!(world.holder().is_some());
    assert_eq!(world.transitions(), Some(1));
}

#[test]
fn a_holder_that_was_paused_holds_nothing_when_it_goes_on() {
    let mut world = three();
    let paused = world.holder().expect("a holder");
    world.pause(paused, SECOND * 60);
    world.pass(SECOND * 59);
    let next = world.holder().expect("another holder");
    assert_ne!(next, paused);
    assert_eq!(world.standing(paused), Standing::Checking);
    world.pass(SECOND * 10);
    assert_eq!((world.standing(paused), world.holder()), (Standing::Standby, Some(next)));
}

#[test]
fn a_holder_that_is_cut_off_stops_first_and_then_acts_because_it_cannot_know() {
    let mut world = three();
    let cut_off = world.holder().expect("a holder");
    world.set_network(cut_off, Network::CUT);
    world.pass(SECOND * 40);
    assert!(world.holder().is_some_and(|holder| holder != cut_off));
    assert!(matches!(world.standing(cut_off), Standing::Unsure { .. }));
    world.set_network(cut_off, Network::GOOD);
    world.pass(SECOND * 10);
    assert_eq!(world.standing(cut_off), Standing::Standby);
}

#[test]
fn without_an_api_server_all_act_and_with_it_again_one_does() {
    let mut world = three();
    (0..3).for_each(|who| world.set_network(who, Network::REFUSED));
    world.pass(SECOND * 20);
    assert!((0..3).all(|who| world.standing(who).leads()));
    world.calm();
    world.pass(SECOND * 30);
    assert_eq!((0..3).filter(|who| world.standing(*who).leads()).count(), 1);
}

#[test]
fn replicas_that_may_read_and_not_write_all_act_once_the_lease_has_run_out() {
    let mut world = three();
    (0..3).for_each(|who| world.set_network(who, Network::FORBIDDEN_WRITES));
    world.pass(SECOND * 60);
    assert!((0..3).all(|who| world.standing(who).leads()));
}

#[test]
fn a_holder_whose_renewals_work_but_are_never_heard_of_acts_all_the_same() {
    let mut world = three();
    let holder = world.holder().expect("a holder");
    world.set_network(holder, Network::UNHEARD_WRITES);
    world.pass(SECOND * 120);
    assert!(matches!(world.standing(holder), Standing::Unsure { .. }));
    assert_eq!((0..3).filter(|who| world.standing(*who).leads()).count(), 1, "the Lease has not run out");
}

fn at(seconds: u64) -> Now {
    Now { uptime: SECOND * u32::try_from(seconds).expect("few"), wall_micros: 1_000_000 }
}

#[test]
fn a_write_whose_response_was_lost_is_found_by_a_read_and_is_worth_nothing_before_the_next_one() {
    let mut election = Election::new("me".into(), CLIENT_GO, at(0));
    assert_eq!(election.advance(at(0), 0.0), Some(Call::Read));
    election.ended(Outcome::Absent, at(0));
    let Some(Call::Create(wanted)) = election.advance(at(0), 0.0) else { panic!("it does not take what is free") };
    election.ended(Outcome::Failed, at(5));
    assert_eq!(election.advance(at(5), 0.0), Some(Call::Read));
    let written = lease_election::Record {
        version: "7".into(),
        holder: Some(wanted.holder),
        duration: Some(wanted.duration),
        acquired_at: Some(wanted.acquired_at),
        renewed_at: Some(wanted.renewed_at),
        transitions: wanted.transitions,
    };
    election.ended(Outcome::Found(written.clone()), at(5));
    assert_eq!(election.standing(), Standing::Standby);
    let Some(Call::Update { version, wanted }) = election.advance(at(5), 0.0) else { panic!("it does not renew") };
    assert_eq!((version.as_str(), wanted.transitions, Some(wanted.acquired_at)), ("7", 0, written.acquired_at));
    // The clock stands still, and it is a change all the same.
    assert!(Some(wanted.renewed_at) > written.renewed_at);
    election.ended(Outcome::Found(lease_election::Record { version: "8".into(), ..written }), at(6));
    assert_eq!(election.standing(), Standing::Holder { until: SECOND * 15 });
}

#[test]
fn a_release_empties_the_holder_and_shortens_the_lease() {
    let mut world = World::new(&[1.0], 1);
    world.pass(SECOND * 5);
    let before = world.lease().expect("a Lease").clone();
    world.terminate(0);
    world.set_network(0, Network::GOOD);
    let mut released = None;
    while released.is_none() {
        world.pass(SECOND / 10);
        released = world.lease().filter(|lease| lease.version != before.version && lease.holder.is_none()).cloned();
        assert!(world.transitions() == before.transitions.into(), "it was taken before it was released");
    }
    assert_eq!(released.and_then(|lease| lease.duration), Some(SECOND));
}

#[test]
fn a_lease_that_is_deleted_is_not_taken_before_its_holder_must_have_stopped() {
    let mut election = Election::new("me".into(), CLIENT_GO, at(0));
    election.advance(at(0), 0.0).expect("a read");
    let other = lease_election::Record {
        version: "1".into(),
        holder: Some("other".into()),
        duration: Some(SECOND * 15),
        acquired_at: None,
        renewed_at: None,
        transitions: 4,
    };
    election.ended(Outcome::Found(other), at(0));
    for seconds in (2..15).step_by(2) {
        assert_eq!(election.advance(at(seconds), 0.0), Some(Call::Read), "{seconds}");
        election.ended(Outcome::Absent, at(seconds));
    }
    assert!(matches!(election.advance(at(15), 0.0), Some(Call::Create(_))));
}
