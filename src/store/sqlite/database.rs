//! The trait [`Database`]; each of the traits that it consists of has a file.

use async_trait::async_trait;

use super::Sqlite;
use crate::store::{Database, StoreError};

mod applications;
mod clients;
mod messages;
mod users;

#[async_trait]
impl Database for Sqlite {
    async fn check(&self) -> Result<(), StoreError> {
        self.check_storing().await
    }

    async fn close(&self) {
        // The last connection to close moves the write-ahead log into the file: it must be one that writes.
        self.readers.close().await;
        if let Err(error) = self.writer.close().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to close the database");
        }
        // Only now may another server have it.
        drop(self.lock.lock().take());
    }
}
