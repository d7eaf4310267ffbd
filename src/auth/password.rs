//! Hashing and checking passwords, off the threads that serve requests.

use std::fmt;
use std::sync::Arc;
use std::thread::available_parallelism;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The longest password that bcrypt takes into account, in bytes of UTF-8.
pub const MAX_PASSWORD_BYTES: usize = 72;

/// Salt and digest of no password in particular.
const DECOY: &str = "2UqO9DfkwX1OJ7PFnAmqEeT4x0mRhPn9r1gKcZ5uL7sWvYb3QdG6i";

/// A password that can't be hashed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashPasswordError {
    /// It is longer than bcrypt takes into account.
    #[error("password must be at most {MAX_PASSWORD_BYTES} bytes long")]
    TooLong,
    /// bcrypt refused, for instance a cost outside 4 to 31.
    #[error("failed to hash a password")]
    Hash(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Hashes and checks passwords with bcrypt.
///
/// That takes tens of milliseconds of a core, so it runs on blocking threads, and never on more of them at
/// once than there are cores: further calls wait their turn.
#[derive(Clone)]
pub struct Passwords {
    cost: u32,
    /// What an unknown user's password is checked against, so that it takes as long as a wrong password.
    decoy: Arc<str>,
    permits: Arc<Semaphore>,
}

impl Passwords {
    /// Makes new hashes with that cost: the time doubles with each step. Gotify's default is 10; values
    /// outside bcrypt's 4 to 31 count as the nearest of them.
    pub fn new(cost: u32) -> Self {
        let cost = cost.clamp(4, 31);
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            cost,
            decoy: format!("$2b${cost:02}${DECOY}").into(),
            permits: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Returns the bcrypt hash of a password.
    pub async fn hash(&self, password: SecretString) -> Result<String, HashPasswordError> {
        if password.expose_secret().len() > MAX_PASSWORD_BYTES {
            return Err(HashPasswordError::TooLong);
        }
        let cost = self.cost;
        self.on_a_core(move || bcrypt::hash(password.expose_secret(), cost))
            .await
            .map_err(|error| HashPasswordError::Hash(error.into()))
    }

    /// Answers whether the password belongs to the hash. `None` stands for a user that is unknown or has no
    /// password: the answer is no, and takes as long.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> bool {
        let known = hash.is_some();
        let hash = hash.map_or_else(|| Arc::clone(&self.decoy), Arc::from);
        let matches = self.on_a_core(move || bcrypt::verify(password.expose_secret(), &hash)).await;
        known
            && matches.unwrap_or_else(|error| {
                tracing::warn!(%error, "a stored password hash is not a bcrypt hash");
                false
            })
    }

    async fn on_a_core<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        // The permit goes along: when the caller is dropped, the thread is still busy.
        let work = spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        work.await.expect("bcrypt does not panic, and nobody aborts its thread")
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("cost", &self.cost).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::new(4);
        let hash = passwords.hash(secret("hunter2")).await.unwrap();
        assert!(hash.starts_with("$2b$04$"), "{hash}");
        assert!(passwords.verify(secret("hunter2"), Some(hash.clone())).await);
        assert!(!passwords.verify(secret("hunter3"), Some(hash)).await);
    }

    #[tokio::test]
    async fn seventy_two_bytes_are_the_most_a_password_may_have() {
        let passwords = Passwords::new(4);
        let longest = passwords.hash(secret(&"p".repeat(72))).await.unwrap();
        assert!(passwords.verify(secret(&"p".repeat(72)), Some(longest)).await);
        let error = passwords.hash(secret(&"p".repeat(73))).await.unwrap_err();
        assert_eq!(error.to_string(), "password must be at most 72 bytes long");
    }

    /// If the decoy were malformed, bcrypt would refuse it at once, and the time would tell who exists.
    #[test]
    fn an_unknown_users_password_is_checked_against_a_real_hash() {
        for cost in [4, 5] {
            let decoy = Passwords::new(cost).decoy;
            assert!(matches!(bcrypt::verify("anything", &decoy), Ok(false)), "{decoy}");
            assert_eq!(decoy.parse::<bcrypt::HashParts>().unwrap().get_cost(), cost);
        }
    }

    #[tokio::test]
    async fn nobody_logs_in_without_a_usable_hash() {
        let passwords = Passwords::new(4);
        assert!(!passwords.verify(secret("anything"), None).await);
        assert!(!passwords.verify(secret("anything"), Some("not a hash".to_owned())).await);
    }

    #[tokio::test]
    async fn a_hash_of_gotify_is_accepted() {
        let hash = bcrypt::hash_with_result("secret", 4).unwrap().format_for_version(bcrypt::Version::TwoA);
        assert!(hash.starts_with("$2a$"));
        assert!(Passwords::new(4).verify(secret("secret"), Some(hash)).await);
    }
}
