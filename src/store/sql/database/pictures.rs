//! Pictures: which connection each operation of [`Pictures`] runs on, and what it is called when it fails.

use async_trait::async_trait;
use bytes::Bytes;

use crate::store::sql::{Backend, Connections as _, Lease as _, pictures};
use crate::store::{ImageName, Pictures, StoreError};

#[async_trait]
impl<B: Backend> Pictures for B {
    async fn save_picture(&self, name: &ImageName, content: &[u8]) -> Result<(), StoreError> {
        let mut lease = self.writers().lease("save a picture").await?;
        let result = pictures::save(&mut lease.session(), name.as_str(), content).await;
        lease.end(result).await
    }

    async fn picture_bytes(&self, name: &ImageName) -> Result<Option<usize>, StoreError> {
        read!(self, "look for a picture", pictures::bytes(name.as_str()))
    }

    async fn picture(&self, name: &ImageName) -> Result<Option<Bytes>, StoreError> {
        read!(self, "read a picture", pictures::content(name.as_str()))
    }

    async fn delete_picture(&self, name: &ImageName) -> Result<bool, StoreError> {
        let mut lease = self.writers().lease("delete a picture").await?;
        let result = pictures::delete(&mut lease.session(), &[name.as_str()]).await;
        Ok(lease.end(result).await? > 0)
    }

    async fn missing_pictures(&self) -> Result<Vec<String>, StoreError> {
        read!(self, "look for pictures", pictures::missing())
    }
}
