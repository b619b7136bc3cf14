//! What does not compress, for tests.

/// A million bytes of a linear congruential generator: many steps of any output, always the same.
pub(super) fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(1_000_000).collect()
}
