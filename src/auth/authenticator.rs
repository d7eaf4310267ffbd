//! From a token, or a name and a password, to a user.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use secrecy::SecretString;

use super::login_limit::LoginLimiter;
use super::{Authenticate, KnownApplication, KnownClient, LoginError, LoginLimits, LoginObserver, Passwords};
use crate::model::User;
use crate::store::StoreError;

/// Asks whoever knows who a token or a password belongs to. Cloning is cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    authenticate: Arc<dyn Authenticate>,
    passwords: Passwords,
    logins: LoginLimiter,
    observer: Arc<dyn LoginObserver>,
}

/// What an authenticator may be given besides. The default limits logins as by default, and has nobody who watches.
#[derive(Clone)]
#[non_exhaustive]
pub struct AuthenticatorParts {
    /// How many wrong names and passwords are taken.
    pub limits: LoginLimits,
    /// Who is told how logins end.
    pub observer: Arc<dyn LoginObserver>,
}

impl Default for AuthenticatorParts {
    fn default() -> Self {
        Self { limits: LoginLimits::default(), observer: Arc::new(()) }
    }
}

impl Authenticator {
    /// Asks `authenticate`; new passwords are hashed by `passwords`.
    pub fn new(authenticate: Arc<dyn Authenticate>, passwords: Passwords) -> Self {
        Self::with_parts(authenticate, passwords, AuthenticatorParts::default())
    }

    /// As [`Authenticator::new`], with parts of your own.
    pub fn with_parts(
        authenticate: Arc<dyn Authenticate>,
        passwords: Passwords,
        parts: AuthenticatorParts,
    ) -> Self {
        let AuthenticatorParts { limits, observer } = parts;
        Self(Arc::new(Inner { authenticate, passwords, logins: LoginLimiter::new(&limits), observer }))
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

    /// Returns the user with this name and password, who asks from this address if it is known. A name that nobody
    /// has takes as long as a wrong password. Failures count towards [`LoginLimits`]; beyond them the answer is
    /// [`LoginError::TooManyFailures`], whatever the password.
    pub async fn user(
        &self,
        from: Option<IpAddr>,
        name: &str,
        password: SecretString,
    ) -> Result<Option<User>, LoginError> {
        let attempt = self.0.logins.attempt(from, name).await;
        let attempt = attempt.map_err(|retry_after| LoginError::TooManyFailures { retry_after })?;
        let outcome = self.0.authenticate.user(name, password).await;
        match outcome {
            Ok(Some(_)) => attempt.succeeded(),
            Ok(None) => drop(attempt),
            Err(_) => attempt.void(),
        }
        if let Ok(user) = &outcome {
            self.0.observer.on_login(user.is_some());
        }
        outcome
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

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("authenticate", &self.authenticate)
            .field("passwords", &self.passwords)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthenticatorParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatorParts").field("limits", &self.limits).finish_non_exhaustive()
    }
}
