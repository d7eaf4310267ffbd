//! What a segment has for a search.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::row_id;
use crate::store::search::segment::{Broken, Directory, Ids, WordRange};

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
    /// The messages that have what was looked for up to now. Nothing at first.
    candidates: Option<Ids>,
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
        if self.candidates.as_ref().is_some_and(Ids::is_empty) {
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
        if self.candidates.as_ref().is_some_and(Ids::is_empty) {
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
            let ids = Ids::of_any(&postings)?;
            let of_both = match self.candidates.take() {
                None => ids,
                Some(before) => before.and(ids),
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
        self.candidates.map(|ids| ids.above(self.segment.after)).unwrap_or_default()
    }
}
