//! A store without a group-commit writer, until the writer is there.

use std::sync::Arc;

use super::{Database, NewMessage, StoreError};
use crate::model::Message;

/// A message that could not be stored.
#[derive(Clone, Debug, thiserror::Error)]
#[error("failed to publish a message")]
pub struct PublishError(#[source] pub Arc<StoreError>);

/// The store.
#[derive(Clone, Debug)]
pub struct Store(Arc<dyn Database>);

impl Store {
    /// Wraps a database.
    pub fn new(database: Arc<dyn Database>) -> Self {
        Self(database)
    }

    /// Returns the database.
    pub fn database(&self) -> &dyn Database {
        &*self.0
    }

    /// Stores a message.
    pub async fn publish(&self, new: NewMessage) -> Result<Arc<Message>, PublishError> {
        let ids = self
            .0
            .insert_messages(std::slice::from_ref(&new))
            .await
            .map_err(|error| PublishError(Arc::new(error)))?;
        Ok(Arc::new(Message {
            id: ids[0],
            application_id: new.application_id,
            message: new.message,
            title: new.title,
            priority: new.priority,
            extras: new.extras,
            date: new.date,
        }))
    }
}
