//! What a segment has for a search.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::row_id;
use crate::store::search::segment::{Broken, Directory, WordRange};

/// A segment, with what says where its words are.
#[derive(Debug)]
pub(super) struct IndexedSegment {
    pub(super) id: u64,
    pub(super) after: u64,
    pub(super) last: u64,
    /// A [`Directory`], as it is stored.
    pub(super) directory: Vec<u8>,
}

/// A search of one segment.
#[derive(Debug)]
pub(super) struct Lookup<'s> {
    segment: &'s IndexedSegment,
    /// For each thing that is searched for: the words that stand for it, and the numbers of the rows that have them.
    all: Vec<Vec<(&'s WordRange, Range<usize>)>>,
    /// The ids of the messages that have what was looked for up to now, in ascending order. Nothing at first.
    candidates: Option<Vec<u64>>,
}

impl<'s> Lookup<'s> {
    pub(super) fn new(segment: &'s IndexedSegment, all: &'s [Vec<WordRange>]) -> Result<Self, Broken> {
        let directory = Directory::read(&segment.directory)?;
        let place = |range| (range, directory.rows(range));
        let all = all.iter().map(|any| any.iter().map(place).collect()).collect();
        Ok(Self { segment, all, candidates: None })
    }

    /// Returns the ids of the rows that have the words for these things, if there is a message left that may have them.
    pub(super) fn rows_of(&self, things: &[usize]) -> BTreeSet<u64> {
        if self.candidates.as_ref().is_some_and(Vec::is_empty) {
            return BTreeSet::new();
        }
        let ranges = things.iter().flat_map(|thing| &self.all[*thing]);
        ranges
            .flat_map(|(_, numbers)| numbers.clone())
            .map(|number| row_id(self.segment.id, number))
            .collect()
    }

    /// Leaves only messages that have these things, too. Adds to `sizes` how many bytes the lists of each thing have.
    pub(super) fn narrow(
        &mut self,
        things: &[usize],
        rows: &HashMap<u64, Vec<u8>>,
        sizes: &mut [usize],
    ) -> Result<(), Broken> {
        if self.candidates.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let mut all = Vec::with_capacity(things.len());
        for &thing in things {
            let mut postings = Vec::new();
            for (range, numbers) in &self.all[thing] {
                for number in numbers.clone() {
                    if let Some(row) = rows.get(&row_id(self.segment.id, number)) {
                        range.find(row, &mut postings)?;
                    }
                }
            }
            let size = postings.iter().map(|posting| posting.bytes()).sum::<usize>();
            sizes[thing] += size;
            all.push((size, postings));
        }
        // The rarest comes first: there may be nothing left to compare the others with.
        all.sort_by_key(|(size, _)| *size);
        for (_, postings) in all {
            let mut ids = Vec::new();
            for posting in &postings {
                posting.read(self.segment.after, &mut ids)?;
            }
            if postings.len() > 1 {
                ids = self.in_order(ids);
            }
            let of_both = match &self.candidates {
                None => ids,
                Some(before) => intersection(before, &ids),
            };
            let is_done = of_both.is_empty();
            self.candidates = Some(of_both);
            if is_done {
                break;
            }
        }
        Ok(())
    }

    /// Returns the ids of the messages that have all that was looked for, in ascending order.
    pub(super) fn into_candidates(self) -> Vec<u64> {
        self.candidates.unwrap_or_default()
    }

    /// Sorts ids of the segment, and leaves each only once.
    fn in_order(&self, mut ids: Vec<u64>) -> Vec<u64> {
        let span =
            usize::try_from(self.segment.last.saturating_sub(self.segment.after)).unwrap_or(usize::MAX);
        // A bit for each message that there may be is quicker if many of them are there.
        if span / 64 > ids.len() {
            ids.sort_unstable();
            ids.dedup();
            return ids;
        }
        let mut is_there = vec![0_u64; span / 64 + 1];
        for id in &ids {
            let place = id.saturating_sub(self.segment.after);
            if let Some(bits) = usize::try_from(place / 64).ok().and_then(|word| is_there.get_mut(word)) {
                *bits |= 1 << (place % 64);
            }
        }
        ids.clear();
        for (first, bits) in (self.segment.after..).step_by(64).zip(is_there) {
            let mut left = bits;
            while left != 0 {
                ids.push(first + u64::from(left.trailing_zeros()));
                left &= left - 1;
            }
        }
        ids
    }
}

/// Returns what two ascending lists share.
fn intersection(a: &[u64], b: &[u64]) -> Vec<u64> {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut rest = long;
    let mut both = Vec::with_capacity(short.len());
    for id in short {
        // Most lists are about as long as one another, or one is far shorter.
        let skip = if rest.len() > 64 * short.len() {
            rest.partition_point(|other| other < id)
        } else {
            rest.iter().take_while(|other| *other < id).count()
        };
        rest = &rest[skip..];
        if rest.first() == Some(id) {
            both.push(*id);
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_however_many_they_are() {
        let segment = IndexedSegment { id: 1, after: 1000, last: 3000, directory: Vec::new() };
        let lookup = Lookup::new(&segment, &[]).unwrap();
        for ids in [vec![1001, 3000, 1064, 1065, 1001], (1001..=3000).rev().chain(1500..1600).collect()] {
            let mut sorted = ids.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(lookup.in_order(ids), sorted);
        }
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
