//! Hashing and checking passwords, off the threads that serve requests.

mod cores;
mod decoy;
mod proven;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rand::CryptoRng;
use rand::distr::{Alphanumeric, SampleString};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use cores::Cores;
pub use cores::Overloaded;
use proven::ProvenPasswords;

/// The longest password that bcrypt takes into account, in bytes of UTF-8.
pub const MAX_PASSWORD_BYTES: usize = 72;

/// How long a request waits until its password is hashed or checked. The hashing itself is not counted.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(5);

/// Letters and digits of a random password: 119 bits.
const RANDOM_CHARACTERS: usize = 20;

/// Makes a password of letters and digits that nobody can guess.
pub fn random_password(random: &mut impl CryptoRng) -> SecretString {
    Alphanumeric.sample_string(random, RANDOM_CHARACTERS).into()
}

/// A password that can't be hashed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashPasswordError {
    /// It is longer than bcrypt takes into account.
    #[error("password must be at most {MAX_PASSWORD_BYTES} bytes long")]
    TooLong,
    /// Too many others wait for their turn.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// bcrypt refused, for instance a cost outside 4 to 31.
    #[error("failed to hash a password")]
    Hash(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Hashes and checks passwords with bcrypt. Cloning is cheap and shares everything.
///
/// That takes tens of milliseconds of a core, so it runs on threads of its own, which give way to those that serve
/// requests, and never on more of them at once than there are cores. At most 32 further calls for each core wait their turn, for at
/// most five seconds; the others get [`Overloaded`].
///
/// A password that was right is known by its keyed hash for a minute, so that a sender of many requests is not
/// hashed each time. It is known for the stored hash that it matched: when that is changed, nothing of it is left.
#[derive(Clone)]
pub struct Passwords(Arc<Inner>);

struct Inner {
    /// Of new hashes.
    cost: u32,
    /// How long a refusal takes: the cost of new hashes, or that of the costliest stored one.
    refusal_cost: AtomicU32,
    cores: Cores,
    proven: ProvenPasswords,
}

impl Passwords {
    /// Makes new hashes with that cost: the time doubles with each step. Gotify's default is 10; values
    /// outside bcrypt's 4 to 31 count as the nearest of them.
    pub fn new(cost: u32) -> Self {
        let cost = cost.clamp(decoy::MIN_COST, decoy::MAX_COST);
        Self(Arc::new(Inner {
            cost,
            refusal_cost: AtomicU32::new(cost),
            cores: Cores::new(),
            proven: ProvenPasswords::new(&mut rand::rng()),
        }))
    }

    /// Makes every refusal from now on take at least as long as one by a hash of that cost: a name whose hash is
    /// costlier than new ones would otherwise be known by its time. To be called with the cost of the costliest
    /// stored hash; costs seen later are noted by themselves.
    pub fn refuse_as_slowly_as(&self, cost: u32) {
        self.0.refusal_cost.fetch_max(cost.min(decoy::MAX_COST), Ordering::Relaxed);
    }

    /// Returns the bcrypt hash of a password.
    pub async fn hash(&self, password: SecretString) -> Result<String, HashPasswordError> {
        if password.expose_secret().len() > MAX_PASSWORD_BYTES {
            return Err(HashPasswordError::TooLong);
        }
        self.hash_before(password, Instant::now() + MAX_WAIT).await
    }

    async fn hash_before(
        &self,
        password: SecretString,
        wait_until: Instant,
    ) -> Result<String, HashPasswordError> {
        let cost = self.0.cost;
        self.0
            .cores
            .run(wait_until, move || bcrypt::hash(password.expose_secret(), cost))
            .await?
            .map_err(|error| HashPasswordError::Hash(error.into()))
    }

    /// Answers whether the password belongs to the hash. `None` stands for a user that is unknown or has no
    /// password: the answer is no. Every no takes equally long, whatever the cost of the hash.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, Overloaded> {
        self.verify_before(password, hash, Instant::now() + MAX_WAIT).await
    }

    /// As [`verify`](Self::verify), for a request that has waited already.
    pub(super) async fn verify_before(
        &self,
        password: SecretString,
        hash: Option<String>,
        wait_until: Instant,
    ) -> Result<bool, Overloaded> {
        let proof = hash.as_deref().map(|hash| self.0.proven.tag(hash, &password));
        if proof.as_ref().is_some_and(|proof| self.0.proven.holds(proof)) {
            return Ok(true);
        }
        let stored_cost = hash.as_deref().and_then(cost_of);
        if let Some(cost) = stored_cost {
            self.refuse_as_slowly_as(cost);
        } else if hash.is_some() {
            tracing::warn!("a stored password hash is not a bcrypt hash");
        }
        let refusal_cost = self.0.refusal_cost.load(Ordering::Relaxed);
        let check = move || {
            let password = password.expose_secret();
            let matches = stored_cost.is_some()
                && hash.is_some_and(|hash| bcrypt::verify(password, &hash).unwrap_or(false));
            if !matches {
                decoy::spend(password, stored_cost, refusal_cost);
            }
            matches
        };
        let matches = self.0.cores.run(wait_until, check).await?;
        if matches && let Some(proof) = proof {
            self.0.proven.insert(proof);
        }
        Ok(matches)
    }

    /// Returns a new hash of a password that has just matched this one, if new hashes have another cost.
    /// `None` also where that can't be done now: there will be another login.
    pub(super) async fn renewed(
        &self,
        password: SecretString,
        hash: &str,
        wait_until: Instant,
    ) -> Option<String> {
        if cost_of(hash) == Some(self.0.cost) {
            return None;
        }
        let renewed = self.hash_before(password.clone(), wait_until).await.ok()?;
        self.0.proven.insert(self.0.proven.tag(&renewed, &password));
        Some(renewed)
    }
}

/// Returns the cost of a bcrypt hash; `None` if it is none.
fn cost_of(hash: &str) -> Option<u32> {
    hash.parse::<bcrypt::HashParts>().ok().map(|parts| parts.get_cost())
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("cost", &self.0.cost).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    async fn verify(passwords: &Passwords, password: &str, hash: Option<&str>) -> bool {
        passwords.verify(secret(password), hash.map(str::to_owned)).await.unwrap()
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::new(4);
        let hash = passwords.hash(secret("hunter2")).await.unwrap();
        assert!(hash.starts_with("$2b$04$"), "{hash}");
        for _ in 0..2 {
            assert!(verify(&passwords, "hunter2", Some(&hash)).await);
            assert!(!verify(&passwords, "hunter3", Some(&hash)).await);
        }
    }

    #[tokio::test]
    async fn a_password_that_was_right_is_not_so_for_another_hash() {
        let passwords = Passwords::new(4);
        let (old, new) =
            (passwords.hash(secret("old")).await.unwrap(), passwords.hash(secret("new")).await.unwrap());
        assert!(verify(&passwords, "old", Some(&old)).await);
        assert!(!verify(&passwords, "old", Some(&new)).await);
        assert!(!verify(&passwords, "old", None).await);
    }

    #[tokio::test]
    async fn seventy_two_bytes_are_the_most_a_password_may_have() {
        let passwords = Passwords::new(4);
        let longest = passwords.hash(secret(&"p".repeat(72))).await.unwrap();
        assert!(verify(&passwords, &"p".repeat(72), Some(&longest)).await);
        let error = passwords.hash(secret(&"p".repeat(73))).await.unwrap_err();
        assert_eq!(error.to_string(), "password must be at most 72 bytes long");
    }

    #[tokio::test]
    async fn nobody_logs_in_without_a_usable_hash() {
        let passwords = Passwords::new(4);
        for hash in [None, Some("not a hash"), Some("$2b$99$abc"), Some("$2b$04$short")] {
            assert!(!verify(&passwords, "anything", hash).await, "{hash:?}");
        }
    }

    #[tokio::test]
    async fn a_hash_of_gotify_is_accepted() {
        let hash = bcrypt::hash_with_result("secret", 4).unwrap().format_for_version(bcrypt::Version::TwoA);
        assert!(hash.starts_with("$2a$"));
        assert!(verify(&Passwords::new(4), "secret", Some(&hash)).await);
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_renewed() {
        let (cheap, dear) = (Passwords::new(4), Passwords::new(5));
        let hash = cheap.hash(secret("secret")).await.unwrap();
        assert_eq!(cheap.renewed(secret("secret"), &hash, Instant::now() + MAX_WAIT).await, None);
        let renewed = dear.renewed(secret("secret"), &hash, Instant::now() + MAX_WAIT).await.unwrap();
        assert_eq!(cost_of(&renewed), Some(5));
        assert!(bcrypt::verify("secret", &renewed).unwrap());
    }

    #[tokio::test]
    async fn refusals_take_as_long_as_by_the_costliest_hash() {
        let passwords = Passwords::new(4);
        let refusal_cost = || passwords.0.refusal_cost.load(Ordering::Relaxed);
        passwords.refuse_as_slowly_as(5);
        assert_eq!(refusal_cost(), 5);
        let seen = bcrypt::hash("secret", 6).unwrap();
        assert!(!verify(&passwords, "wrong", Some(&seen)).await);
        assert_eq!(refusal_cost(), 6);
        passwords.refuse_as_slowly_as(4);
        assert_eq!(refusal_cost(), 6);
    }
}
