//! The users: which connection each operation of [`Users`] runs on, and what it is called when it fails.

use async_trait::async_trait;

use crate::model::{User, UserId};
use crate::store::sql::{Backend, Connections as _, Lease as _, identities, users};
use crate::store::{
    Credential, DeletedUser, NewLinkedUser, NewUser, Slice, StoreError, UpdateUser, UserChange, Users,
};

#[async_trait]
impl<B: Backend> Users for B {
    async fn user_count(&self) -> Result<u64, StoreError> {
        read!(self, "count users", users::count())
    }

    async fn create_user(&self, user: NewUser) -> Result<User, StoreError> {
        let mut lease = self.writers().lease("create a user").await?;
        let result = users::create(&mut lease.session(), user).await;
        lease.end(result).await
    }

    async fn create_first_user(&self, user: NewUser) -> Result<Option<User>, StoreError> {
        let mut lease = self.writers().lease("create the first user").await?;
        let result = users::create_first(&mut lease.session(), user).await;
        lease.end(result).await
    }

    async fn user(&self, id: UserId) -> Result<Option<Credential>, StoreError> {
        read!(self, "read a user", users::by_id(id))
    }

    async fn user_by_name(&self, name: &str) -> Result<Option<Credential>, StoreError> {
        read!(self, "read a user", users::by_name(name))
    }

    async fn list_users(&self, max_bytes: usize) -> Result<Slice<User, UserId>, StoreError> {
        read!(self, "list users", users::listed(max_bytes))
    }

    async fn users_by_id(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        read!(self, "read users", users::by_ids(ids))
    }

    async fn update_user(&self, id: UserId, change: UpdateUser) -> Result<UserChange<User>, StoreError> {
        let mut lease = self.writers().lease("update a user").await?;
        let result = users::update(&mut lease.session(), id, change).await;
        lease.end(result).await
    }

    async fn delete_user(&self, id: UserId) -> Result<UserChange<DeletedUser>, StoreError> {
        let mut lease = self.writers().lease("delete a user").await?;
        let result = users::delete(&mut lease.session(), id).await;
        let deleted = lease.end(result).await;
        // After an error the answer may have been lost, and not the deletion.
        if matches!(deleted, Ok(UserChange::Made(_)) | Err(_)) {
            self.cleaner().look_everywhere();
        }
        deleted
    }

    async fn user_by_oidc_id(&self, oidc_id: &str) -> Result<Option<User>, StoreError> {
        read!(self, "read a user", identities::user(oidc_id))
    }

    async fn create_linked_user(&self, user: NewLinkedUser) -> Result<User, StoreError> {
        let mut lease = self.writers().lease("create a user").await?;
        let result = identities::create(&mut lease.session(), user).await;
        lease.end(result).await
    }

    async fn link_user(&self, id: UserId, oidc_id: &str) -> Result<bool, StoreError> {
        let mut lease = self.writers().lease("link a user").await?;
        let result = identities::link(&mut lease.session(), id, oidc_id).await;
        lease.end(result).await
    }

    async fn set_password_hash(&self, id: UserId, hash: &str) -> Result<bool, StoreError> {
        let mut lease = self.writers().lease("change a password").await?;
        let result = users::set_password_hash(&mut lease.session(), id, hash).await;
        lease.end(result).await
    }

    async fn replace_password_hash(&self, id: UserId, old: &str, new: &str) -> Result<bool, StoreError> {
        let mut lease = self.writers().lease("renew a password hash").await?;
        let result = users::replace_password_hash(&mut lease.session(), id, old, new).await;
        lease.end(result).await
    }

    async fn highest_password_cost(&self) -> Result<Option<u32>, StoreError> {
        read!(self, "read password costs", users::highest_password_cost())
    }
}
