//! From a token, or a name and a password, to a user.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

use super::Passwords;
use super::cache::TokenCache;
use super::last_used::{LastUsed, LastUsedWriter, Used};
use crate::model::{ApplicationId, ClientId, User, UserId};
use crate::store::{Store, StoreError};

/// Tokens of each kind that are kept in memory: about 200 bytes each, 13 MB at most.
const CACHED_TOKENS: usize = 65_536;

/// Knows who a token or a password belongs to. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

/// What a message needs of the application that sends it.
#[derive(Debug)]
#[non_exhaustive]
pub struct KnownApplication {
    /// Its id.
    pub id: ApplicationId,
    /// Its owner, who receives its messages.
    pub user_id: UserId,
    /// The title of messages that carry none.
    pub name: String,
    /// The priority of messages that carry none.
    pub default_priority: i64,
    last_used: LastUsed,
}

/// Whom a client's token stands for.
#[derive(Debug)]
#[non_exhaustive]
pub struct KnownClient {
    /// Its id.
    pub id: ClientId,
    /// Its owner.
    pub user_id: UserId,
    last_used: LastUsed,
}

struct Inner {
    store: Store,
    passwords: Passwords,
    applications: TokenCache<KnownApplication>,
    clients: TokenCache<KnownClient>,
    last_used: LastUsedWriter,
}

impl Authenticator {
    /// Starts an authenticator, with its background task.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn new(store: Store, passwords: Passwords) -> Self {
        Self(Arc::new(Inner {
            last_used: LastUsedWriter::spawn(store.clone()),
            store,
            passwords,
            applications: TokenCache::new(CACHED_TOKENS),
            clients: TokenCache::new(CACHED_TOKENS),
        }))
    }

    /// Returns the application that may send with this token, and notes that it was used.
    pub async fn application(&self, token: &str) -> Result<Option<Arc<KnownApplication>>, StoreError> {
        let load = async {
            let owned = self.0.store.database().application_by_token(token).await?;
            Ok(owned.map(|owned| KnownApplication {
                id: owned.row.id,
                user_id: owned.user_id,
                name: owned.row.name,
                default_priority: owned.row.default_priority,
                last_used: LastUsed::new(owned.row.last_used),
            }))
        };
        let known = self.0.applications.get_or_load(token, load).await?;
        if let Some(known) = &known {
            self.0.last_used.note(Used::Application(known.id), &known.last_used);
        }
        Ok(known)
    }

    /// Returns the client with this token, and notes that it was used.
    pub async fn client(&self, token: &str) -> Result<Option<Arc<KnownClient>>, StoreError> {
        let load = async {
            let owned = self.0.store.database().client_by_token(token).await?;
            Ok(owned.map(|owned| KnownClient {
                id: owned.row.id,
                user_id: owned.user_id,
                last_used: LastUsed::new(owned.row.last_used),
            }))
        };
        let known = self.0.clients.get_or_load(token, load).await?;
        if let Some(known) = &known {
            self.0.last_used.note(Used::Client(known.id), &known.last_used);
        }
        Ok(known)
    }

    /// Returns the user with this name and password. A name that nobody has takes as long as a wrong password.
    pub async fn user(&self, name: &str, password: SecretString) -> Result<Option<User>, StoreError> {
        let credential = self.0.store.database().user_by_name(name).await?;
        let (user, hash) = credential.map(|known| (known.user, known.password_hash)).unzip();
        let matches = self.0.passwords.verify(password, hash.flatten()).await;
        Ok(user.filter(|_| matches))
    }

    /// Returns what hashes passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// Forgets what an application's token stands for. Whoever changes or deletes an application calls this
    /// after the change and before the answer, in a task that goes on when the caller goes away.
    pub fn forget_application(&self, token: &str) {
        self.0.applications.forget(token);
    }

    /// Forgets what a client's token stands for; to be called like [`Self::forget_application`].
    pub fn forget_client(&self, token: &str) {
        self.0.clients.forget(token);
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("applications", &self.0.applications)
            .field("clients", &self.0.clients)
            .finish_non_exhaustive()
    }
}
