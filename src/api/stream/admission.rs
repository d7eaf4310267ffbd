//! Letting a stream in: it is registered first, and then the database is asked.

use std::time::Duration;

use crate::api::ApiError;
use crate::hub::{self, RegisterError, Registration};
use crate::model::MessageId;
use crate::store::StoreError;

/// How long a client waits for its stream while the database is asked. After it the answer is 503.
const PATIENCE: Duration = Duration::from_secs(5);

/// Registers a stream, asks whether its client may still listen, and, where the hub needs to know, for the user's
/// newest message. Whatever is stored after that reaches the stream, however long the answers take.
///
/// A stream that is not admitted leaves nothing behind.
pub(super) async fn admit(
    registered: Result<Registration, RegisterError>,
    is_valid: impl Future<Output = Result<bool, StoreError>>,
    newest: impl Future<Output = Result<Option<MessageId>, StoreError>>,
) -> Result<Registration, ApiError> {
    let mut registration = registered.map_err(|RegisterError::Draining| ApiError::Stopping)?;
    let asked = async {
        // Who was deleted since the gate let them in had no stream yet that their deletion could close.
        if !is_valid.await? {
            return Err(ApiError::Unauthorized);
        }
        if registration.needs_head() {
            let newest = newest.await?.map_or(0, |id| id.0);
            registration.start_after(hub::MessageId(newest));
        }
        Ok(registration)
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(ApiError::Unavailable))
}

/// Ends a stream that has more than `limit` messages to catch up on, so that its client pages through them. They are
/// counted only if the ids leave room for so many.
pub(super) async fn limit_backlog(
    registration: &Registration,
    limit: usize,
    count: impl Future<Output = Result<usize, StoreError>>,
) -> Result<(), ApiError> {
    if registration.ids_behind() <= limit as u64 {
        return Ok(());
    }
    let counted = tokio::time::timeout(PATIENCE, count).await.map_err(|_| ApiError::Unavailable)?;
    if counted? > limit {
        registration.close(hub::EndReason::TooFarBehind);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::hub::{Hub, HubConfig, UserId};

    fn register(hub: &Hub) -> Result<Registration, RegisterError> {
        hub.register(UserId(1), "token", None)
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_for_the_database_is_told_to_come_back_and_leaves_nothing_behind() {
        let hub = Hub::new(HubConfig::default());
        for (validity_hangs, head_hangs) in [(true, false), (false, true)] {
            let is_valid = async { if validity_hangs { pending().await } else { Ok(true) } };
            let newest = async { if head_hangs { pending().await } else { Ok(None) } };
            let refused = admit(register(&hub), is_valid, newest).await.unwrap_err();
            assert_eq!(refused.status(), 503);
            assert_eq!(hub.stream_count(), 0);
        }
    }

    #[tokio::test]
    async fn only_a_users_first_stream_asks_for_the_newest_message() {
        let hub = Hub::new(HubConfig::default());
        let first = admit(register(&hub), ready(Ok(true)), ready(Ok(Some(MessageId(7))))).await.unwrap();
        let second =
            admit(register(&hub), ready(Ok(true)), async { panic!("nobody is to ask") }).await.unwrap();
        assert_ne!(first.id(), second.id());
        assert_eq!(hub.stream_count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn missed_messages_are_counted_only_if_there_may_be_too_many() {
        let hub = Hub::new(HubConfig::default());
        let mut registration = hub.register(UserId(1), "token", Some(hub::MessageId(10))).unwrap();
        registration.start_after(hub::MessageId(110));
        limit_backlog(&registration, 100, async { panic!("nobody is to ask") }).await.unwrap();
        let refused = limit_backlog(&registration, 99, pending()).await.unwrap_err();
        assert_eq!(refused.status(), 503);
    }

    #[tokio::test]
    async fn who_was_deleted_meanwhile_is_not_admitted() {
        let hub = Hub::new(HubConfig::default());
        let refused = admit(register(&hub), ready(Ok(false)), ready(Ok(None))).await.unwrap_err();
        assert_eq!((refused.status().as_u16(), hub.stream_count()), (401, 0));
    }
}
