//! Which segments become one.
//!
//! Each segment costs a search some rows, so many small ones become a larger one. A message is indexed three times in
//! all: in a small segment, in one of sixteen times its size, and in a large one.

use std::ops::Range;

/// So many segments of a size become one.
const MERGED: usize = 16;

/// From how many messages or bytes on a segment is no longer small, and from how many on it stays as it is.
const SIZES: [Extent; 2] =
    [Extent { messages: 1024, bytes: 256 * 1024 }, Extent { messages: 16_384, bytes: 1024 * 1024 }];

/// What a segment is merged by. One that could take no more messages must be of the last size: it can't become part of a
/// larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Extent {
    fn size(self) -> usize {
        let is_reached = |size: &&Self| self.messages >= size.messages || self.bytes >= size.bytes;
        SIZES.iter().filter(is_reached).count()
    }
}

/// Returns which of a user's segments become one, if any do; they follow on one another.
pub(crate) fn to_merge(segments: &[Extent]) -> Option<Range<usize>> {
    (0..SIZES.len()).find_map(|size| {
        let mut windows = segments.windows(MERGED);
        let first = windows.position(|window| window.iter().all(|segment| segment.size() == size))?;
        Some(first..first + MERGED)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds messages in small parts, and merges as long as there is something to merge.
    fn grown(parts: usize, of: Extent) -> (Vec<Extent>, u64) {
        let (mut segments, mut indexed) = (Vec::new(), 0);
        for _ in 0..parts {
            segments.push(of);
            indexed += of.messages;
            while let Some(range) = to_merge(&segments) {
                let sum = |of: fn(&Extent) -> u64| segments[range.clone()].iter().map(of).sum();
                let merged = Extent { messages: sum(|s| s.messages), bytes: sum(|s| s.bytes) };
                indexed += merged.messages;
                segments.splice(range, [merged]);
            }
        }
        (segments, indexed)
    }

    #[test]
    fn a_million_messages_are_in_few_segments_and_are_indexed_three_times_at_most() {
        let (segments, indexed) = grown(1_000_000 / 128, Extent { messages: 128, bytes: 8000 });
        assert!(segments.len() < 80, "{} segments", segments.len());
        assert!(indexed <= 3_000_000, "{indexed}");
    }

    #[test]
    fn segments_of_messages_with_many_words_are_few_for_their_bytes() {
        let (segments, indexed) = grown(1000, Extent { messages: 128, bytes: 500_000 });
        assert!(segments.len() < 80, "{} segments", segments.len());
        assert!(indexed <= 3 * 128_000, "{indexed}");
        let (segments, indexed) = grown(1000, Extent { messages: 128, bytes: 1_500_000 });
        assert_eq!((segments.len(), indexed), (1000, 128_000));
    }
}
