//! The tokens and passwords in the database.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::Instant;

use super::cache::TokenCache;
use super::last_used::{LastUsed, LastUsedWriter};
use super::{Authenticate, Clock, LoginError, Passwords, TokenApplication, TokenClient, TokenHolder};
use crate::model::{Timestamp, User, UserId};
use crate::store::{Database, StoreError};

/// Tokens of each kind that are kept in memory: about 200 bytes each, 13 MB at most.
const CACHED_TOKENS: usize = 65_536;

/// Looks tokens and passwords up in the database, and keeps tokens in a bounded cache. Notes when they are used.
pub struct StoredCredentials {
    database: Arc<dyn Database>,
    passwords: Passwords,
    applications: TokenCache<TokenApplication>,
    clients: TokenCache<TokenClient>,
    last_used: LastUsedWriter,
    clock: Clock,
}

impl StoredCredentials {
    /// Looks into this database; starts the task that notes uses.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn new(database: Arc<dyn Database>, passwords: Passwords) -> Self {
        Self::with_clock(database, passwords, Clock::system())
    }

    /// As [`Self::new`]; `clock` tells what has expired.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn with_clock(database: Arc<dyn Database>, passwords: Passwords, clock: Clock) -> Self {
        Self {
            last_used: LastUsedWriter::spawn(Arc::clone(&database)),
            database,
            passwords,
            applications: TokenCache::new(CACHED_TOKENS),
            clients: TokenCache::new(CACHED_TOKENS),
            clock,
        }
    }

    fn note_application(&self, known: &TokenApplication, now: i64) {
        let holder = TokenHolder::Application(known.id);
        self.last_used.note(holder, &known.last_used, LastUsed::PRECISION_SECONDS, now, &self.clock);
    }

    /// Best effort: the login is right whether or not this works.
    async fn renew_hash(&self, user: UserId, password: SecretString, hash: &str, wait_until: Instant) {
        let Some(renewed) = self.passwords.renewed(password, hash, wait_until).await else {
            return;
        };
        // Only in place of the hash that was checked: the password may have been changed meanwhile.
        match self.database.replace_password_hash(user, hash, &renewed).await {
            Ok(true) => {
                tracing::debug!(user.id = user.0, "renewed a password hash with the cost that is set");
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, user.id = user.0, "failed to renew a password hash"),
        }
    }

    async fn load_client(&self, token: &str) -> Result<Option<TokenClient>, StoreError> {
        let owned = self.database.client_by_token(token).await?;
        let now = self.clock.now();
        let owned = owned.filter(|owned| !owned.row.has_expired(now));
        Ok(owned.map(|owned| TokenClient::of_row(owned.user_id, &owned.row)))
    }

    fn note_client(&self, known: &TokenClient, now: i64) {
        let Some(id) = known.id else { return };
        let precision = known.expiry.precision_seconds();
        if self.last_used.note(TokenHolder::Client(id), &known.last_used, precision, now, &self.clock) {
            known.expiry.put_off(now);
        }
    }
}

#[async_trait]
impl Authenticate for StoredCredentials {
    fn cached_application(&self, token: &str) -> Option<Arc<TokenApplication>> {
        let now = self.clock.unix_millis();
        self.applications.get(token, now).inspect(|known| self.note_application(known, now))
    }

    async fn application(&self, token: &str) -> Result<Option<Arc<TokenApplication>>, StoreError> {
        let load = async {
            let owned = self.database.application_by_token(token).await?;
            Ok(owned.map(TokenApplication::of_row))
        };
        let now = self.clock.unix_millis();
        let known = self.applications.get_or_load(token, now, load).await?;
        Ok(known.inspect(|known| self.note_application(known, now)))
    }

    fn cached_client(&self, token: &str) -> Option<Arc<TokenClient>> {
        let now = self.clock.unix_millis();
        let known = self.clients.get(token, now)?;
        if known.expiry.has_come(now) {
            // As far as is known here: whoever holds a stream may have been noted as using it.
            self.clients.forget(token);
            return None;
        }
        self.note_client(&known, now);
        Some(known)
    }

    async fn client(&self, token: &str) -> Result<Option<Arc<TokenClient>>, StoreError> {
        let now = self.clock.unix_millis();
        let known = self.clients.get_or_load(token, now, self.load_client(token)).await?;
        Ok(known.inspect(|known| self.note_client(known, now)))
    }

    async fn client_of_stream(&self, token: &str) -> Result<Option<Arc<TokenClient>>, StoreError> {
        let now = self.clock.unix_millis();
        let known = self.clients.get_or_load_once(token, now, self.load_client(token)).await?;
        Ok(known.inspect(|known| self.note_client(known, now)))
    }

    fn client_generation(&self) -> Option<u64> {
        Some(self.clients.generation())
    }

    /// A name that nobody has takes as long as a wrong password. A hash of another cost than new ones have is
    /// renewed when its password is there.
    async fn user(
        &self,
        name: &str,
        password: SecretString,
        wait_until: Instant,
    ) -> Result<Option<User>, LoginError> {
        let credential = self.database.user_by_name(name).await?;
        let (user, hash) = credential.map(|known| (known.user, known.password_hash)).unzip();
        let hash = hash.flatten();
        if !self.passwords.verify_before(password.clone(), hash.clone(), wait_until).await? {
            return Ok(None);
        }
        if let (Some(user), Some(hash)) = (&user, &hash) {
            self.renew_hash(user.id, password, hash, wait_until).await;
        }
        Ok(user)
    }

    fn unwritten_use(&self, holder: TokenHolder) -> Option<Timestamp> {
        self.last_used.unwritten(holder)
    }

    fn forget_application(&self, token: &str) {
        self.applications.forget(token);
    }

    fn forget_client(&self, token: &str) {
        self.clients.forget(token);
    }

    fn forget_user(&self, _: UserId) {
        self.clients.doubt();
    }

    fn forget_all(&self) {
        self.applications.forget_all();
        self.clients.forget_all();
    }
}

impl fmt::Debug for StoredCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCredentials")
            .field("applications", &self.applications)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}
