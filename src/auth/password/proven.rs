//! Passwords that were right lately.

use std::time::Duration;

use hmac::{Hmac, Mac};
use quick_cache::sync::Cache;
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tokio::time::Instant;

/// How long a password that was right need not be hashed again.
const LIFETIME: Duration = Duration::from_mins(1);

/// The most that are known at a time, about 100 bytes each; those that are used least go first.
const CAPACITY: usize = 4096;

/// Stands for a stored hash and a password that matches it: an HMAC with a key that this process made up and shows
/// to nobody. Neither can be had back from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Proof([u8; 32]);

/// Proofs, and until when they hold. Since the stored hash is part of a proof, nothing has to be forgotten when a
/// user changes the password, is renamed or deleted: whoever asks reads the user first, and asks for another proof.
pub(super) struct ProvenPasswords {
    key: Hmac<Sha256>,
    until: Cache<Proof, Instant>,
}

impl ProvenPasswords {
    pub(super) fn new(random: &mut impl CryptoRng) -> Self {
        // As long as a block of the hash, which is what a key is extended to anyway.
        let mut key = [0; 64];
        random.fill_bytes(&mut key);
        Self { key: Hmac::new(&key.into()), until: Cache::new(CAPACITY) }
    }

    /// Returns what stands for this hash and this password.
    pub(super) fn tag(&self, hash: &str, password: &SecretString) -> Proof {
        let mut mac = self.key.clone();
        mac.update(&(hash.len() as u64).to_le_bytes());
        mac.update(hash.as_bytes());
        mac.update(password.expose_secret().as_bytes());
        Proof(mac.finalize().into_bytes().into())
    }

    /// Answers whether the password matched less than a minute ago.
    pub(super) fn holds(&self, proof: &Proof) -> bool {
        match self.until.get(proof) {
            Some(until) if Instant::now() < until => true,
            Some(_) => {
                self.until.remove(proof);
                false
            }
            None => false,
        }
    }

    pub(super) fn insert(&self, proof: Proof) {
        self.until.insert(proof, Instant::now() + LIFETIME);
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use tokio::time::advance;

    use super::*;

    fn proven(seed: u64) -> ProvenPasswords {
        ProvenPasswords::new(&mut StdRng::seed_from_u64(seed))
    }

    #[tokio::test(start_paused = true)]
    async fn a_proof_holds_for_a_minute() {
        let proven = proven(1);
        let proof = proven.tag("hash", &"secret".into());
        assert!(!proven.holds(&proof));
        proven.insert(proof);
        assert!(proven.holds(&proof));
        advance(Duration::from_millis(59_999)).await;
        assert!(proven.holds(&proof));
        advance(Duration::from_millis(1)).await;
        assert!(!proven.holds(&proof));
        assert_eq!(proven.until.len(), 0);
    }

    #[test]
    fn a_proof_is_of_one_hash_and_one_password_in_one_process() {
        let proven = proven(1);
        let proof = proven.tag("hash", &"secret".into()).0;
        assert_eq!(proof, proven.tag("hash", &"secret".into()).0);
        assert_ne!(proof, proven.tag("hash", &"secreT".into()).0);
        assert_ne!(proof, proven.tag("hasH", &"secret".into()).0);
        assert_ne!(proof, proven.tag("hashs", &"ecret".into()).0);
        assert_ne!(proof, super::tests::proven(2).tag("hash", &"secret".into()).0);
    }

    #[tokio::test]
    async fn not_more_are_known_than_there_is_room_for() {
        let proven = proven(1);
        for password in 0..2 * CAPACITY {
            proven.insert(proven.tag("hash", &password.to_string().into()));
        }
        assert!(proven.until.len() <= CAPACITY);
    }
}
