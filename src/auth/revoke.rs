//! The one way to make this node act on what is valid no longer.

use super::Authenticator;
use crate::hub::{self, Hub};
use crate::model::UserId;
use crate::store::Revocation;

impl Revocation {
    /// Makes this node act on it: first the caches, then the streams. Whoever reads a close frame finds that the
    /// token is refused already, and comes back to no avail.
    pub fn apply(&self, auth: &Authenticator, hub: &Hub) {
        self.forget(auth);
        self.close_streams(hub);
    }

    /// Makes caches forget what it is about.
    pub(super) fn forget(&self, auth: &Authenticator) {
        match self {
            Self::ClientDeleted { token, .. }
            | Self::ClientExpired { token, .. }
            | Self::ClientChanged { token } => auth.forget_client(token),
            Self::ApplicationToken { token } | Self::ApplicationChanged { token } => {
                auth.forget_application(token);
            }
            Self::UserChanged { user_id } => auth.forget_user(*user_id),
            Self::DatabaseWentBack {} => auth.forget_all(),
            // No cache has it.
            Self::RetentionChanged { .. } => {}
            Self::UserDeleted { user_id, client_tokens, application_tokens } => {
                auth.forget_user(*user_id);
                for token in application_tokens {
                    auth.forget_application(token);
                }
                for token in client_tokens {
                    auth.forget_client(token);
                }
            }
        }
    }

    fn close_streams(&self, hub: &Hub) {
        match self {
            Self::ClientDeleted { user_id, token } => {
                hub.close_token(hub_id(*user_id), token);
            }
            Self::ClientExpired { user_id, token } => {
                hub.expire_token(hub_id(*user_id), token);
            }
            // A stream that is admitted from here on is looked up again once it is registered, and found gone.
            Self::UserDeleted { user_id, .. } => {
                hub.close_user(hub_id(*user_id));
            }
            Self::ClientChanged { .. }
            | Self::ApplicationToken { .. }
            | Self::ApplicationChanged { .. }
            | Self::UserChanged { .. }
            | Self::RetentionChanged { .. }
            // Who reads the log looks up everybody who has streams.
            | Self::DatabaseWentBack {} => {}
        }
    }
}

/// Returns the id by which the hub knows a user.
pub(super) fn hub_id(user_id: UserId) -> hub::UserId {
    hub::UserId(user_id.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use parking_lot::Mutex;
    use secrecy::SecretString;
    use tokio::time::Instant;

    use super::super::{Authenticate, LoginError, Passwords, TokenApplication, TokenClient};
    use super::*;
    use crate::hub::{EndReason, HubConfig, Registration};
    use crate::model::User;
    use crate::store::StoreError;

    /// Writes down what it is to forget, and ends streams of its own: they tell whether they had been closed by then.
    #[derive(Debug, Default)]
    struct Recorder {
        forgotten: Mutex<Vec<String>>,
        probes: Mutex<Vec<Registration>>,
    }

    impl Recorder {
        fn record(&self, what: String) {
            self.forgotten.lock().push(what);
            self.probes.lock().clear();
        }
    }

    #[async_trait]
    impl Authenticate for Recorder {
        async fn application(&self, _: &str) -> Result<Option<Arc<TokenApplication>>, StoreError> {
            Ok(None)
        }

        async fn client(&self, _: &str) -> Result<Option<Arc<TokenClient>>, StoreError> {
            Ok(None)
        }

        async fn user(&self, _: &str, _: SecretString, _: Instant) -> Result<Option<User>, LoginError> {
            Ok(None)
        }

        fn forget_application(&self, token: &str) {
            self.record(format!("application {token}"));
        }

        fn forget_client(&self, token: &str) {
            self.record(format!("client {token}"));
        }

        fn forget_user(&self, user_id: UserId) {
            self.record(format!("user {user_id}"));
        }

        fn forget_all(&self) {
            self.record("everything".to_owned());
        }
    }

    /// Applies it where a user has a stream by each of two tokens and one by password. Returns what was forgotten, and
    /// how these streams ended.
    fn effects(revocation: &Revocation) -> (Vec<String>, Vec<(EndReason, u64)>) {
        let hub = Hub::new(HubConfig::default());
        let streams = || ["C1", "C2", ""].map(|token| hub.register(hub::UserId(1), token, None).unwrap());
        let recorder = Arc::new(Recorder::default());
        recorder.probes.lock().extend(streams());
        let auth = Authenticator::new(Arc::clone(&recorder) as Arc<dyn Authenticate>, Passwords::new(4));
        let streams = streams();
        revocation.apply(&auth, &hub);
        assert_eq!(hub.end_counts(), [(EndReason::Dropped, 3)], "{revocation:?}: the caches come first");
        drop(streams);
        let ends = hub.end_counts().into_iter().filter(|(reason, _)| *reason != EndReason::Dropped);
        (std::mem::take(&mut *recorder.forgotten.lock()), ends.collect())
    }

    #[tokio::test]
    async fn caches_are_seen_to_before_streams_are_closed() {
        let user_id = UserId(1);
        let token = || "C1".to_owned();
        let deleted = Revocation::UserDeleted {
            user_id,
            client_tokens: vec![token(), "C2".to_owned()],
            application_tokens: vec!["A1".to_owned()],
        };
        for (revocation, forgotten, ends) in [
            (Revocation::ClientChanged { token: token() }, &["client C1"][..], &[][..]),
            (Revocation::ApplicationChanged { token: "A1".to_owned() }, &["application A1"], &[]),
            (Revocation::ApplicationToken { token: "A1".to_owned() }, &["application A1"], &[]),
            (Revocation::UserChanged { user_id }, &["user 1"], &[]),
            (Revocation::DatabaseWentBack {}, &["everything"], &[]),
            (
                Revocation::ClientDeleted { user_id, token: token() },
                &["client C1"],
                &[(EndReason::TokenDeleted, 1)],
            ),
            (
                Revocation::ClientExpired { user_id, token: token() },
                &["client C1"],
                &[(EndReason::TokenExpired, 1)],
            ),
            (
                deleted,
                &["user 1", "application A1", "client C1", "client C2"],
                &[(EndReason::UserDeleted, 3)],
            ),
        ] {
            let expected = (forgotten.iter().map(|&what| what.to_owned()).collect(), ends.to_vec());
            assert_eq!(effects(&revocation), expected, "{revocation:?}");
        }
    }
}
