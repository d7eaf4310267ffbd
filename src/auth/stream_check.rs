//! Whether those who have streams are still in the database.

use std::collections::HashMap;
use std::sync::Arc;

use super::Authenticator;
use crate::hub::Hub;
use crate::model::UserId;
use crate::store::{Database, Revocation, StoreError};

/// Tokens whose use is noted in one transaction, wherever their streams are; others may write in between.
const TOKENS_PER_TRANSACTION: usize = 4096;

/// Looks up everybody who has streams.
#[derive(Debug)]
pub(super) struct StreamCheck {
    database: Arc<dyn Database>,
    auth: Authenticator,
    hub: Hub,
}

impl StreamCheck {
    pub(super) fn new(database: Arc<dyn Database>, auth: Authenticator, hub: Hub) -> Self {
        Self { database, auth, hub }
    }

    /// Notes the clients that have streams as used, and closes the streams of those that are gone: of a client or user
    /// that was deleted where this node did not hear of it.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        let mut owners = HashMap::new();
        for shard in 0..self.hub.shard_count() {
            for (user, token) in self.hub.tokens_of_shard(shard) {
                let user_id = UserId(user.0);
                if token.is_empty() {
                    self.check_user(user_id).await?;
                    continue;
                }
                owners.insert(token, user_id);
                if owners.len() == TOKENS_PER_TRANSACTION {
                    self.check_clients(&mut owners).await?;
                }
            }
        }
        self.check_clients(&mut owners).await
    }

    /// Takes tokens of clients that have streams, with their owners.
    async fn check_clients(&self, owners: &mut HashMap<Box<str>, UserId>) -> Result<(), StoreError> {
        if owners.is_empty() {
            return Ok(());
        }
        let (tokens, users): (Vec<_>, Vec<_>) = owners.drain().unzip();
        let unknown = self.database.touch_client_tokens(&tokens, self.auth.now()).await?;
        if unknown.is_empty() {
            return Ok(());
        }
        let owners: HashMap<Box<str>, UserId> = tokens.into_iter().zip(users).collect();
        for token in unknown {
            let Some(&user_id) = owners.get(token.as_str()) else { continue };
            // Not every client is in the database: see `Authenticate`.
            self.auth.forget_client(&token);
            if self.auth.stored_client(&token).await?.is_none() {
                tracing::info!(user.id = user_id.0, "closing the streams of a client that is gone");
                Revocation::ClientDeleted { user_id, token }.apply(&self.auth, &self.hub);
            }
        }
        Ok(())
    }

    /// Looks for a user who has streams that were opened with a name and password.
    async fn check_user(&self, user_id: UserId) -> Result<(), StoreError> {
        if self.database.user(user_id).await?.is_none() {
            tracing::info!(user.id = user_id.0, "closing the streams of a user who is gone");
            let (client_tokens, application_tokens) = (Vec::new(), Vec::new());
            let gone = Revocation::UserDeleted { user_id, client_tokens, application_tokens };
            gone.apply(&self.auth, &self.hub);
        }
        Ok(())
    }
}
