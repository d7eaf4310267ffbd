//! The states of applications: which connection each operation of [`ApplicationStates`] runs on, and what it is called
//! when it fails.

use async_trait::async_trait;

use crate::model::{ApplicationId, ApplicationState, MessageId, UserId};
use crate::store::sql::{Backend, Connections as _, Lease as _, application_states};
use crate::store::{ApplicationStates, KeepMessages, StoreError};

#[async_trait]
impl<B: Backend> ApplicationStates for B {
    async fn application_states(&self, user: UserId) -> Result<Vec<ApplicationState>, StoreError> {
        read!(self, "read the states of applications", application_states::of_user(user))
    }

    async fn application_state(&self, id: ApplicationId) -> Result<Option<ApplicationState>, StoreError> {
        read!(self, "read the state of an application", application_states::by_id(id))
    }

    async fn mark_read(
        &self,
        user: UserId,
        application: Option<ApplicationId>,
        up_to: MessageId,
    ) -> Result<Option<MessageId>, StoreError> {
        let mut lease = self.writers().lease("mark messages as read").await?;
        let result = application_states::mark_read(&mut lease.session(), user, application, up_to).await;
        lease.end(result).await
    }

    async fn keep_messages(&self, id: ApplicationId, keep: KeepMessages) -> Result<(), StoreError> {
        let mut lease = self.writers().lease("change how long messages are kept").await?;
        let result = application_states::keep(&mut lease.session(), id, keep).await;
        lease.end(result).await
    }
}
