//! What logins through an identity provider leave in the database.

use async_trait::async_trait;

use crate::store::StoreError;

/// What all nodes must know of logins through an identity provider, so that one node can end what another one has begun.
#[async_trait]
pub trait Logins: Send + Sync {
    /// Returns the key by which a node knows what another one has begun. The first caller's `made_up` is stored, and
    /// returned to everybody from then on.
    async fn login_key(&self, made_up: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Ends the login with this id, and answers whether it was not ended before. The id is kept for at least twenty
    /// minutes. While 100 000 ids are kept, no other login can be ended.
    async fn end_login(&self, id: &str) -> Result<bool, StoreError>;
}
