//! Spending the time of a check on no password in particular, so that the time tells nothing.

use std::hint::black_box;

/// The least cost that bcrypt takes.
pub(super) const MIN_COST: u32 = 4;

/// The greatest.
pub(super) const MAX_COST: u32 = 31;

/// Salt and digest of no password in particular.
const DECOY: &str = "2UqO9DfkwX1OJ7PFnAmqEeT4x0mRhPn9r1gKcZ5uL7sWvYb3QdG6i";

/// Spends what is missing to a check of the cost `total`, after one of the cost `spent`, or none.
pub(super) fn spend(password: &str, spent: Option<u32>, total: u32) {
    for cost in missing(spent, total) {
        black_box(bcrypt::verify(password, &decoy(cost)).unwrap_or(false));
    }
}

/// Returns the costs of the checks that are missing. The time doubles with each step, so that those of the costs
/// `spent` to `total - 1` take as long as what is missing after one of `spent`.
fn missing(spent: Option<u32>, total: u32) -> std::ops::Range<u32> {
    match spent {
        Some(spent) => spent..total,
        None => total..total + 1,
    }
}

fn decoy(cost: u32) -> String {
    format!("$2b${cost:02}${DECOY}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If the decoy were malformed, bcrypt would refuse it at once, and the time would tell who exists.
    #[test]
    fn a_decoy_is_a_real_hash() {
        for cost in [4, 5] {
            assert!(matches!(bcrypt::verify("anything", &decoy(cost)), Ok(false)));
            assert_eq!(decoy(cost).parse::<bcrypt::HashParts>().unwrap().get_cost(), cost);
        }
    }

    #[test]
    fn every_refusal_takes_the_same_number_of_rounds() {
        let rounds = |cost: u32| 1_u64 << cost;
        for stored in [None, Some(4), Some(9), Some(10), Some(12)] {
            let spent = stored.map_or(0, rounds);
            let added: u64 = missing(stored, 12).map(rounds).sum();
            assert_eq!(spent + added, rounds(12), "{stored:?}");
        }
    }
}
