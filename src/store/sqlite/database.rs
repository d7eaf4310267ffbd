//! The trait [`Database`]: what SQLite adds to the operations of [`crate::store::sql`].

use std::time::Duration;

use async_trait::async_trait;

use super::Sqlite;
use super::dialect::{SqliteDialect, session};
use super::insertion;
use super::readers::{ReadLease, Readers};
use super::writer::{WriteLease, Writer};
use crate::model::Application;
use crate::store::sql::backend::{ChangesApplications, Inserts};
use crate::store::sql::cleaner::Cleaner;
use crate::store::sql::{
    ApplicationChange, Backend, Connections, Lease, Searches, Session, application_changes,
};
use crate::store::{Database, Inserted, LastWrite, NewMessage, StoreError};

#[async_trait]
impl Database for Sqlite {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.check_storing().await
    }

    async fn close(&self) {
        self.cleaner.stop();
        // The last connection to close moves the write-ahead log into the file: it must be one that writes.
        self.readers.close().await;
        if let Err(error) = self.writer.close().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to close the database");
        }
        // Only now may another server have it.
        drop(self.lock.lock().take());
    }
}

impl Backend for Sqlite {
    type Dialect = SqliteDialect;
    type Readers = Readers;
    type Writers = Writer;

    fn readers(&self) -> &Readers {
        &self.readers
    }

    fn writers(&self) -> &Writer {
        &self.writer
    }

    fn cleaner(&self) -> &Cleaner {
        &self.cleaner
    }

    fn searches(&self) -> &Searches {
        &self.searches
    }

    fn last_write(&self) -> Option<LastWrite> {
        self.files.last_write()
    }
}

impl Inserts for Sqlite {
    /// Timers count whole milliseconds: on a quick disk more is stored without waiting.
    const LONG_TRANSACTION: Duration = Duration::from_millis(2);

    async fn insert(&self, messages: &[NewMessage]) -> Result<Inserted, StoreError> {
        let mut lease = self.writer.lease(insertion::OPERATION).await?;
        let result = insertion::insert(&mut lease, &self.ledger, messages).await;
        lease.end(result).await
    }
}

impl ChangesApplications for Sqlite {
    async fn change_application(&self, change: ApplicationChange) -> Result<Option<Application>, StoreError> {
        let mut lease = self.writer.lease(change.operation()).await?;
        let changed = application_changes::apply(&mut session(&mut lease), &[change]).await;
        Ok(lease.end(changed).await?.pop().flatten())
    }
}

impl Connections for Writer {
    type Dialect = SqliteDialect;
    type Lease<'a> = WriteLease<'a>;

    async fn lease(&self, operation: &'static str) -> Result<WriteLease<'_>, StoreError> {
        Self::lease(self, operation).await
    }
}

impl Lease for WriteLease<'_> {
    type Dialect = SqliteDialect;

    fn session(&mut self) -> Session<'_, SqliteDialect> {
        session(self)
    }

    async fn end<T: Send>(self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        Self::end(self, result).await
    }
}

impl Connections for Readers {
    type Dialect = SqliteDialect;
    type Lease<'a> = ReadLease;

    async fn lease(&self, operation: &'static str) -> Result<ReadLease, StoreError> {
        Self::lease(self, operation).await
    }
}

impl Lease for ReadLease {
    type Dialect = SqliteDialect;

    fn session(&mut self) -> Session<'_, SqliteDialect> {
        session(self)
    }

    async fn end<T: Send>(self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        Self::end(self, result)
    }
}
