//! Gotify 3's tokens, which are Ed25519 keys (RFC 8032).
//!
//! `gtfyc.` and the seed of a key, in base64, is the secret; with the public key in its place it is the form that is
//! stored and looked up. Whoever has the secret may also present `gtfyc.<public key>.<time>.<signature>`: Ed25519ph
//! over `iat=<time>`, in Unix seconds, so that the secret itself does not travel.

use std::num::{IntErrorKind, ParseIntError};

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::{Digest, Sha512, Signature, SigningKey, VerifyingKey};
use rand::CryptoRng;

use super::{NewToken, StoredForm, TokenKind};

/// How a token of this kind begins.
pub(super) const PREFIX: &str = "gtfy";

/// How far the time of a signature may be from now.
const LEEWAY_SECONDS: u64 = 15 * 60;

/// Base64 as Go's decoder takes it: the bits that are left over at the end may be anything.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A token that begins as one of Gotify 3's and goes on as none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is neither a secret nor a signed one.
    #[error("cannot parse token: token must have 2 or 4 fields separated by dots")]
    Fields,
    /// A field is not in base64.
    #[error("cannot parse token: base64 decode failed")]
    Base64,
    /// The secret has another length than a key's seed.
    #[error("cannot parse token: private key must be 32 bytes")]
    PrivateKey,
    /// The public key has another length than one.
    #[error("cannot parse token: public key must be 32 bytes")]
    PublicKey,
    /// The time is not a number of seconds.
    #[error("cannot parse token: timestamp must be an integer: strconv.ParseInt: {0}")]
    Timestamp(&'static str),
    /// The signature has another length than one.
    #[error("cannot parse token: signature must be 64 bytes")]
    Signature,
}

/// Makes a key.
pub(super) fn make(kind: TokenKind, random: &mut impl CryptoRng) -> NewToken {
    let ident = match kind {
        TokenKind::Application => "a",
        TokenKind::Client => "c",
    };
    let mut seed = [0; 32];
    random.fill_bytes(&mut seed);
    let key = SigningKey::from_bytes(&seed);
    NewToken { secret: text(ident, &seed), stored: text(ident, key.verifying_key().as_bytes()) }
}

/// Reads what follows [`PREFIX`]; see [`super::stored_form`].
pub(super) fn public_form(rest: &str, now: i64) -> Result<Option<StoredForm<'static>>, TokenError> {
    let fields: Vec<&str> = rest.splitn(4, '.').collect();
    match *fields {
        [ident, seed] => {
            let key = SigningKey::from_bytes(&decoded(seed, TokenError::PrivateKey)?);
            Ok(Some(StoredForm::OfSecret(text(ident, key.verifying_key().as_bytes()))))
        }
        [ident, key, time, signature] => {
            let key = decoded::<32>(key, TokenError::PublicKey)?;
            let time: i64 = time.parse().map_err(|error| TokenError::Timestamp(why(&error)))?;
            let signature = Signature::from_bytes(&decoded(signature, TokenError::Signature)?);
            let is_right = time.abs_diff(now) <= LEEWAY_SECONDS && is_signed(&key, time, &signature);
            Ok(is_right.then(|| StoredForm::OfSignature(text(ident, &key))))
        }
        _ => Err(TokenError::Fields),
    }
}

fn is_signed(key: &[u8; 32], time: i64, signature: &Signature) -> bool {
    let signed = Sha512::new_with_prefix(format!("iat={time}"));
    VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_prehashed_strict(signed, None, signature).is_ok())
}

fn text(ident: &str, key: &[u8; 32]) -> String {
    format!("{PREFIX}{ident}.{}", BASE64.encode(key))
}

fn decoded<const LENGTH: usize>(field: &str, wrong_length: TokenError) -> Result<[u8; LENGTH], TokenError> {
    // No memory for what is too long in any case.
    if field.len() > 2 * LENGTH {
        return Err(wrong_length);
    }
    let bytes = BASE64.decode(field).map_err(|_| TokenError::Base64)?;
    bytes.try_into().map_err(|_| wrong_length)
}

fn why(error: &ParseIntError) -> &'static str {
    match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
        _ => "invalid syntax",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::super::stored_form;
    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn token(seed: u64) -> NewToken {
        make(TokenKind::Client, &mut StdRng::seed_from_u64(seed))
    }

    /// The signed form of a client's secret, as its holder makes it.
    pub(in crate::auth) fn signed(secret: &str, time: i64) -> String {
        let seed = decoded(secret.rsplit('.').next().unwrap(), TokenError::PrivateKey).unwrap();
        let key = SigningKey::from_bytes(&seed);
        let digest = Sha512::new_with_prefix(format!("iat={time}"));
        let signature = key.sign_prehashed(digest, None).unwrap();
        let public = text("c", key.verifying_key().as_bytes());
        format!("{public}.{time}.{}", BASE64.encode(signature.to_bytes()))
    }

    fn stored(presented: &str) -> Option<String> {
        stored_form(presented, NOW).unwrap().map(|form| form.as_str().to_owned())
    }

    /// The first test vector of RFC 8032, section 7.1.
    #[test]
    fn the_public_form_is_that_of_the_rfc() {
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        };
        let seed = bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let secret = format!("gtfya.{}", BASE64.encode(seed));
        assert_eq!(stored(&secret), Some(format!("gtfya.{}", BASE64.encode(public))));
    }

    #[test]
    fn a_secret_is_49_characters_and_stored_as_its_public_form() {
        let made = token(1);
        assert_eq!((made.secret.len(), made.stored.len()), (49, 49));
        assert!(made.secret.starts_with("gtfyc."), "{}", made.secret);
        assert_ne!(made.secret, made.stored);
        assert_eq!(stored(&made.secret), Some(made.stored.clone()));
        // The stored form opens nothing.
        assert_ne!(stored(&made.stored), Some(made.stored));
        assert!(make(TokenKind::Application, &mut StdRng::seed_from_u64(1)).secret.starts_with("gtfya."));
    }

    #[test]
    fn a_signature_counts_for_a_quarter_of_an_hour_either_way() {
        let made = token(2);
        for (offset, counts) in [(0, true), (-900, true), (900, true), (-901, false), (901, false)] {
            let found = stored(&signed(&made.secret, NOW + offset));
            assert_eq!(found, counts.then(|| made.stored.clone()), "{offset}");
        }
    }

    #[test]
    fn a_signature_that_is_not_the_keys_or_not_of_the_time_is_none() {
        let (made, other) = (token(3), token(4));
        let signed_token = signed(&made.secret, NOW);
        let signature = signed_token.rsplit('.').next().unwrap();
        assert_eq!(stored(&format!("{}.{NOW}.{signature}", other.stored)), None);
        assert_eq!(stored(&format!("{}.{}.{signature}", made.stored, NOW + 1)), None);
        assert_eq!(stored(&format!("{}.{NOW}.{}", made.stored, "A".repeat(86))), None);
        // No point of the curve.
        let no_key = format!("gtfyc.{}", BASE64.encode([2; 32]));
        assert_eq!(stored(&format!("{no_key}.{NOW}.{signature}")), None);
    }

    #[test]
    fn any_name_is_kept_and_any_other_beginning_is_looked_up_as_it_is() {
        let seed = token(5).secret.split_off(6);
        assert!(stored(&format!("gtfyxyz.{seed}")).unwrap().starts_with("gtfyxyz."));
        for presented in ["Cabc", "gtf", "", "a.b.c"] {
            assert_eq!(stored_form(presented, NOW), Ok(Some(StoredForm::Same(presented))));
        }
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        let made = token(6);
        let (public, signature) = (&made.stored, "A".repeat(86));
        for (presented, text) in [
            ("gtfyc".to_owned(), "token must have 2 or 4 fields separated by dots"),
            ("gtfyc.a.b".to_owned(), "token must have 2 or 4 fields separated by dots"),
            ("gtfyc.".to_owned(), "private key must be 32 bytes"),
            ("gtfyc.AAAA".to_owned(), "private key must be 32 bytes"),
            (format!("gtfyc.{}", "A".repeat(1_000_000)), "private key must be 32 bytes"),
            ("gtfyc.!!!".to_owned(), "base64 decode failed"),
            (format!("gtfyc.AAAA.{NOW}.{signature}"), "public key must be 32 bytes"),
            (
                format!("{public}.x.{signature}"),
                "timestamp must be an integer: strconv.ParseInt: invalid syntax",
            ),
            (
                format!("{public}.99999999999999999999.{signature}"),
                "timestamp must be an integer: strconv.ParseInt: value out of range",
            ),
            (format!("{public}.{NOW}.AAAA"), "signature must be 64 bytes"),
            (format!("{public}.{NOW}.{signature}.more"), "base64 decode failed"),
        ] {
            let error = stored_form(&presented, NOW).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot parse token: {text}"));
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_presented_makes_it_panic(rest: String, now: i64) {
            let _ = stored_form(&format!("gtfy{rest}"), now);
        }
    }
}
