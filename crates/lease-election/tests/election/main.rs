//! Several replicas and one API server, with pauses, partitions, clocks that differ, lost requests, lost responses and
//! writes that arrive late: never two holders, and never nobody who acts for long.

mod scenarios;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{Network, World};

/// Something that happens; then time passes.
#[derive(Clone, Debug)]
enum Step {
    /// A replica stands still for a while.
    Pause(usize, Duration),
    /// A replica's way to the API server changes.
    Network(usize, Network),
    /// All ways change.
    NetworkOfAll(Network),
    /// A replica is killed, and another starts in its place.
    Replace(usize),
    /// A replica ends in order, and another starts in its place.
    Terminate(usize),
    /// A replica's wall clock is set.
    SetClock(usize, i64),
    /// Somebody touches the Lease, and changes nothing that it says.
    Touch,
    Nothing,
}

fn networks() -> impl Strategy<Value = Network> {
    prop_oneof![
        4 => Just(Network::GOOD),
        2 => Just(Network::CUT),
        1 => Just(Network::REFUSED),
        1 => Just(Network::FORBIDDEN_WRITES),
        1 => Just(Network::UNHEARD_WRITES),
        3 => (0.0..0.6, 0.0..0.6, 0.0..0.4).prop_map(|(lost, unheard, late)| Network { lost, unheard, late, ..Network::GOOD }),
        1 => select(vec![900, 2_500, 4_900]).prop_map(|millis| Network { millis, ..Network::GOOD }),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let replica = || 0_usize..4;
    prop_oneof![
        3 => (replica(), select(vec![3, 9, 11, 14, 16, 40, 400]).prop_map(Duration::from_secs)).prop_map(|(who, time)| Step::Pause(who, time)),
        4 => (replica(), networks()).prop_map(|(who, network)| Step::Network(who, network)),
        2 => networks().prop_map(Step::NetworkOfAll),
        1 => replica().prop_map(Step::Replace),
        2 => replica().prop_map(Step::Terminate),
        1 => (replica(), -4_000_000_i64..4_000_000).prop_map(|(who, seconds)| Step::SetClock(who, seconds)),
        1 => Just(Step::Touch),
        1 => Just(Step::Nothing),
    ]
}

#[derive(Clone, Debug)]
struct Story {
    /// How fast each replica's clock runs.
    rates: Vec<f64>,
    steps: Vec<(Step, Duration)>,
    seed: u64,
}

fn stories() -> impl Strategy<Value = Story> {
    // The fastest is less than 1.5 times as fast as the slowest.
    let rates = prop::collection::vec(0.82_f64..1.2, 1..5);
    let times = select(vec![0, 300, 2_000, 7_000, 12_000, 16_000, 30_000, 90_000]).prop_map(Duration::from_millis);
    (rates, prop::collection::vec((steps(), times), 1..25), any::<u64>()).prop_map(|(rates, steps, seed)| Story {
        rates,
        steps,
        seed,
    })
}

fn live(story: &Story) -> World {
    let mut world = World::new(&story.rates, story.seed);
    for (step, time) in &story.steps {
        let replicas = story.rates.len();
        match step {
            Step::Pause(who, time) => world.pause(who % replicas, *time),
            Step::Network(who, network) => world.set_network(who % replicas, *network),
            Step::NetworkOfAll(network) => (0..replicas).for_each(|who| world.set_network(who, *network)),
            Step::Replace(who) => world.replace(who % replicas),
            Step::Terminate(who) => world.terminate(who % replicas),
            Step::SetClock(who, seconds) => world.set_clock(who % replicas, *seconds),
            Step::Touch => world.touch(),
            Step::Nothing => {}
        }
        world.pass(*time);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128.max(ProptestConfig::default().cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// [`World::pass`] checks at every moment that no two hold the Lease, and that somebody acts unless things have just
    /// changed.
    #[test]
    fn there_are_never_two_holders_and_somebody_acts_within_bounded_time(story in stories()) {
        let mut world = live(&story);
        world.calm();
        world.pass(Duration::from_secs(200));
        let holder = world.holder();
        prop_assert!(holder.is_some(), "calm, and nobody holds the Lease");
        let transitions = world.transitions();
        world.pass(Duration::from_secs(200));
        prop_assert_eq!((world.holder(), world.transitions()), (holder, transitions), "calm, and it passes on");
        prop_assert!(!world.is_anyone_unsure());
    }
}
