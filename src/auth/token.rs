//! Making tokens.
//!
//! A token is what Gotify 2 makes: 15 characters, of which the first tells people what it is for. Senders in
//! the wild check the length, the first letter and the alphabet.

use rand::{CryptoRng, RngExt};

const ALPHABET: &[u8; 65] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
const RANDOM_CHARACTERS: usize = 14;

/// Makes a token for an application: `A` and 14 random characters, which carry 84 bits.
pub fn application_token(random: &mut impl CryptoRng) -> String {
    token('A', random)
}

/// Makes a token for a client: `C` and 14 random characters, which carry 84 bits.
pub fn client_token(random: &mut impl CryptoRng) -> String {
    token('C', random)
}

fn token(prefix: char, random: &mut impl CryptoRng) -> String {
    let mut token = String::with_capacity(1 + RANDOM_CHARACTERS);
    token.push(prefix);
    for _ in 0..RANDOM_CHARACTERS {
        // `random_range` rejects instead of folding, so every character is equally likely.
        token.push(char::from(ALPHABET[random.random_range(0..ALPHABET.len())]));
    }
    token
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_token_is_its_letter_and_fourteen_characters_of_the_alphabet() {
        let mut random = StdRng::seed_from_u64(1);
        for (token, letter) in [(application_token(&mut random), 'A'), (client_token(&mut random), 'C')] {
            assert_eq!(token.len(), 15, "{token}");
            assert!(token.starts_with(letter), "{token}");
            assert!(token.bytes().all(|byte| ALPHABET.contains(&byte)), "{token}");
        }
    }

    #[test]
    fn tokens_differ_and_use_every_character_of_the_alphabet() {
        let mut random = StdRng::seed_from_u64(2);
        let tokens: HashSet<String> = (0..500).map(|_| client_token(&mut random)).collect();
        assert_eq!(tokens.len(), 500);
        let seen: HashSet<u8> = tokens.iter().flat_map(|token| token.bytes().skip(1)).collect();
        assert_eq!(seen.len(), ALPHABET.len());
    }

    #[test]
    fn the_alphabet_repeats_nothing() {
        assert_eq!(ALPHABET.iter().collect::<HashSet<_>>().len(), 65);
    }
}
