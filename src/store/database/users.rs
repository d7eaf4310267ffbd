//! Users, their passwords and their links to identity providers.

use std::fmt;

use async_trait::async_trait;

use crate::model::{Timestamp, User, UserId};
use crate::store::{Slice, StoreError};

/// A user with the hash of its password.
#[derive(Clone)]
pub struct Credential {
    /// The user.
    pub user: User,
    /// The bcrypt hash, as text; `None` for a user that has no password.
    pub password_hash: Option<String>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A user to be made.
pub struct NewUser {
    /// The name to log in with, unique.
    pub name: String,
    /// The bcrypt hash of its password.
    pub password_hash: String,
    /// May manage users.
    pub admin: bool,
    /// When it is made.
    pub created_at: Timestamp,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser")
            .field("name", &self.name)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

/// A user that logs in through an identity provider alone, to be made.
#[derive(Clone, Debug)]
pub struct NewLinkedUser {
    /// Its name, unique.
    pub name: String,
    /// Who it is at the provider, `issuer#subject`, unique.
    pub oidc_id: String,
    /// When it is made.
    pub created_at: Timestamp,
}

/// What a user is changed to.
pub struct UpdateUser {
    /// The name to log in with, unique.
    pub name: String,
    /// May manage users.
    pub admin: bool,
    /// The bcrypt hash of its new password; `None` leaves the password as it is.
    pub password_hash: Option<String>,
}

impl fmt::Debug for UpdateUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateUser")
            .field("name", &self.name)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

/// What came of a change to a user. One administrator must be left, however many changes are made at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserChange<T> {
    /// It was made.
    Made(T),
    /// There is no such user.
    NoSuchUser,
    /// It would have left no administrator, and was not made.
    LastAdmin,
}

/// What went with a deleted user, for those who know of it outside the database.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DeletedUser {
    /// The tokens of its applications.
    pub application_tokens: Vec<String>,
    /// The tokens of its clients.
    pub client_tokens: Vec<String>,
    /// The files of its applications' pictures.
    pub image_files: Vec<String>,
}

impl fmt::Debug for DeletedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeletedUser")
            .field("applications", &self.application_tokens.len())
            .field("clients", &self.client_tokens.len())
            .field("image_files", &self.image_files)
            .finish_non_exhaustive()
    }
}

/// The users of a database. Each method is one transaction, see [`Database`](super::Database).
#[async_trait]
pub trait Users: Send + Sync {
    /// Counts the users.
    async fn user_count(&self) -> Result<u64, StoreError>;
    /// Makes a user. [`StoreError::Conflict`] if the name is taken.
    async fn create_user(&self, user: NewUser) -> Result<User, StoreError>;
    /// Makes a user if there is none at all. Of several callers at the same moment, also on other nodes, one makes its
    /// user, and the others get `None`.
    async fn create_first_user(&self, user: NewUser) -> Result<Option<User>, StoreError>;
    /// Returns the user of that id, with its password hash.
    async fn user(&self, id: UserId) -> Result<Option<Credential>, StoreError>;
    /// Returns the user of that name, with its password hash.
    async fn user_by_name(&self, name: &str) -> Result<Option<Credential>, StoreError>;
    /// Returns the user that is linked to that identity, see [`NewLinkedUser::oidc_id`].
    async fn user_by_oidc_id(&self, oidc_id: &str) -> Result<Option<User>, StoreError>;
    /// Makes a user without a password, who is no administrator. [`StoreError::Conflict`] if the name or the
    /// identity is taken.
    async fn create_linked_user(&self, user: NewLinkedUser) -> Result<User, StoreError>;
    /// Links a user to an identity; false if there is no such user, or if it is linked already.
    /// [`StoreError::Conflict`] if the identity is taken.
    async fn link_user(&self, id: UserId, oidc_id: &str) -> Result<bool, StoreError>;
    /// Lists all users by id, up to so many bytes.
    async fn list_users(&self, max_bytes: usize) -> Result<Slice<User, UserId>, StoreError>;
    /// Returns the users of these ids, in this order, without those that are not there.
    async fn users_by_id(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;
    /// As [`list_users`](Self::list_users), whatever their size.
    async fn users(&self) -> Result<Vec<User>, StoreError> {
        Ok(self.list_users(usize::MAX).await?.rows)
    }
    /// Changes a user and returns it. [`StoreError::Conflict`] if the name is taken.
    async fn update_user(&self, id: UserId, change: UpdateUser) -> Result<UserChange<User>, StoreError>;
    /// Deletes a user with everything that it owns, and says what that was.
    async fn delete_user(&self, id: UserId) -> Result<UserChange<DeletedUser>, StoreError>;
    /// Changes a user's password hash; false if there is no such user.
    async fn set_password_hash(&self, id: UserId, hash: &str) -> Result<bool, StoreError>;
    /// Changes a user's password hash if it still is `old`; false if it is not, or there is no such user.
    async fn replace_password_hash(&self, id: UserId, old: &str, new: &str) -> Result<bool, StoreError>;
    /// Returns the highest cost of the bcrypt hashes that users have; `None` if there are none.
    async fn highest_password_cost(&self) -> Result<Option<u32>, StoreError>;
}
