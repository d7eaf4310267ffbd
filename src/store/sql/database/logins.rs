//! Logins through an identity provider: which connection each operation of [`Logins`] runs on.

use async_trait::async_trait;

use crate::store::sql::{Backend, Connections as _, Lease as _, keys, logins};
use crate::store::{Logins, StoreError};

#[async_trait]
impl<B: Backend> Logins for B {
    async fn login_key(&self, made_up: &[u8]) -> Result<Vec<u8>, StoreError> {
        if let Some(key) = read!(self, "read the key of logins", keys::find(&keys::LOGINS))? {
            return Ok(key);
        }
        let mut lease = self.writers().lease("make the key of logins").await?;
        let result = keys::make(&mut lease.session(), &keys::LOGINS, made_up).await;
        lease.end(result).await
    }

    async fn end_login(&self, id: &str) -> Result<bool, StoreError> {
        let mut lease = self.writers().lease("end a login").await?;
        let result = logins::end(&mut lease.session(), id).await;
        lease.end(result).await
    }
}
