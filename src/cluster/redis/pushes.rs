//! What Redis sends by itself: messages, and that a subscription or the connection has ended.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use redis::{PushInfo, PushKind, Value};

use crate::cluster::Inbox;

/// Takes what comes on one connection.
pub(super) struct Pushes {
    inbox: Inbox,
    leaving: Leaving,
}

/// The channels that this node has asked to leave, and whose end is not confirmed yet. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaving(Arc<Mutex<HashSet<Vec<u8>>>>);

impl Leaving {
    /// Notes channels, before Redis is asked to leave them.
    pub(super) fn begin(&self, names: &[String]) {
        self.0.lock().extend(names.iter().map(|name| name.clone().into_bytes()));
    }

    /// Returns whether the channel was one of them, and forgets it.
    fn end(&self, channel: Option<Value>) -> bool {
        matches!(channel, Some(Value::BulkString(name)) if self.0.lock().remove(&name))
    }
}

impl Pushes {
    pub(super) fn new(inbox: Inbox, leaving: Leaving) -> Self {
        Self { inbox, leaving }
    }

    pub(super) fn take(&self, push: PushInfo) {
        let mut data = push.data.into_iter();
        match push.kind {
            PushKind::Message | PushKind::SMessage => {
                if let Some(Value::BulkString(payload)) = data.nth(1) {
                    self.inbox.deliver(payload.into());
                }
            }
            // Asked for again: an end that comes from now on is not the one that was asked for before.
            PushKind::Subscribe | PushKind::SSubscribe => {
                self.leaving.end(data.next());
            }
            // A cluster ends the subscriptions to a slot that moves to another server. The client does not subscribe
            // there by itself, and the other channels are heard as before, so nothing else would be noticed.
            PushKind::Unsubscribe | PushKind::PUnsubscribe | PushKind::SUnsubscribe
                if !self.leaving.end(data.next()) =>
            {
                self.inbox.lost("Redis has ended a subscription");
            }
            PushKind::Disconnection => self.inbox.lost("Redis has closed the connection"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn push(kind: PushKind, channel: &str) -> PushInfo {
        PushInfo { kind, data: vec![Value::BulkString(channel.into()), Value::Int(0)] }
    }

    #[test]
    fn a_subscription_that_ends_unasked_is_a_lost_connection() {
        for (subscribed, ended) in [
            (PushKind::Subscribe, PushKind::Unsubscribe),
            (PushKind::PSubscribe, PushKind::PUnsubscribe),
            (PushKind::SSubscribe, PushKind::SUnsubscribe),
        ] {
            let (inbox, leaving) = (Inbox::new(), Leaving::default());
            let pushes = Pushes::new(inbox.clone(), leaving.clone());
            let is_lost = || inbox.until_lost().now_or_never().is_some();
            for channel in ["a", "b"] {
                pushes.take(push(subscribed.clone(), channel));
            }
            leaving.begin(&["a".to_owned()]);
            pushes.take(push(ended.clone(), "a"));
            assert!(!is_lost(), "{ended} of a channel that was left");
            pushes.take(push(ended.clone(), "b"));
            assert!(is_lost(), "{ended} of another channel");
            pushes.take(push(ended.clone(), "a"));
            assert!(is_lost(), "a second {ended}");
        }
    }

    #[test]
    fn a_channel_that_was_left_and_is_heard_again_can_be_lost() {
        let (inbox, leaving) = (Inbox::new(), Leaving::default());
        let pushes = Pushes::new(inbox.clone(), leaving.clone());
        leaving.begin(&["a".to_owned()]);
        pushes.take(push(PushKind::SSubscribe, "a"));
        pushes.take(push(PushKind::SUnsubscribe, "a"));
        assert!(inbox.until_lost().now_or_never().is_some());
    }
}
