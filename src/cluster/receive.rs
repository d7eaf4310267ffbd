//! From what was heard to the streams.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::task::yield_now;
use tokio::time::Instant;

use super::inbox::Inbox;
use super::node::Shared;
use super::wire::{self, Announcement, Body, Envelope};
use crate::hub::{self, EventFrame, Formats, Frame};

/// Messages that are read before other tasks have their turn.
const AT_ONCE: usize = 64;

/// Reads what was heard, for ever.
pub(super) async fn run(shared: &Shared, inbox: &Inbox) {
    loop {
        let heard = inbox.take().await;
        if heard.dropped > 0 {
            shared.stats.dropped_received.fetch_add(heard.dropped, Ordering::Relaxed);
            shared.comparison.compare_all();
        }
        for (place, payload) in heard.payloads.into_iter().enumerate() {
            hear(shared, payload);
            if place % AT_ONCE == AT_ONCE - 1 {
                yield_now().await;
            }
        }
    }
}

pub(super) fn hear(shared: &Shared, payload: Bytes) {
    let Some(Envelope { sender, body: Some(body), .. }) = wire::decode(payload) else {
        shared.stats.not_understood.fetch_add(1, Ordering::Relaxed);
        return;
    };
    match body {
        // Those of this node too: what another node has stored meanwhile may have lower ids.
        Body::Announcement(announcement) => announce(shared, announcement),
        Body::Heartbeat(_) if sender == shared.id => shared.peers.heard_self(Instant::now()),
        Body::Heartbeat(heartbeat) => shared.peers.heard(sender, &heartbeat.name, Instant::now()),
        Body::Revoked(_) => {
            if sender != shared.id {
                (shared.on_revoked)();
            }
        }
        // Streams of this node got its own events already.
        Body::Event(event) => {
            if sender != shared.id {
                // It may say that messages are gone.
                shared.hub.forget_backlog(hub::UserId(event.user));
                let frame = match event.kind.as_str() {
                    "" => EventFrame::default(),
                    kind => (shared.make_event)(kind, &event.json),
                };
                shared.hub.notify_event(hub::UserId(event.user), &frame);
            }
        }
        Body::Compare(_) => {
            if sender != shared.id {
                shared.comparison.compare_all();
            }
        }
    }
}

fn announce(shared: &Shared, announcement: Announcement) {
    shared.stats.received.fetch_add(1, Ordering::Relaxed);
    let user = hub::UserId(announcement.user);
    if !shared.hub.has_streams(user) {
        return;
    }
    let formats = shared.hub.formats(user);
    let previous = hub::MessageId(announcement.previous);
    if announcement.messages.is_empty() {
        let last = hub::MessageId(announcement.last);
        shared.hub.notify_after(user, previous, &[Frame::unencoded(last)]);
    } else {
        let frames = frames(shared, announcement, formats);
        shared.hub.notify_after(user, previous, &frames);
    }
}

fn frames(shared: &Shared, announcement: Announcement, formats: Formats) -> Vec<Frame> {
    let frame = |message: wire::StoredMessage| {
        let head = Frame::unencoded(hub::MessageId(message.id))
            .with_subject(hub::ApplicationId(message.application), message.priority);
        (shared.make_frame)(head, &message.json, formats)
    };
    announcement.messages.into_iter().map(frame).collect()
}
