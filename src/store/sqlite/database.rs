//! [`Database`] for SQLite; a file for each of the traits that it consists of.

use async_trait::async_trait;
use sqlx::Connection as _;

use super::Sqlite;
use crate::store::{Database, StoreError};

mod applications;
mod clients;
mod messages;
mod users;

#[async_trait]
impl Database for Sqlite {
    async fn ping(&self) -> Result<(), StoreError> {
        let mut lease = self.readers.lease("ping").await?;
        let result = lease.ping().await;
        lease.end(result)
    }

    async fn close(&self) {
        // The last connection to close moves the write-ahead log into the file: it must be one that writes.
        self.readers.close().await;
        if let Err(error) = self.writer.close().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to close the database");
        }
    }
}
