//! Numbers and words in a row of a segment.
//!
//! A number has seven bits in each byte, the lowest first; the highest bit says that more follow. A word is how many
//! bytes it shares with the one before it, how many follow, and those.

/// A row does not hold what it should.
#[derive(Debug, thiserror::Error)]
#[error("a row of the search index is broken")]
pub(crate) struct Broken;

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'r>(pub(super) &'r [u8]);

impl<'r> Reader<'r> {
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn number(&mut self) -> Result<u64, Broken> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = *self.0.split_off_first().ok_or(Broken)?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Broken)
    }

    pub(super) fn length(&mut self) -> Result<usize, Broken> {
        usize::try_from(self.number()?).map_err(|_| Broken)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'r [u8], Broken> {
        self.0.split_off(..length).ok_or(Broken)
    }

    /// Reads a word in place of the one before it.
    pub(super) fn word(&mut self, word: &mut Vec<u8>) -> Result<(), Broken> {
        let shared = self.length()?;
        let rest = self.length()?;
        if shared > word.len() {
            return Err(Broken);
        }
        word.truncate(shared);
        word.extend_from_slice(self.take(rest)?);
        Ok(())
    }
}

pub(super) fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(0x80 | low_bits(number));
        number >>= 7;
    }
    bytes.push(low_bits(number));
}

fn low_bits(number: u64) -> u8 {
    number.to_le_bytes()[0] & 0x7f
}

/// Writes a word after another one.
pub(super) fn write_word(bytes: &mut Vec<u8>, before: &[u8], word: &[u8]) {
    let shared = before.iter().zip(word).take_while(|(a, b)| a == b).count();
    write_number(bytes, shared as u64);
    write_number(bytes, (word.len() - shared) as u64);
    bytes.extend_from_slice(&word[shared..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            let mut reader = Reader(&bytes);
            assert_eq!(reader.number().unwrap(), number);
            assert!(reader.is_at_end());
        }
        assert!(Reader(&[0x80; 11]).number().is_err());
        assert!(Reader(&[]).number().is_err());
    }

    #[test]
    fn words_read_back() {
        let words: [&[u8]; 4] = [b"disk", b"disks", b"", b"e"];
        let (mut bytes, mut before) = (Vec::new(), &[][..]);
        for word in words {
            write_word(&mut bytes, before, word);
            before = word;
        }
        let (mut reader, mut word) = (Reader(&bytes), Vec::new());
        for expected in words {
            reader.word(&mut word).unwrap();
            assert_eq!(word, expected);
        }
        assert!(Reader(&[1, 0]).word(&mut Vec::new()).is_err(), "it shares more than there is");
    }
}
