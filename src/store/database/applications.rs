//! Applications and their tokens.

use std::fmt;

use async_trait::async_trait;

use super::Owned;
use crate::model::{Application, ApplicationId, Timestamp, UserId};
use crate::store::{Slice, StoreError};

/// An application to be made.
pub struct NewApplication {
    /// Its owner.
    pub user_id: UserId,
    /// Its token, unique.
    pub token: String,
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// The priority of messages that carry none.
    pub default_priority: i64,
    /// Its place in the list, unique for the user; `None` for the place after the last one.
    pub sort_key: Option<String>,
    /// When it is made.
    pub created_at: Timestamp,
}

impl fmt::Debug for NewApplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApplication")
            .field("user_id", &self.user_id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What an application is changed to.
#[derive(Clone, Debug)]
pub struct UpdateApplication {
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// The priority of messages that carry none.
    pub default_priority: i64,
    /// Its new place in the list; `None` leaves it where it is.
    pub sort_key: Option<String>,
}

/// The applications of a database. Each method is one transaction, see [`Database`](super::Database).
#[async_trait]
pub trait Applications: Send + Sync {
    /// Makes an application. [`StoreError::Conflict`] if the token or the sort key is taken,
    /// [`StoreError::NoSuchUser`] if its owner is not there, or not any more.
    async fn create_application(&self, application: NewApplication) -> Result<Application, StoreError>;
    /// Lists a user's applications by sort key, then id, up to so many bytes.
    async fn list_applications(
        &self,
        user: UserId,
        max_bytes: usize,
    ) -> Result<Slice<Application, ApplicationId>, StoreError>;
    /// Returns the applications of these ids, whoever owns them, in this order, without those that are not there.
    async fn applications_by_id(&self, ids: &[ApplicationId]) -> Result<Vec<Application>, StoreError>;
    /// As [`list_applications`](Self::list_applications), whatever their size.
    async fn applications(&self, user: UserId) -> Result<Vec<Application>, StoreError> {
        Ok(self.list_applications(user, usize::MAX).await?.rows)
    }
    /// Returns the application of that id, whoever owns it.
    async fn application(&self, id: ApplicationId) -> Result<Option<Owned<Application>>, StoreError>;
    /// Returns the application with that token.
    async fn application_by_token(&self, token: &str) -> Result<Option<Owned<Application>>, StoreError>;
    /// Changes an application and returns it as it is then, with the token that it has at that moment.
    /// [`StoreError::Conflict`] if the sort key is taken.
    async fn update_application(
        &self,
        id: ApplicationId,
        change: UpdateApplication,
    ) -> Result<Option<Application>, StoreError>;
    /// Gives an application another token, and returns the one that this replaced: of two calls at once, the second
    /// one returns the token that the first one has set. `None` if there is no such application.
    /// [`StoreError::Conflict`] if the new token is taken.
    async fn replace_application_token(
        &self,
        id: ApplicationId,
        token: &str,
    ) -> Result<Option<String>, StoreError>;
    /// Gives an application another picture, or with an empty `file` the default one, and returns it together
    /// with the file of the picture that it had; that one is empty for the default picture.
    async fn set_application_image(
        &self,
        id: ApplicationId,
        file: &str,
    ) -> Result<Option<(Application, String)>, StoreError>;
    /// Deletes an application with its messages and returns it as it was at that moment.
    async fn delete_application(&self, id: ApplicationId) -> Result<Option<Application>, StoreError>;
    /// Sets when these applications' tokens were last used.
    async fn touch_applications(&self, ids: &[ApplicationId], at: Timestamp) -> Result<(), StoreError>;
}
