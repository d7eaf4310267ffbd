//! What keeps those out of a cache that come only once.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// Two bytes each, in memory that is taken when the first token comes.
const PLACES: usize = 16_384;

/// Remembers which tokens have come, by a part of their hashes. Of tokens that meet in a place it remembers the last one.
/// One in 65 535 is taken for one that has come.
#[derive(Default)]
pub(super) struct Doorkeeper {
    hasher: RandomState,
    places: OnceLock<Box<[AtomicU16]>>,
}

impl Doorkeeper {
    /// Answers whether the token has come before, and remembers it.
    pub(super) fn has_met(&self, token: &str) -> bool {
        let places = self.places.get_or_init(|| (0..PLACES).map(|_| AtomicU16::new(0)).collect());
        let [first, second, third, fourth, ..] = self.hasher.hash_one(token).to_le_bytes();
        let mark = u16::from_le_bytes([first, second]).max(1);
        let place = usize::from(u16::from_le_bytes([third, fourth])) % PLACES;
        places[place].swap(mark, Ordering::Relaxed) == mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_met_the_second_time_and_others_in_between_hardly_matter() {
        let doorkeeper = Doorkeeper::default();
        let tokens: Vec<String> = (0..100).map(|token| format!("C{token}")).collect();
        let met = |tokens: &[String]| tokens.iter().filter(|token| doorkeeper.has_met(token)).count();
        assert!(met(&tokens) <= 2);
        let others: Vec<String> = (0..PLACES / 2).map(|token| format!("D{token}")).collect();
        assert!(met(&others) <= PLACES / 1000);
        assert!((40..=80).contains(&met(&tokens)), "some places were taken by others");
    }
}
