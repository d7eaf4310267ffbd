//! From a token, or a name and a password, to a user.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use quick_cache::sync::Cache;
use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};

use super::login_limit::LoginLimiter;
use super::password::MAX_WAIT;
use super::token::{StoredForm, is_key, stored_form};
use super::{
    Authenticate, Clock, LoginError, LoginLimits, LoginObserver, Overloaded, Passwords, TokenApplication,
    TokenClient, TokenError, TokenHolder,
};
use crate::model::{Application, Client, Timestamp, User, UserId};
use crate::store::StoreError;

/// Secrets of Gotify 3's form whose public form is kept in memory, so that it need not be worked out again: about
/// 200 bytes each, 3 MB at most.
const CACHED_SECRETS: usize = 16_384;

/// Asks whoever knows who a token or a password belongs to. Cloning is cheap and shares everything.
///
/// What is presented as a token and what stands for it in the database are two things: see [`NewToken`].
/// [`Authenticate`], the hub, and whoever forgets a token have to do with the stored form alone.
///
/// [`NewToken`]: super::NewToken
#[derive(Clone, Debug)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    authenticate: Arc<dyn Authenticate>,
    passwords: Passwords,
    logins: LoginLimiter,
    observer: Arc<dyn LoginObserver>,
    clock: Clock,
    /// The stored forms of secrets that were found. They never change, so nothing is ever taken out of here.
    stored_forms: Cache<Box<str>, Arc<str>>,
}

/// What an authenticator may be given besides. The default limits logins as by default, and has nobody who watches.
#[derive(Clone)]
#[non_exhaustive]
pub struct AuthenticatorParts {
    /// How many wrong names and passwords are taken.
    pub limits: LoginLimits,
    /// The observer of logins.
    pub observer: Arc<dyn LoginObserver>,
    /// What tells what has expired. Default: the machine's clock.
    pub clock: Clock,
}

with_methods!(AuthenticatorParts {
    with_limits(limits: LoginLimits),
    with_observer(observer: Arc<dyn LoginObserver>),
    with_clock(clock: Clock),
});

impl Default for AuthenticatorParts {
    fn default() -> Self {
        Self { limits: LoginLimits::default(), observer: Arc::new(()), clock: Clock::system() }
    }
}

/// Why the owner of a token is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// It is no token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The look-up failed.
    #[error("failed to look for a token")]
    Store(#[from] StoreError),
}

/// A client, by a token of its.
#[derive(Clone)]
#[non_exhaustive]
pub struct AuthenticatedClient {
    /// Who it is.
    pub client: Arc<TokenClient>,
    /// The form in which its token is stored.
    pub token: Box<str>,
    /// What [`Authenticate::client_generation`] said before it was looked for, for a stream.
    pub(crate) generation: Option<u64>,
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
        let AuthenticatorParts { limits, observer, clock } = parts;
        Self(Arc::new(Inner {
            authenticate,
            passwords,
            logins: LoginLimiter::new(&limits),
            observer,
            clock,
            stored_forms: Cache::new(CACHED_SECRETS),
        }))
    }

    /// Returns the application that may send with what is presented as a token, and notes that it was used.
    pub async fn application(&self, presented: &str) -> Result<Option<Arc<TokenApplication>>, AuthError> {
        let Some(form) = self.form(presented)? else { return Ok(None) };
        let found = match self.0.authenticate.cached_application(form.stored()) {
            Some(known) => Some(known),
            None => self.0.authenticate.application(form.stored()).await?,
        };
        if found.is_some() {
            self.remember(presented, form);
        }
        Ok(found)
    }

    /// Returns the client with what is presented as a token, and notes that it was used.
    pub async fn client(&self, presented: &str) -> Result<Option<AuthenticatedClient>, AuthError> {
        let Some(form) = self.form(presented)? else { return Ok(None) };
        let found = self.stored_client(form.stored()).await?;
        Ok(found.map(|client| self.authenticated(presented, form, client, None)))
    }

    /// As [`Self::client`], for a client that opens a stream.
    pub(crate) async fn client_of_stream(
        &self,
        presented: &str,
    ) -> Result<Option<AuthenticatedClient>, AuthError> {
        let Some(form) = self.form(presented)? else { return Ok(None) };
        let generation = self.0.authenticate.client_generation();
        let found = match self.0.authenticate.cached_client(form.stored()) {
            Some(known) => Some(known),
            None => self.0.authenticate.client_of_stream(form.stored()).await?,
        };
        Ok(found.map(|client| self.authenticated(presented, form, client, generation)))
    }

    fn authenticated(
        &self,
        presented: &str,
        form: Form<'_>,
        client: Arc<TokenClient>,
        generation: Option<u64>,
    ) -> AuthenticatedClient {
        let token = form.stored().into();
        self.remember(presented, form);
        AuthenticatedClient { client, token, generation }
    }

    /// Answers whether a client is still there that was found in this generation: whether it may not have been revoked
    /// meanwhile, or else is found again.
    pub(crate) async fn has_still(&self, token: &str, generation: Option<u64>) -> Result<bool, StoreError> {
        if generation.is_some() && generation == self.0.authenticate.client_generation() {
            return Ok(true);
        }
        let authenticate = &self.0.authenticate;
        Ok(authenticate.cached_client(token).is_some()
            || authenticate.client_of_stream(token).await?.is_some())
    }

    /// Returns the client with a token in its stored form, and notes that it was used.
    pub async fn stored_client(&self, token: &str) -> Result<Option<Arc<TokenClient>>, StoreError> {
        match self.0.authenticate.cached_client(token) {
            Some(known) => Ok(Some(known)),
            None => self.0.authenticate.client(token).await,
        }
    }

    /// Returns the user with this name and password, who asks from this address if it is known. A name that nobody
    /// has takes as long as a wrong password. Failures count towards [`LoginLimits`]; beyond them the answer is
    /// [`LoginError::TooManyFailures`], whatever the password. Whoever would have to wait for others for more than two
    /// seconds gets [`LoginError::Overloaded`].
    pub async fn user(
        &self,
        from: Option<IpAddr>,
        name: &str,
        password: SecretString,
    ) -> Result<Option<User>, LoginError> {
        let wait_until = Instant::now() + MAX_WAIT;
        let attempt = timeout_at(wait_until, self.0.logins.attempt(from, name)).await;
        let attempt = attempt.map_err(|_| Overloaded)?;
        let attempt = attempt.map_err(|retry_after| LoginError::TooManyFailures { retry_after })?;
        let outcome = self.0.authenticate.user(name, password, wait_until).await;
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

    /// Notes in the row of an application that its token was used, where the database does not know yet.
    pub(crate) fn complete_application(&self, application: &mut Application) {
        if let Some(at) = self.0.authenticate.unwritten_use(TokenHolder::Application(application.id)) {
            application.last_used = application.last_used.max(Some(at));
        }
    }

    /// Notes in the row of a client that it was used, where the database does not know yet.
    pub(crate) fn complete_client(&self, client: &mut Client) {
        if let Some(at) = self.0.authenticate.unwritten_use(TokenHolder::Client(client.id))
            && client.last_used < Some(at)
        {
            client.last_used = Some(at);
            client.expires_at = Client::expiry(at, client.expires_after_inactivity_seconds);
        }
    }

    /// Returns what hashes passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// Returns what time it is.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Forgets what an application's token stands for; see [`Revocation`](super::Revocation), which calls this.
    pub(super) fn forget_application(&self, stored_token: &str) {
        self.0.authenticate.forget_application(stored_token);
    }

    /// Forgets what a client's token stands for.
    pub(super) fn forget_client(&self, stored_token: &str) {
        self.0.authenticate.forget_client(stored_token);
    }

    /// Forgets what is known of a user.
    pub(super) fn forget_user(&self, user_id: UserId) {
        self.0.authenticate.forget_user(user_id);
    }

    /// Forgets what every token and every user stands for.
    pub(super) fn forget_all(&self) {
        self.0.authenticate.forget_all();
    }

    fn form<'t>(&self, presented: &'t str) -> Result<Option<Form<'t>>, TokenError> {
        // Only those are worth a look: any other is stored as it is presented.
        if is_key(presented)
            && let Some(stored) = self.0.stored_forms.get(presented)
        {
            return Ok(Some(Form::Remembered(stored)));
        }
        let now = self.0.clock.unix_millis().div_euclid(1000);
        Ok(stored_form(presented, now)?.map(Form::Read))
    }

    /// Only of what was found: whoever makes up secrets must not drive the others out.
    fn remember(&self, presented: &str, form: Form<'_>) {
        if let Form::Read(StoredForm::OfSecret(stored)) = form {
            self.0.stored_forms.insert(presented.into(), stored.into());
        }
    }
}

/// The stored form of what was presented.
enum Form<'t> {
    Remembered(Arc<str>),
    Read(StoredForm<'t>),
}

impl Form<'_> {
    fn stored(&self) -> &str {
        match self {
            Self::Remembered(stored) => stored,
            Self::Read(form) => form.as_str(),
        }
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

impl fmt::Debug for AuthenticatedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatedClient").field("client", &self.client).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use parking_lot::Mutex;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::super::token::signed;
    use super::super::{NewToken, TokenKind};
    use super::*;
    use crate::model::Compatibility;

    /// Who a token stands for, and the tokens that were asked for.
    #[derive(Debug, Default)]
    struct Users {
        known: Mutex<HashMap<String, UserId>>,
        asked: Mutex<Vec<String>>,
        /// `None` as long as it is 0.
        generation: AtomicU64,
    }

    #[async_trait]
    impl Authenticate for Users {
        async fn application(&self, _: &str) -> Result<Option<Arc<TokenApplication>>, StoreError> {
            Ok(None)
        }

        async fn client(&self, token: &str) -> Result<Option<Arc<TokenClient>>, StoreError> {
            self.asked.lock().push(token.to_owned());
            Ok(self.known.lock().get(token).map(|&user| Arc::new(TokenClient::of_user(user))))
        }

        async fn user(&self, _: &str, _: SecretString, _: Instant) -> Result<Option<User>, LoginError> {
            Ok(None)
        }

        fn client_generation(&self) -> Option<u64> {
            Some(self.generation.load(Ordering::Relaxed)).filter(|&generation| generation > 0)
        }
    }

    fn token() -> NewToken {
        NewToken::make(TokenKind::Client, Compatibility::V3, &mut StdRng::seed_from_u64(1))
    }

    #[tokio::test]
    async fn every_form_of_a_token_stands_for_the_same_client_until_it_is_deleted() {
        let made = token();
        let users = Arc::new(Users::default());
        users.known.lock().insert(made.stored.clone(), UserId(7));
        let auth = Authenticator::new(Arc::clone(&users) as Arc<dyn Authenticate>, Passwords::new(4));
        let now = auth.now().timestamp();
        let forms =
            [made.secret.clone(), made.secret.clone(), signed(&made.secret, now), made.secret.clone()];
        for form in &forms {
            let found = auth.client(form).await.unwrap().unwrap();
            assert_eq!((found.client.user_id, &*found.token), (UserId(7), made.stored.as_str()));
        }
        assert_eq!(*users.asked.lock(), [made.stored.as_str(); 4]);

        users.known.lock().clear();
        for form in &forms {
            assert!(auth.client(form).await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn only_secrets_that_were_found_are_kept_in_memory() {
        let made = token();
        let users = Arc::new(Users::default());
        let auth = Authenticator::new(Arc::clone(&users) as Arc<dyn Authenticate>, Passwords::new(4));
        assert!(auth.client(&made.secret).await.unwrap().is_none());
        assert!(auth.client("Cunknown").await.unwrap().is_none());
        assert_eq!(auth.0.stored_forms.len(), 0);
        users.known.lock().insert(made.stored.clone(), UserId(7));
        auth.client(&signed(&made.secret, auth.now().timestamp())).await.unwrap().unwrap();
        assert_eq!(auth.0.stored_forms.len(), 0, "a signature is checked each time");
        auth.client(&made.secret).await.unwrap().unwrap();
        assert_eq!(auth.0.stored_forms.len(), 1);
    }

    #[tokio::test]
    async fn a_client_of_a_stream_is_looked_up_again_unless_nobody_was_revoked_meanwhile() {
        let users = Arc::new(Users::default());
        users.known.lock().insert("Ctoken".to_owned(), UserId(7));
        let auth = Authenticator::new(Arc::clone(&users) as Arc<dyn Authenticate>, Passwords::new(4));
        // Whether it is known that nobody was revoked, or not known.
        for (generation, asked) in [(0, 2), (1, 1)] {
            users.asked.lock().clear();
            users.generation.store(generation, Ordering::Relaxed);
            let found = auth.client_of_stream("Ctoken").await.unwrap().unwrap();
            assert!(auth.has_still(&found.token, found.generation).await.unwrap());
            assert_eq!(users.asked.lock().len(), asked);
        }
        let found = auth.client_of_stream("Ctoken").await.unwrap().unwrap();
        users.known.lock().clear();
        users.generation.fetch_add(1, Ordering::Relaxed);
        assert!(!auth.has_still(&found.token, found.generation).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_signature_is_refused_a_quarter_of_an_hour_later_though_its_client_is_known() {
        let made = token();
        let users = Arc::new(Users::default());
        users.known.lock().insert(made.stored.clone(), UserId(7));
        let clock = Clock::of_runtime(chrono::Local::now().fixed_offset());
        let parts = AuthenticatorParts { clock, ..AuthenticatorParts::default() };
        let auth = Authenticator::with_parts(users, Passwords::new(4), parts);
        let presented = signed(&made.secret, clock.now().timestamp());
        assert!(auth.client(&presented).await.unwrap().is_some());
        tokio::time::advance(std::time::Duration::from_secs(899)).await;
        assert!(auth.client(&presented).await.unwrap().is_some());
        tokio::time::advance(std::time::Duration::from_secs(2)).await;
        assert!(auth.client(&presented).await.unwrap().is_none());
    }
}
