//! The applications: which connection each operation of [`Applications`] runs on, and what it is called when it fails.

use async_trait::async_trait;

use crate::model::{Application, ApplicationId, Timestamp, UserId};
use crate::store::sql::{ApplicationChange, Backend, Connections as _, Lease as _, applications};
use crate::store::{Applications, NewApplication, Owned, Slice, StoreError, UpdateApplication};

#[async_trait]
impl<B: Backend> Applications for B {
    async fn create_application(&self, application: NewApplication) -> Result<Application, StoreError> {
        let created = self.change_application(ApplicationChange::Create(application)).await?;
        created.ok_or(StoreError::NoSuchUser)
    }

    async fn list_applications(
        &self,
        user: UserId,
        max_bytes: usize,
    ) -> Result<Slice<Application, ApplicationId>, StoreError> {
        read!(self, "list applications", applications::listed(user, max_bytes))
    }

    async fn applications_by_id(&self, ids: &[ApplicationId]) -> Result<Vec<Application>, StoreError> {
        read!(self, "read applications", applications::by_ids(ids))
    }

    async fn application(&self, id: ApplicationId) -> Result<Option<Owned<Application>>, StoreError> {
        read!(self, "read an application", applications::by_id(id))
    }

    async fn application_by_token(&self, token: &str) -> Result<Option<Owned<Application>>, StoreError> {
        read!(self, "read an application", applications::by_token(token))
    }

    async fn update_application(
        &self,
        id: ApplicationId,
        change: UpdateApplication,
    ) -> Result<Option<Application>, StoreError> {
        let mut lease = self.writers().lease("update an application").await?;
        let result = applications::update(&mut lease.session(), id, change).await;
        lease.end(result).await
    }

    async fn replace_application_token(
        &self,
        id: ApplicationId,
        token: &str,
    ) -> Result<Option<String>, StoreError> {
        let mut lease = self.writers().lease("change an application's token").await?;
        let result = applications::replace_token(&mut lease.session(), id, token).await;
        lease.end(result).await
    }

    async fn set_application_image(
        &self,
        id: ApplicationId,
        file: &str,
    ) -> Result<Option<(Application, String)>, StoreError> {
        let mut lease = self.writers().lease("change an application's picture").await?;
        let result = applications::set_image(&mut lease.session(), id, file).await;
        lease.end(result).await
    }

    async fn delete_application(&self, id: ApplicationId) -> Result<Option<Application>, StoreError> {
        let deleted = self.change_application(ApplicationChange::Delete(id)).await;
        match &deleted {
            Ok(Some(_)) => self.cleaner().look_for_application(id),
            Ok(None) => {}
            // The answer may have been lost, and not the deletion.
            Err(_) => self.cleaner().look_everywhere(),
        }
        deleted
    }

    async fn touch_applications(&self, ids: &[ApplicationId], at: Timestamp) -> Result<(), StoreError> {
        let mut lease = self.writers().lease("note when applications were used").await?;
        let result = applications::touch(&mut lease.session(), ids, at).await;
        lease.end(result).await
    }
}
