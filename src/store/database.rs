//! What a database must be able to do.

use std::fmt;

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    Application, ApplicationId, Client, ClientId, Extras, Message, MessageId, Timestamp, User, UserId,
};

/// A row with the user that owns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Owned<T> {
    /// The owner.
    pub user_id: UserId,
    /// The row.
    pub row: T,
}

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

/// A client to be made.
pub struct NewClient {
    /// Its owner.
    pub user_id: UserId,
    /// Its token, unique.
    pub token: String,
    /// Its name.
    pub name: String,
    /// When it is made.
    pub created_at: Timestamp,
    /// Until when it may do what is dangerous.
    pub elevated_until: Option<Timestamp>,
    /// After how many seconds without use it expires; 0 is never.
    pub expires_after_inactivity_seconds: u64,
}

impl NewClient {
    /// A client that never expires and is not elevated.
    pub fn new(
        user_id: UserId,
        token: impl Into<String>,
        name: impl Into<String>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            user_id,
            token: token.into(),
            name: name.into(),
            created_at,
            elevated_until: None,
            expires_after_inactivity_seconds: 0,
        }
    }
}

/// What a client is changed to.
#[derive(Clone, Debug)]
pub struct UpdateClient {
    /// Its name.
    pub name: String,
    /// After how many seconds without use it expires, 0 for never; `None` leaves it as it is.
    pub expires_after_inactivity_seconds: Option<u64>,
}

impl fmt::Debug for NewClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewClient")
            .field("user_id", &self.user_id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A message to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// Who will receive it: the owner of its application.
    pub user_id: UserId,
    /// The application that sends it.
    pub application_id: ApplicationId,
    /// The text.
    pub message: String,
    /// The title.
    pub title: String,
    /// The priority.
    pub priority: i64,
    /// What the sender attached.
    pub extras: Option<Extras>,
    /// When the server took it.
    pub date: Timestamp,
}

/// Which messages to list: newest first, at most `limit`, with ids below `before` where it is given.
#[derive(Clone, Copy, Debug)]
pub struct MessagePage {
    /// Only ids below this one.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: usize,
}

/// One database. Every method is one transaction: all of it happens, or none.
///
/// A look-up that finds nothing is `Ok(None)`. All methods are cancel safe in the sense that a dropped future
/// leaves the change either made or not made.
#[async_trait]
pub trait Database: Send + Sync + fmt::Debug + 'static {
    /// Answers whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Closes the connections once what runs on them has ended.
    async fn close(&self);

    /// Counts the users.
    async fn user_count(&self) -> Result<u64, StoreError>;
    /// Makes a user. [`StoreError::Conflict`] if the name is taken.
    async fn create_user(&self, user: NewUser) -> Result<User, StoreError>;
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
    /// Lists all users by id.
    async fn users(&self) -> Result<Vec<User>, StoreError>;
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

    /// Makes an application. [`StoreError::Conflict`] if the token or the sort key is taken,
    /// [`StoreError::NoSuchUser`] if its owner is not there, or not any more.
    async fn create_application(&self, application: NewApplication) -> Result<Application, StoreError>;
    /// Lists a user's applications by sort key, then id.
    async fn applications(&self, user: UserId) -> Result<Vec<Application>, StoreError>;
    /// Returns the application of that id, whoever owns it.
    async fn application(&self, id: ApplicationId) -> Result<Option<Owned<Application>>, StoreError>;
    /// Returns the application with that token.
    async fn application_by_token(&self, token: &str) -> Result<Option<Owned<Application>>, StoreError>;
    /// Changes an application and returns it. [`StoreError::Conflict`] if the sort key is taken.
    async fn update_application(
        &self,
        id: ApplicationId,
        change: UpdateApplication,
    ) -> Result<Option<Application>, StoreError>;
    /// Gives an application another token; false if there is no such application. [`StoreError::Conflict`] if the
    /// token is taken.
    async fn set_application_token(&self, id: ApplicationId, token: &str) -> Result<bool, StoreError>;
    /// Gives an application another picture, or with an empty `file` the default one, and returns it together
    /// with the file of the picture that it had; that one is empty for the default picture.
    async fn set_application_image(
        &self,
        id: ApplicationId,
        file: &str,
    ) -> Result<Option<(Application, String)>, StoreError>;
    /// Deletes an application with its messages and returns it.
    async fn delete_application(&self, id: ApplicationId) -> Result<Option<Application>, StoreError>;
    /// Sets when these applications' tokens were last used.
    async fn touch_applications(&self, ids: &[ApplicationId], at: Timestamp) -> Result<(), StoreError>;

    /// Makes a client. [`StoreError::Conflict`] if the token is taken, [`StoreError::NoSuchUser`] if its owner is
    /// not there, or not any more.
    async fn create_client(&self, client: NewClient) -> Result<Client, StoreError>;
    /// Lists a user's clients by id. This and the look-ups below return also those that have expired and are not
    /// deleted yet, see [`Client::has_expired`].
    async fn clients(&self, user: UserId) -> Result<Vec<Client>, StoreError>;
    /// Returns the client of that id, whoever owns it.
    async fn client(&self, id: ClientId) -> Result<Option<Owned<Client>>, StoreError>;
    /// Returns the client with that token.
    async fn client_by_token(&self, token: &str) -> Result<Option<Owned<Client>>, StoreError>;
    /// Changes a client and returns it. Its expiry is counted from its last use, or else from when it was made.
    async fn update_client(&self, id: ClientId, change: UpdateClient) -> Result<Option<Client>, StoreError>;
    /// Sets until when a client may do what is dangerous; false if there is no such client.
    async fn elevate_client(&self, id: ClientId, until: Timestamp) -> Result<bool, StoreError>;
    /// Deletes a client; false if there was none.
    async fn delete_client(&self, id: ClientId) -> Result<bool, StoreError>;
    /// Sets when these clients' tokens were last used, and puts off when they expire. One that has expired by then
    /// is left as it is.
    async fn touch_clients(&self, ids: &[ClientId], at: Timestamp) -> Result<(), StoreError>;
    /// As [`touch_clients`](Self::touch_clients), by their tokens.
    async fn touch_client_tokens(&self, tokens: &[Box<str>], at: Timestamp) -> Result<(), StoreError>;
    /// Returns when the first of all clients expires, to the millisecond; `None` if none does.
    async fn next_client_expiry(&self) -> Result<Option<Timestamp>, StoreError>;
    /// Deletes the clients that have expired by `now`, and returns their tokens.
    async fn delete_expired_clients(&self, now: Timestamp) -> Result<Vec<Owned<String>>, StoreError>;

    /// Stores messages in one durable transaction and returns their ids, which ascend in the order given.
    async fn insert_messages(&self, messages: &[NewMessage]) -> Result<Vec<MessageId>, StoreError>;
    /// Lists a user's messages, newest first.
    async fn messages(&self, user: UserId, page: MessagePage) -> Result<Vec<Message>, StoreError>;
    /// Lists an application's messages, newest first.
    async fn application_messages(
        &self,
        application: ApplicationId,
        page: MessagePage,
    ) -> Result<Vec<Message>, StoreError>;
    /// Lists a user's messages with ids above `after`, oldest first, at most `limit`.
    async fn messages_after(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError>;
    /// Counts a user's messages with ids above `after`, up to `limit`.
    async fn count_messages_after(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
    ) -> Result<usize, StoreError>;
    /// Deletes a message of that user; false if it has none of that id.
    async fn delete_message(&self, user: UserId, id: MessageId) -> Result<bool, StoreError>;
    /// Deletes all of a user's messages.
    async fn delete_messages(&self, user: UserId) -> Result<(), StoreError>;
    /// Deletes all of an application's messages.
    async fn delete_application_messages(&self, application: ApplicationId) -> Result<(), StoreError>;
}
