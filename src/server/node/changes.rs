//! What a node does once messages were stored or deleted: it brings that to the streams, here and on other nodes.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::{
    api::{
        event::Event,
        stream::{announce, announce_everywhere},
    },
    auth::Clock,
    cluster::Cluster,
    hub::Hub,
    push::Push,
    store::{Commit, Database, IndexCounts, Replacement, Retention, RetentionJob, RetentionJobParts},
};

/// Starts the task that deletes messages which are not kept.
pub(super) fn delete_old(
    database: &Arc<dyn Database>,
    clock: Clock,
    (hub, cluster): (Hub, Option<Cluster>),
    index: Arc<IndexCounts>,
    changed_elsewhere: Arc<Notify>,
) -> RetentionJob {
    let on_deleted = move |user, application, deleted| {
        for event in Event::of_deleted(application, deleted) {
            event.announce(&hub, cluster.as_ref(), user);
        }
    };
    let parts = RetentionJobParts {
        now: Box::new(move || clock.now()),
        is_shared: database.can_be_shared(),
        changed_elsewhere,
        on_deleted: Box::new(on_deleted),
        after_round: Box::new(move |user| index.forget_deleted(user)),
    };
    RetentionJob::spawn(Arc::clone(database) as Arc<dyn Retention>, parts)
}

/// Returns what is called after each commit. It never waits.
pub(super) fn on_commit(
    hub: Hub,
    cluster: Option<Cluster>,
    push: Option<Push>,
    retention: RetentionJob,
) -> impl Fn(&Commit) {
    move |commit| {
        match &cluster {
            None => announce(&hub, commit),
            Some(cluster) => announce_everywhere(&hub, cluster, commit),
        }
        // After the messages that have taken the places.
        for Replacement { user_id, id, replaced } in commit.replaced() {
            let event = Event::Replaced { id: *id, ids: replaced.clone() };
            event.announce(&hub, cluster.as_ref(), *user_id);
        }
        if let Some(push) = &push {
            push.announce(commit);
        }
        retention.stored(commit);
    }
}
