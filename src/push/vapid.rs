//! How this server identifies itself to push services: VAPID, RFC 8292.

use std::collections::HashMap;

use base64::prelude::*;
use parking_lot::Mutex;
use reqwest::header::HeaderValue;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

/// For how long a token is valid; RFC 8292 allows 24 hours.
const VALID_SECONDS: i64 = 12 * 3600;

/// A token is used again as long as it is valid for so long.
const REUSED_SECONDS: i64 = 6 * 3600;

/// Push services whose tokens are remembered.
const MOST_SERVICES: usize = 256;

/// The key, and the tokens that were signed with it.
pub(super) struct Vapid {
    key: EcdsaKeyPair,
    public_key: String,
    /// Whom push services may write to.
    subject: Option<String>,
    random: SystemRandom,
    /// By the origin of the push service: the header, and until when it is valid.
    headers: Mutex<HashMap<String, (HeaderValue, i64)>>,
}

/// The stored key can't be used, or nothing can be signed with it.
#[derive(Debug, thiserror::Error)]
#[error("failed to use the key that names this server to push services")]
pub struct PushKeyError;

impl Vapid {
    /// Makes up a key, as it is stored.
    pub(super) fn make_up_key() -> Result<Vec<u8>, PushKeyError> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Ok(made.map_err(|_| PushKeyError)?.as_ref().to_vec())
    }

    pub(super) fn new(key: &[u8], subject: Option<String>) -> Result<Self, PushKeyError> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key, &random);
        let key = key.map_err(|_| PushKeyError)?;
        let public_key = BASE64_URL_SAFE_NO_PAD.encode(key.public_key());
        Ok(Self { key, public_key, subject, random, headers: Mutex::default() })
    }

    /// Returns the public key in base64url: a browser subscribes with it.
    pub(super) fn public_key(&self) -> &str {
        &self.public_key
    }

    /// Returns the header `Authorization` for a push service, given its origin. `now` is in seconds since 1970.
    pub(super) fn header(&self, origin: &str, now: i64) -> Result<HeaderValue, PushKeyError> {
        let known = self.headers.lock().get(origin).cloned();
        if let Some((header, expires)) = known
            && (now + REUSED_SECONDS..=now + VALID_SECONDS).contains(&expires)
        {
            return Ok(header);
        }
        let expires = now + VALID_SECONDS;
        let header = self.sign(origin, expires)?;
        let mut headers = self.headers.lock();
        if headers.len() >= MOST_SERVICES {
            headers.clear();
        }
        headers.insert(origin.to_owned(), (header.clone(), expires));
        Ok(header)
    }

    fn sign(&self, origin: &str, expires: i64) -> Result<HeaderValue, PushKeyError> {
        let mut claims = json!({ "aud": origin, "exp": expires });
        if let Some(subject) = &self.subject {
            claims["sub"] = json!(subject);
        }
        let encode = |part: &str| BASE64_URL_SAFE_NO_PAD.encode(part);
        let token = format!("{}.{}", encode(r#"{"typ":"JWT","alg":"ES256"}"#), encode(&claims.to_string()));
        let signature = self.key.sign(&self.random, token.as_bytes()).map_err(|_| PushKeyError)?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        // Without a space behind the comma: py-vapid 1.9.6 refuses one (findings/py-vapid-space.sh).
        let header = format!("vapid t={token}.{signature},k={}", self.public_key);
        let mut header = HeaderValue::try_from(header).map_err(|_| PushKeyError)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_again_while_it_is_valid_for_long_and_by_its_push_service_alone() {
        let vapid = Vapid::new(&Vapid::make_up_key().unwrap(), None).unwrap();
        let first = vapid.header("https://a.example", 1_000_000).unwrap();
        assert!(first.is_sensitive());
        let later = |seconds| vapid.header("https://a.example", 1_000_000 + seconds).unwrap();
        assert_eq!(later(VALID_SECONDS - REUSED_SECONDS), first);
        assert_ne!(later(VALID_SECONDS - REUSED_SECONDS + 1), first);
        assert_ne!(later(0), first, "it would be valid for too long");
        assert_ne!(vapid.header("https://b.example", 1_000_000).unwrap(), first);
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        assert!(Vapid::new(b"no key", None).is_err());
    }
}
