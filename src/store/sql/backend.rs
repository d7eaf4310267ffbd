//! Where the operations of a database get their connections.

use super::cleaner::Cleaner;
use super::database::Searches;
use super::{ApplicationChange, Dialect, Session};
use crate::model::Application;
use crate::store::{LastWrite, StoreError};

/// A database whose operations are the shared ones. What is its own, such as how it inserts messages, it adds by
/// [`Inserts`] and [`ChangesApplications`].
pub(crate) trait Backend:
    Inserts + ChangesApplications + std::fmt::Debug + Send + Sync + 'static
{
    type Dialect: Dialect;
    type Readers: Connections<Dialect = Self::Dialect>;
    type Writers: Connections<Dialect = Self::Dialect>;

    /// The connections for what only reads.
    fn readers(&self) -> &Self::Readers;
    /// The connections for what writes.
    fn writers(&self) -> &Self::Writers;
    /// Deletes the rest of what was deleted.
    fn cleaner(&self) -> &Cleaner;
    /// Who may search now.
    fn searches(&self) -> &Searches;
    /// As [`RevocationLog::last_write`](crate::store::RevocationLog::last_write).
    fn last_write(&self) -> Option<LastWrite> {
        None
    }
}

/// How a database inserts messages, which is where databases differ most.
pub(crate) trait Inserts {
    /// As [`Messages::long_transaction`](crate::store::Messages::long_transaction).
    const LONG_TRANSACTION: std::time::Duration;

    /// As [`Messages::insert_messages`](crate::store::Messages::insert_messages).
    fn insert(
        &self,
        messages: &[crate::store::NewMessage],
    ) -> impl Future<Output = Result<crate::store::Inserted, StoreError>> + Send;
}

/// How a database makes and deletes applications: each in a transaction of its own, or several in one.
pub(crate) trait ChangesApplications {
    /// Returns the application that was made or deleted; `None` if there is no such owner, or no such application.
    fn change_application(
        &self,
        change: ApplicationChange,
    ) -> impl Future<Output = Result<Option<Application>, StoreError>> + Send;
}

/// Connections of one kind.
pub(crate) trait Connections: Send + Sync + 'static {
    type Dialect: Dialect;
    type Lease<'a>: Lease<Dialect = Self::Dialect>;

    /// Waits for a connection for an operation, which is named as in `insert messages`.
    fn lease(
        &self,
        operation: &'static str,
    ) -> impl Future<Output = Result<Self::Lease<'_>, StoreError>> + Send;
}

/// A connection that is held for one operation.
pub(crate) trait Lease: Send {
    type Dialect: Dialect;

    /// What the operation runs its statements by.
    fn session(&mut self) -> Session<'_, Self::Dialect>;

    /// Answers whether the operation failed because the connection had been cut before.
    fn was_cut<T>(&self, _result: &Result<T, sqlx::Error>) -> bool {
        false
    }

    /// Gives the connection back with what came of the operation. Rolls back if it failed.
    fn end<T: Send>(
        self,
        result: Result<T, sqlx::Error>,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;
}
