//! Pictures that the database keeps.

use async_trait::async_trait;
use bytes::Bytes;

use crate::store::{ImageName, StoreError};

/// The applications' pictures, where the database keeps them. Whatever changes an application's picture, or deletes the
/// application, deletes the picture that was there in the same transaction.
#[async_trait]
pub trait Pictures: Send + Sync {
    /// Saves a picture, unless there is one of that name.
    async fn save_picture(&self, name: &ImageName, content: &[u8]) -> Result<(), StoreError>;

    /// Returns the size of a picture, in bytes.
    async fn picture_bytes(&self, name: &ImageName) -> Result<Option<usize>, StoreError>;

    /// Returns the content of a picture.
    async fn picture(&self, name: &ImageName) -> Result<Option<Bytes>, StoreError>;

    /// Deletes a picture; false if there was none of that name.
    async fn delete_picture(&self, name: &ImageName) -> Result<bool, StoreError>;

    /// Returns the names of the pictures that applications have and the database does not keep.
    async fn missing_pictures(&self) -> Result<Vec<String>, StoreError>;
}
