//! From what the node tells its observers to the metrics.

use std::time::Duration;

use axum::http::StatusCode;

use super::{
    Inner,
    labels::{EndLabel, Login, Queue, RequestLabels},
};
use crate::{
    api::{RequestObserver, RouteClass},
    auth::LoginObserver,
    hub::{ConnectionId, EndReason, Observer, PassReport, UserId},
    server::ConnectionObserver,
    store::{PublishObserver, PublishOutcome},
};

impl Observer for Inner {
    fn on_register(&self, _: UserId, _: ConnectionId) {
        self.families.streams_opened.inc();
    }

    fn on_end(&self, _: UserId, _: ConnectionId, reason: EndReason) {
        let families = &self.families;
        families.streams_ended.of(EndLabel(reason)).inc();
        if reason.is_error() {
            families.connection_errors.inc();
        }
        if is_message_error(reason) {
            families.message_errors.inc();
        }
    }

    fn on_pass(&self, _: UserId, report: PassReport) {
        let families = &self.families;
        families.messages_sent.inc_by(report.delivered as u64);
        families.pass_duration.observe(report.took);
        families.pass_streams.observe(report.streams);
        // A pass that reached nobody says nothing about how long it takes to reach somebody.
        if let Some(oldest) = report.oldest.filter(|_| report.delivered > 0) {
            families.response_time.observe(oldest);
        }
        if report.overflowed {
            families.queue_overflows.of(Queue::Inbox).inc();
        }
    }

    fn on_catch_up(&self, _: UserId, messages: usize) {
        let families = &self.families;
        families.messages_sent.inc_by(messages as u64);
        families.caught_up_messages.inc_by(messages as u64);
    }

    fn on_ring_overflow(&self, _: UserId, _: ConnectionId) {
        self.families.queue_overflows.of(Queue::Ring).inc();
    }

    fn on_panic(&self, _: &'static str) {
        self.families.panics.inc();
    }

    fn on_receive(&self, _: UserId, _: ConnectionId) {
        self.families.messages_received.inc();
    }
}

/// Whether it was something that the client sent.
fn is_message_error(reason: EndReason) -> bool {
    matches!(
        reason,
        EndReason::TooLarge | EndReason::TooManyFrames | EndReason::ProtocolError | EndReason::InvalidPayload
    )
}

impl PublishObserver for Inner {
    fn on_publish(&self, outcome: PublishOutcome, took: Duration) {
        let families = &self.families;
        families.publishes.of(outcome.into()).inc();
        if outcome != PublishOutcome::Refused {
            families.publish_duration.observe(took);
        }
    }

    fn on_commit(&self, messages: usize, took: Duration) {
        self.families.commit_duration.observe(took);
        self.families.commit_messages.observe(messages);
    }

    fn on_queue_full(&self) {
        self.families.queue_overflows.of(Queue::Writer).inc();
    }

    fn on_panic(&self, _: &'static str) {
        self.families.panics.inc();
    }
}

impl RequestObserver for Inner {
    fn on_response(&self, route: RouteClass, status: StatusCode, took: Duration) {
        let families = &self.families;
        families.http_requests.of(RequestLabels::new(route, status)).inc();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            families.handshake_duration.observe(took);
        }
    }
}

impl ConnectionObserver for Inner {
    fn on_refuse(&self) {
        self.families.connections_refused.inc();
    }

    fn on_panic(&self, _: &'static str) {
        self.families.panics.inc();
    }
}

impl LoginObserver for Inner {
    fn on_login(&self, succeeded: bool) {
        let outcome = if succeeded { Login::Succeeded } else { Login::Failed };
        self.families.logins.of(outcome).inc();
    }
}
