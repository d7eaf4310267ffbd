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
    pub(super) directory: Directory,
}

/// A search of one segment.
#[derive(Debug)]
pub(super) struct Lookup<'s> {
    segment: &'s IndexedSegment,
    /// For each thing that is searched for: the words that stand for it, and the numbers of the rows that have them.
    all: Vec<Vec<(&'s WordRange, Range<usize>)>>,
    /// The ids of all these rows.
    pub(super) rows: BTreeSet<u64>,
}

impl<'s> Lookup<'s> {
    pub(super) fn new(segment: &'s IndexedSegment, all: &'s [Vec<WordRange>]) -> Self {
        let place = |range| (range, segment.directory.rows(range));
        let all: Vec<Vec<_>> = all.iter().map(|any| any.iter().map(place).collect()).collect();
        let numbers = all.iter().flatten().flat_map(|(_, rows)| rows.clone());
        let rows = numbers.map(|number| row_id(segment.id, number)).collect();
        Self { segment, all, rows }
    }

    /// Returns the ids of the messages that have all that is searched for, in ascending order.
    pub(super) fn candidates(&self, rows: &HashMap<u64, Vec<u8>>) -> Result<Vec<u64>, Broken> {
        let mut candidates: Option<Vec<u64>> = None;
        for any in &self.all {
            let mut ids = Vec::new();
            for (range, numbers) in any {
                for number in numbers.clone() {
                    if let Some(row) = rows.get(&row_id(self.segment.id, number)) {
                        range.read(row, self.segment.after, &mut ids)?;
                    }
                }
            }
            if !ids.is_sorted() {
                ids.sort_unstable();
            }
            ids.dedup();
            let of_both = match candidates {
                None => ids,
                Some(before) => intersection(&before, &ids),
            };
            if of_both.is_empty() {
                return Ok(of_both);
            }
            candidates = Some(of_both);
        }
        Ok(candidates.unwrap_or_default())
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
