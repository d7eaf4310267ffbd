//! The extension point for other ways to identify who sends a request.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::Instant;

use super::{LoginError, TokenApplication, TokenClient, TokenHolder};
use crate::model::{Timestamp, User, UserId};
use crate::store::StoreError;

/// Knows who a token, or a name and password, stands for.
///
/// [`StoredCredentials`](super::StoredCredentials) is the implementation that looks into the database; one of your
/// own may hold it and ask it whatever it does not know itself. It is given to a node as
/// [`NodeParts::authenticate`](crate::server::NodeParts::authenticate).
///
/// Calls come from the tasks of requests, at any time and many at once. Each question is asked in two steps, so
/// that the usual one allocates no future: first what is at hand, without waiting, and only then the look-up. When
/// a stream opens, [`Self::client_generation`] is asked too, to notice that its client was deleted meanwhile.
///
/// Tokens are given in the form in which Gotify stores them: as they were presented, but for those of Gotify 3,
/// which begin with `gtfy` and whose public form is given.
///
/// An error of [`StoreError::Unavailable`] is answered with 503, any other with 500.
#[async_trait]
pub trait Authenticate: Send + Sync + fmt::Debug + 'static {
    /// Returns the application with this token if that is known without waiting. Must not block.
    fn cached_application(&self, token: &str) -> Option<Arc<TokenApplication>> {
        let _ = token;
        None
    }

    /// Looks up the application with this token; `None` if there is none.
    async fn application(&self, token: &str) -> Result<Option<Arc<TokenApplication>>, StoreError>;

    /// Returns the client with this token if that is known without waiting. Must not block.
    fn cached_client(&self, token: &str) -> Option<Arc<TokenClient>> {
        let _ = token;
        None
    }

    /// Looks up the client with this token; `None` if there is none.
    async fn client(&self, token: &str) -> Result<Option<Arc<TokenClient>>, StoreError>;

    /// As [`Self::client`], for a client that opens a stream. Most have one stream, so that what is found need not be kept
    /// at hand. By default it is [`Self::client`].
    async fn client_of_stream(&self, token: &str) -> Result<Option<Arc<TokenClient>>, StoreError> {
        self.client(token).await
    }

    /// Returns a number that is another one after each call that makes this forget a client. As long as it stays the same,
    /// a client that was found before is not looked up again when its stream opens. `None`, the default, has it looked
    /// up.
    ///
    /// Whoever asks a [`StoredCredentials`](crate::auth::StoredCredentials), and also forgets clients in another way, adds a
    /// number of its own to that one's.
    fn client_generation(&self) -> Option<u64> {
        None
    }

    /// Looks up the user with this name and password; `None` if there is none, or the password is wrong. An
    /// implementation in which requests wait for each other answers [`LoginError::Overloaded`] if this one has to wait
    /// beyond `wait_until`.
    async fn user(
        &self,
        name: &str,
        password: SecretString,
        wait_until: Instant,
    ) -> Result<Option<User>, LoginError>;

    /// Returns when a token of this holder was last used, where that is not in the database yet.
    fn unwritten_use(&self, holder: TokenHolder) -> Option<Timestamp> {
        let _ = holder;
        None
    }

    /// Called when an application in the database was changed or deleted. What was cached for its token before must
    /// not be answered after this returns, nor be put back by a look-up that began before.
    fn forget_application(&self, token: &str) {
        let _ = token;
    }

    /// Called when a client in the database was changed or deleted; as [`Self::forget_application`].
    fn forget_client(&self, token: &str) {
        let _ = token;
    }

    /// Called when the name, the password or the administration of a user in the database was changed, or the user was
    /// deleted; as [`Self::forget_application`]. The user's tokens have calls of their own.
    fn forget_user(&self, user_id: UserId) {
        let _ = user_id;
    }

    /// Called when it is not known what was changed or deleted in the database: nothing that was cached before must be
    /// answered after this returns, as after [`Self::forget_application`].
    fn forget_all(&self) {}
}
