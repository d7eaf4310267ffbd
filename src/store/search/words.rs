//! The words of a text, in the form in which they are compared: small letters without accents.

use std::iter;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A longer word counts as its beginning, in bytes.
pub(super) const LONGEST_WORD: usize = 64;

/// Calls for each word of a text, with what follows on it. A word is letters and digits, and anything else separates
/// words. Each Chinese or Japanese character is a word, since nothing separates words there.
pub(super) fn for_each_word(text: &str, mut found: impl FnMut(&str, Option<char>)) {
    let mut word = Word(String::new());
    for character in text.chars() {
        if character.is_ascii() {
            if character.is_ascii_alphanumeric() {
                word.push(character.to_ascii_lowercase());
            } else {
                word.end(Some(character), &mut found);
            }
            continue;
        }
        // Compatibility forms too: `ﬁ` is two letters, and a wide digit is a digit.
        for part in iter::once(character).nfkd().filter(|part| !is_accent(*part)) {
            if is_ideograph(part) {
                word.end(None, &mut found);
                word.push(part);
                word.end(None, &mut found);
            } else if part.is_alphanumeric() || is_combining_mark(part) {
                // By way of the capitals: `ß` has none of its own, and `ς` and `σ` have the same one.
                part.to_uppercase().flat_map(char::to_lowercase).for_each(|letter| word.push(letter));
            } else {
                word.end(Some(part), &mut found);
            }
        }
    }
    word.end(None, &mut found);
}

/// The word that is being read.
struct Word(String);

impl Word {
    fn push(&mut self, character: char) {
        if self.0.len() + character.len_utf8() <= LONGEST_WORD {
            self.0.push(character);
        }
    }

    fn end(&mut self, follows: Option<char>, found: &mut impl FnMut(&str, Option<char>)) {
        if !self.0.is_empty() {
            found(&self.0, follows);
            self.0.clear();
        }
    }
}

/// Whether a mark may be left out: the accents of Latin, Greek and Cyrillic letters, the points of Hebrew and Arabic,
/// and what voices a Japanese syllable. Marks of other scripts are letters.
fn is_accent(mark: char) -> bool {
    matches!(mark,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{487}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}')
}

/// Whether a character is one of those that are written without spaces between words.
fn is_ideograph(character: char) -> bool {
    matches!(character,
        '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
        && character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        for_each_word(text, |word, _| words.push(word.to_owned()));
        words
    }

    #[test]
    fn whatever_is_no_letter_and_no_digit_separates_words() {
        assert_eq!(words("Disk_full: /dev/sda1 (99%)\n"), ["disk", "full", "dev", "sda1", "99"]);
        assert_eq!(words("a\u{a0}b\u{2014}c\0d🦀e"), ["a", "b", "c", "d", "e"]);
        assert!(words(" …!? ").is_empty());
    }

    #[test]
    fn case_and_accents_do_not_matter() {
        for (written, compared) in [
            ("CAFÉ", "cafe"),
            ("cafe\u{301}", "cafe"),
            ("Straße", "strasse"),
            ("STRASSE", "strasse"),
            ("ΟΔΟΣ", "οδοσ"),
            ("οδός", "οδοσ"),
            ("İstanbul", "istanbul"),
            ("ﬁle", "file"),
            ("１２", "12"),
            ("Ёлка", "елка"),
        ] {
            assert_eq!(words(written), [compared], "{written}");
        }
    }

    #[test]
    fn marks_that_are_letters_stay() {
        assert_ne!(words("कि"), words("कु"));
        assert_eq!(words("हिन्दी").len(), 1);
    }

    #[test]
    fn characters_without_spaces_between_words_are_words() {
        assert_eq!(words("磁盘full已满"), ["磁", "盘", "full", "已", "满"]);
        assert_eq!(words("ディスク"), ["テ", "ィ", "ス", "ク"]);
    }

    #[test]
    fn a_long_word_counts_as_its_beginning() {
        assert_eq!(words(&"x".repeat(1000)), ["x".repeat(LONGEST_WORD)]);
        let long = words(&"я".repeat(1000));
        assert_eq!((long.len(), long[0].len()), (1, LONGEST_WORD));
    }

    #[test]
    fn what_follows_on_a_word_is_told() {
        let mut found = Vec::new();
        for_each_word("disk* full", |word, follows| found.push((word.to_owned(), follows)));
        assert_eq!(found, [("disk".to_owned(), Some('*')), ("full".to_owned(), None)]);
    }
}
