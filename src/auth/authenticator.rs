//! From a token, or a name and a password, to a user.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

use super::{Authenticate, KnownApplication, KnownClient, LoginObserver, Passwords};
use crate::model::User;
use crate::store::StoreError;

/// Asks whoever knows who a token or a password belongs to. Cloning is cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    authenticate: Arc<dyn Authenticate>,
    passwords: Passwords,
    observer: Arc<dyn LoginObserver>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("authenticate", &self.authenticate).finish_non_exhaustive()
    }
}

impl Authenticator {
    /// Asks `authenticate`; new passwords are hashed by `passwords`.
    pub fn new(authenticate: Arc<dyn Authenticate>, passwords: Passwords) -> Self {
        Self::watched(authenticate, passwords, Arc::new(()))
    }

    /// As [`Authenticator::new`], with somebody who watches.
    pub fn watched(
        authenticate: Arc<dyn Authenticate>,
        passwords: Passwords,
        observer: Arc<dyn LoginObserver>,
    ) -> Self {
        Self(Arc::new(Inner { authenticate, passwords, observer }))
    }

    /// Returns the application that may send with this token, and notes that it was used.
    pub async fn application(&self, token: &str) -> Result<Option<Arc<KnownApplication>>, StoreError> {
        match self.0.authenticate.cached_application(token) {
            Some(known) => Ok(Some(known)),
            None => self.0.authenticate.application(token).await,
        }
    }

    /// Returns the client with this token, and notes that it was used.
    pub async fn client(&self, token: &str) -> Result<Option<Arc<KnownClient>>, StoreError> {
        match self.0.authenticate.cached_client(token) {
            Some(known) => Ok(Some(known)),
            None => self.0.authenticate.client(token).await,
        }
    }

    /// Returns the user with this name and password. A name that nobody has takes as long as a wrong password.
    pub async fn user(&self, name: &str, password: SecretString) -> Result<Option<User>, StoreError> {
        let user = self.0.authenticate.user(name, password).await?;
        self.0.observer.on_login(user.is_some());
        Ok(user)
    }

    /// Returns what hashes passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// Forgets what an application's token stands for. Whoever changes or deletes an application calls this
    /// after the change and before the answer, in a task that goes on when the caller goes away.
    pub fn forget_application(&self, token: &str) {
        self.0.authenticate.forget_application(token);
    }

    /// Forgets what a client's token stands for; to be called like [`Self::forget_application`].
    pub fn forget_client(&self, token: &str) {
        self.0.authenticate.forget_client(token);
    }
}
