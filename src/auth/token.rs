//! Making tokens, and reading what is presented as one.
//!
//! A token of Gotify 2 is 15 characters, of which the first tells people what it is for; senders in the wild check
//! the length, the first letter and the alphabet. It is stored as it is. Those of Gotify 3 are keys, see [`key`].

mod key;

use rand::{CryptoRng, RngExt};

use crate::model::Compatibility;
pub use key::TokenError;
#[cfg(test)]
pub(super) use key::tests::signed;

const ALPHABET: &[u8; 65] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
const RANDOM_CHARACTERS: usize = 14;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Sending messages.
    Application,
    /// Everything else.
    Client,
}

/// A token that was just made. Its holder gets one form, the database the other; the two are the same in Gotify 2.
#[derive(Clone)]
#[non_exhaustive]
pub struct NewToken {
    /// What the holder presents. Of a token of Gotify 3 this is the only copy.
    pub secret: String,
    /// What the database holds.
    pub stored: String,
}

impl NewToken {
    /// Makes a token as that Gotify does.
    pub fn make(kind: TokenKind, compatibility: Compatibility, random: &mut impl CryptoRng) -> Self {
        match compatibility {
            Compatibility::V2 => {
                let token = short(kind, random);
                Self { secret: token.clone(), stored: token }
            }
            Compatibility::V3 => key::make(kind, random),
        }
    }
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").finish_non_exhaustive()
    }
}

/// Makes a token for an application as Gotify 2 does: `A` and 14 random characters, which carry 84 bits.
pub fn application_token(random: &mut impl CryptoRng) -> String {
    short(TokenKind::Application, random)
}

/// Makes a token for a client as Gotify 2 does: `C` and 14 random characters, which carry 84 bits.
pub fn client_token(random: &mut impl CryptoRng) -> String {
    short(TokenKind::Client, random)
}

fn short(kind: TokenKind, random: &mut impl CryptoRng) -> String {
    let mut token = String::with_capacity(1 + RANDOM_CHARACTERS);
    token.push(match kind {
        TokenKind::Application => 'A',
        TokenKind::Client => 'C',
    });
    for _ in 0..RANDOM_CHARACTERS {
        // `random_range` rejects instead of folding, so every character is equally likely.
        token.push(char::from(ALPHABET[random.random_range(0..ALPHABET.len())]));
    }
    token
}

/// The form in which a presented token is stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StoredForm<'t> {
    /// It is stored as it was presented.
    Same(&'t str),
    /// It is a secret, and this its public form. Always the same for the same secret.
    OfSecret(String),
    /// It was signed within the last minutes by the secret with this public form.
    OfSignature(String),
}

impl StoredForm<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Same(token) => token,
            Self::OfSecret(token) | Self::OfSignature(token) => token,
        }
    }
}

/// How the tokens of Gotify 3 begin, in the form that is stored too.
pub(crate) const FORM_OF_GOTIFY_3: &str = key::PREFIX;

/// Answers whether a token is one of Gotify 3's, or would be one.
pub(super) fn is_key(token: &str) -> bool {
    token.starts_with(key::PREFIX)
}

/// Reads what was presented as a token at `now`, in Unix seconds. `None` for a signature that is wrong, too old or
/// from the future.
pub(super) fn stored_form(presented: &str, now: i64) -> Result<Option<StoredForm<'_>>, TokenError> {
    match presented.strip_prefix(key::PREFIX) {
        Some(rest) => key::public_form(rest, now),
        None => Ok(Some(StoredForm::Same(presented))),
    }
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
    fn a_profile_makes_its_own_tokens() {
        let mut random = StdRng::seed_from_u64(3);
        let short = NewToken::make(TokenKind::Application, Compatibility::V2, &mut random);
        assert_eq!((short.secret.len(), &short.secret), (15, &short.stored));
        let key = NewToken::make(TokenKind::Application, Compatibility::V3, &mut random);
        assert!(key.secret.starts_with("gtfya.") && key.stored.starts_with("gtfya."), "{key:?}");
        assert_eq!(format!("{key:?}"), "NewToken { .. }");
    }

    #[test]
    fn the_alphabet_repeats_nothing() {
        assert_eq!(ALPHABET.iter().collect::<HashSet<_>>().len(), 65);
    }
}
