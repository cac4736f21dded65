//! Random bytes for keys, nonces and API keys, always from the operating system.

use rand::rand_core::UnwrapErr;
use rand::{Rng, rngs::SysRng};

/// Fills `bytes` from the operating system's generator.
///
/// No generator of our own stands between: nothing to reseed after a fork, no state in memory from
/// which later nonces could be computed.
///
/// # Panics
/// When the operating system has no randomness to give (a kernel without `getrandom`, or a seccomp
/// filter that forbids it). Going on with predictable keys would be worse.
pub(super) fn fill(bytes: &mut [u8]) {
    UnwrapErr(SysRng).fill_bytes(bytes);
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_fills_differ() {
        let (mut one, mut two) = ([0; 32], [0; 32]);
        super::fill(&mut one);
        super::fill(&mut two);
        assert_ne!(one, two);
        assert_ne!(one, [0; 32]);
    }
}
