//! The token of a stream, as it is kept.

use std::{fmt, ops::Deref, str};

/// Gotify 2's tokens have 15 bytes. They are kept without a block of their own, of which each stream would have one.
const USUAL_BYTES: usize = 15;

/// What names the client that a stream belongs to. As large as a pointer and a length.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Token {
    Usual([u8; USUAL_BYTES]),
    /// A pointer to the pointer and the length: those two would make the usual token larger too.
    Other(Box<Box<str>>),
}

impl From<&str> for Token {
    fn from(token: &str) -> Self {
        match token.as_bytes().try_into() {
            Ok(bytes) => Self::Usual(bytes),
            Err(_) => Self::Other(Box::new(token.into())),
        }
    }
}

impl Deref for Token {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Usual(bytes) => str::from_utf8(bytes).expect("it was made of text"),
            Self::Other(token) => token,
        }
    }
}

/// A token is a secret.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_any_length_is_kept_as_it_is_and_a_usual_one_takes_sixteen_bytes() {
        for token in ["", "C", "Cabcdefghijklmn", "Cabcdefghijklmno", "gtfyc.AAAA", "äöüäöüä1", "äöüäöüäö"]
        {
            assert_eq!(&*Token::from(token), token);
        }
        assert!(matches!(Token::from("Cabcdefghijklmn"), Token::Usual(_)));
        assert_eq!(size_of::<Token>(), 16);
    }
}
