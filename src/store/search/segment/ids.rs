//! Which of a segment's messages have something: as a search joins it.
//!
//! The numbers are those of [`Posting`]. Where many messages have something there is a bit for each number, so that 64 of
//! them are compared at once.

use super::bytes::Broken;
use super::posting::{Bits, Posting};

/// Numbers of a segment's messages, in ascending order.
#[derive(Debug)]
pub(crate) enum Ids {
    List(Vec<u64>),
    Bits(Bits),
}

impl Ids {
    /// Returns the messages that have one or more of the words.
    pub(crate) fn of_any(postings: &[Posting<'_>]) -> Result<Self, Broken> {
        let (mut list, mut all_bits) = (Vec::new(), Vec::new());
        for posting in postings {
            match posting.bits()? {
                Some(bits) => all_bits.push(bits),
                None => posting.read_list(&mut list)?,
            }
        }
        if postings.len() == 1 {
            return Ok(all_bits.pop().map_or(Self::List(list), Self::Bits));
        }
        let words = all_bits.iter().map(|bits| bits.words.len()).sum::<usize>();
        let firsts = all_bits.iter().map(|bits| bits.first).chain(list.iter().map(|number| number / 64));
        let ends = all_bits.iter().map(Bits::end).chain(list.iter().map(|number| number / 64 + 1));
        let (first, end) = (firsts.min().unwrap_or(0), ends.max().unwrap_or(0));
        if end - first > (words + list.len()) as u64 {
            // They are too far from one another for a bit each.
            for bits in &all_bits {
                bits.add_to(&mut list);
            }
            list.sort_unstable();
            list.dedup();
            return Ok(Self::List(list));
        }
        let mut any = Bits::of(&list, first, end).ok_or(Broken)?;
        for bits in &all_bits {
            any.join(bits);
        }
        Ok(Self::Bits(any))
    }

    /// Leaves those that others have, too.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::List(a), Self::List(b)) => Self::List(intersection(&a, &b)),
            (Self::List(mut list), Self::Bits(bits)) | (Self::Bits(bits), Self::List(mut list)) => {
                list.retain(|number| bits.word(number / 64) & (1 << (number % 64)) != 0);
                Self::List(list)
            }
            (Self::Bits(mut a), Self::Bits(b)) => {
                a.meet(&b);
                Self::Bits(a)
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::List(list) => list.is_empty(),
            Self::Bits(bits) => bits.words.iter().all(|word| *word == 0),
        }
    }

    /// Returns the ids, of a segment of ids above this one.
    pub(crate) fn above(self, after: u64) -> Vec<u64> {
        let mut ids = match self {
            Self::List(list) => list,
            Self::Bits(bits) => {
                let mut list = Vec::new();
                bits.add_to(&mut list);
                list
            }
        };
        for id in &mut ids {
            *id = id.saturating_add(after);
        }
        ids
    }
}

/// Returns what two ascending lists share.
fn intersection(a: &[u64], b: &[u64]) -> Vec<u64> {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut rest = long;
    let mut both = Vec::with_capacity(short.len());
    for number in short {
        // Most lists are about as long as one another, or one is far shorter.
        let skip = if rest.len() > 64 * short.len() {
            rest.partition_point(|other| other < number)
        } else {
            rest.iter().take_while(|other| *other < number).count()
        };
        rest = &rest[skip..];
        if rest.first() == Some(number) {
            both.push(*number);
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::posting::tests::stored;
    use super::*;

    /// Numbers that are close to one another, or far apart, or both.
    fn numbers() -> impl Strategy<Value = BTreeSet<u64>> {
        let far = prop::collection::btree_set(1..1_000_000_u64, 0..20);
        let close = (1..100_000_u64, 1..5_u64, 0..2000_u64);
        (far, close).prop_map(|(mut numbers, (first, step, count))| {
            numbers.extend((0..count).map(|number| first + number * step));
            numbers
        })
    }

    proptest! {
        #[test]
        fn numbers_are_joined_as_sets_are(any in prop::collection::vec(numbers(), 0..4), other in numbers()) {
            let all: Vec<_> = any.iter().map(stored).collect();
            let postings: Vec<_> = all.iter().map(|bytes| Posting::new(bytes)).collect();
            let expected: BTreeSet<_> = any.into_iter().flatten().collect();
            let found = Ids::of_any(&postings).unwrap();
            prop_assert_eq!(found.is_empty(), expected.is_empty());
            let with = stored(&other);
            let both = found.and(Ids::of_any(&[Posting::new(&with)]).unwrap());
            let expected: Vec<_> = (&expected & &other).iter().map(|number| number + 1000).collect();
            prop_assert_eq!(both.is_empty(), expected.is_empty());
            prop_assert_eq!(both.above(1000), expected);
        }
    }

    #[test]
    fn words_that_are_common_and_far_apart_are_joined_in_little_memory() {
        let (early, late) = ((1..2000).collect(), (1 << 40..(1 << 40) + 2000).collect());
        let (early, late) = (stored(&early), stored(&late));
        let both = Ids::of_any(&[Posting::new(&early), Posting::new(&late)]).unwrap();
        assert!(matches!(both, Ids::List(list) if list.len() == 3999));
    }

    #[test]
    fn lists_of_any_length_are_joined() {
        let all: Vec<u64> = (0..1000).collect();
        let every = |step| (0..1000).step_by(step).collect::<Vec<u64>>();
        for (a, b, both) in [
            (every(2), every(3), every(6)),
            (every(1), all.clone(), all.clone()),
            (vec![999], all.clone(), vec![999]),
            (vec![0, 500, 2000], all.clone(), vec![0, 500]),
            (Vec::new(), all, Vec::new()),
        ] {
            assert_eq!(intersection(&a, &b), both);
            assert_eq!(intersection(&b, &a), both);
        }
    }
}
