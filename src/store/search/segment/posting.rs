//! The messages of a segment that have a word, as they are stored.
//!
//! A message's number is its id less the id that the segment begins after. Stored is a list of how far each number is from
//! the one before it, or a bit for each number, whichever is smaller. A word of each second message takes two bits per
//! message instead of a byte.

use super::bytes::{Broken, Reader, write_number};

/// Stored bits begin with it. No list does: its first number is above zero.
const BITS: u8 = 0;

/// The messages that have a word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting<'r>(&'r [u8]);

impl<'r> Posting<'r> {
    pub(super) fn new(bytes: &'r [u8]) -> Self {
        Self(bytes)
    }

    /// How much there is to read.
    pub(crate) fn bytes(self) -> usize {
        self.0.len()
    }

    /// Adds the numbers of a list, which ascend.
    pub(super) fn read_list(self, numbers: &mut Vec<u64>) -> Result<(), Broken> {
        numbers.reserve(self.0.len());
        let (mut number, mut delta, mut shift) = (0_u64, 0, 0);
        for byte in self.0 {
            delta |= u64::from(byte & 0x7f).checked_shl(shift).ok_or(Broken)?;
            if *byte < 0x80 {
                number = number.saturating_add(delta);
                numbers.push(number);
                (delta, shift) = (0, 0);
            } else {
                shift += 7;
            }
        }
        if shift == 0 { Ok(()) } else { Err(Broken) }
    }

    /// Returns the bits, if it is stored as such.
    pub(super) fn bits(self) -> Result<Option<Bits>, Broken> {
        let Some(bytes) = self.0.strip_prefix(&[BITS]) else { return Ok(None) };
        let mut reader = Reader(bytes);
        let first = reader.number()?;
        let (words, []) = reader.0.as_chunks() else { return Err(Broken) };
        let end = first.checked_add(words.len() as u64).ok_or(Broken)?;
        end.checked_mul(64).ok_or(Broken)?;
        Ok(Some(Bits { first, words: words.iter().map(|word| u64::from_le_bytes(*word)).collect() }))
    }
}

/// Returns what is stored for a list whose highest number this is: the list, or bits if they are smaller.
pub(super) fn smallest(list: Vec<u8>, highest: u64) -> Vec<u8> {
    let bits_of = |list: &[u8]| {
        let (first, end) = (Reader(list).number().ok()? / 64, highest / 64 + 1);
        if end.checked_sub(first)?.saturating_mul(8) >= list.len() as u64 {
            return None;
        }
        let mut numbers = Vec::new();
        Posting(list).read_list(&mut numbers).ok()?;
        let bits = Bits::of(&numbers, first, end)?;
        let mut bytes = vec![BITS];
        write_number(&mut bytes, bits.first);
        bytes.extend(bits.words.iter().flat_map(|word| word.to_le_bytes()));
        Some(bytes)
    };
    match bits_of(&list) {
        Some(bits) if bits.len() < list.len() => bits,
        _ => list,
    }
}

/// A bit for each number of a part of a segment.
#[derive(Clone, Debug)]
pub(crate) struct Bits {
    /// How many words of 64 bits are left out before them, because no bit is set there.
    pub(super) first: u64,
    pub(super) words: Vec<u64>,
}

impl Bits {
    /// Sets the bits of these numbers, from the word `first` on up to the word `end`. Nothing if a number is not among them.
    pub(super) fn of(numbers: &[u64], first: u64, end: u64) -> Option<Self> {
        let count = usize::try_from(end.checked_sub(first)?).ok()?;
        let mut bits = Self { first, words: vec![0; count] };
        for number in numbers {
            let index = bits.index(number / 64)?;
            *bits.words.get_mut(index)? |= 1 << (number % 64);
        }
        Some(bits)
    }

    pub(super) fn end(&self) -> u64 {
        self.first + self.words.len() as u64
    }

    pub(super) fn word(&self, place: u64) -> u64 {
        self.index(place).and_then(|index| self.words.get(index)).copied().unwrap_or(0)
    }

    fn index(&self, place: u64) -> Option<usize> {
        usize::try_from(place.checked_sub(self.first)?).ok()
    }

    /// Sets the bits of others. Their words must be among these.
    pub(super) fn join(&mut self, other: &Self) {
        if let Some(index) = self.index(other.first) {
            self.words.iter_mut().skip(index).zip(&other.words).for_each(|(word, other)| *word |= other);
        }
    }

    /// Leaves the bits that are set in others, too.
    pub(super) fn meet(&mut self, other: &Self) {
        for (place, word) in (self.first..).zip(&mut self.words) {
            *word &= other.word(place);
        }
    }

    pub(super) fn add_to(&self, numbers: &mut Vec<u64>) {
        for (place, word) in (self.first..).zip(&self.words) {
            let mut left = *word;
            while left != 0 {
                numbers.push(place * 64 + u64::from(left.trailing_zeros()));
                left &= left - 1;
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Returns numbers as they are stored.
    pub(in super::super) fn stored(numbers: &BTreeSet<u64>) -> Vec<u8> {
        let (mut list, mut before) = (Vec::new(), 0);
        for number in numbers {
            write_number(&mut list, number - before);
            before = *number;
        }
        smallest(list, before)
    }

    fn read(bytes: &[u8]) -> BTreeSet<u64> {
        let mut numbers = Vec::new();
        match Posting(bytes).bits().unwrap() {
            Some(bits) => bits.add_to(&mut numbers),
            None => Posting(bytes).read_list(&mut numbers).unwrap(),
        }
        numbers.into_iter().collect()
    }

    #[test]
    fn the_smaller_form_is_stored() {
        for (numbers, most) in [
            ((1..=64_000).collect::<BTreeSet<u64>>(), 8010),
            ((1..=64_000).step_by(7).collect(), 8010),
            // A byte for each of them is smaller.
            ((1..=64_000).step_by(9).collect(), 7112),
            ((1 << 50..(1 << 50) + 1000).collect(), 150),
            ([1, 1 << 60].into(), 10),
            ([7].into(), 1),
        ] {
            let bytes = stored(&numbers);
            assert!(bytes.len() <= most, "{} bytes for {} messages", bytes.len(), numbers.len());
            assert_eq!(read(&bytes), numbers);
        }
    }

    #[test]
    fn a_posting_that_is_broken_is_an_error() {
        let bits = stored(&(1..1000).collect());
        assert_eq!(bits[0], BITS);
        assert!(Posting(&bits[..bits.len() - 1]).bits().is_err());
        // More numbers than there are.
        let first = [&[BITS][..], &[0xff; 9], &[1], &[1; 8]].concat();
        assert!(Posting(&first).bits().is_err());
        for broken in [&[1, 0x80][..], &[0xff; 40]] {
            assert!(Posting(broken).read_list(&mut Vec::new()).is_err());
        }
    }
}
