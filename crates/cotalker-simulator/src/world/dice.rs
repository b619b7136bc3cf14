//! Chance that is the same for the same seed.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// A stream of chance of its own, so that what draws from it depends on nothing but its seed.
#[derive(Debug)]
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A number in this range, both ends included.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        if from >= to { from } else { self.0.random_range(from..=to) }
    }

    /// Whether something of this probability (0 to 1) happens now.
    pub(crate) fn happens(&mut self, share: f64) -> bool {
        self.0.random::<f64>() < share
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0.random()
    }
}

/// Scrambles a number: the output function of SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
