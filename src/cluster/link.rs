//! The connection to the backplane: made, watched, and made again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::inbox::Inbox;
use super::node::Shared;
use super::subscriptions::ChannelSet;
use super::wire::{self, Body, Compare, Heartbeat};
use super::{BackplaneError, BackplaneLink, Channel, Outgoing, receive};
use crate::model::UserId;

/// How long the backplane may take to connect, to take messages, and to confirm a channel.
const OPERATION: Duration = Duration::from_secs(3);

/// How often a node says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// If a node does not hear its own heartbeat for so long, the connection is of no use, whatever it looks like.
const SILENCE: Duration = Duration::from_secs(4);

/// The shortest and the longest wait before the next attempt to connect.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How often channels are looked for that nobody needs any more.
const GIVE_UP: Duration = Duration::from_secs(30);

/// Keeps a connection, for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut wait = FIRST_WAIT;
    let mut is_away = false;
    // So that nodes do not come back all at the same moment.
    let mut random = StdRng::seed_from_u64(shared.id);
    loop {
        let inbox = Inbox::new();
        let connected = match limited("connect in time", shared.backplane.connect(inbox.clone())).await {
            Ok(mut link) => {
                let ended = connected(&shared, &mut *link, &inbox, &mut is_away).await;
                wait = FIRST_WAIT;
                ended
            }
            Err(error) => Err(error),
        };
        shared.subscriptions.away();
        let dropped = shared.outbox.close();
        shared.stats.dropped_sent.fetch_add(dropped, Ordering::Relaxed);
        if let Err(error) = connected {
            // Once for each outage.
            if !std::mem::replace(&mut is_away, true) {
                let cause = &error as &dyn std::error::Error;
                tracing::warn!(error = cause, "the backplane is away: other nodes' messages come later");
            }
        }
        sleep(wait.mul_f64(random.random_range(0.5..1.0))).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Uses a connection until it fails.
async fn connected(
    shared: &Shared,
    link: &mut dyn BackplaneLink,
    inbox: &Inbox,
    was_away: &mut bool,
) -> Result<(), BackplaneError> {
    let lost = async {
        let why = inbox.until_lost().await;
        Err(BackplaneError::new("keep the connection", why))
    };
    let used = async {
        begin(shared, link).await?;
        if std::mem::take(was_away) {
            tracing::info!("the backplane is back");
        }
        use_link(shared, link).await
    };
    tokio::select! {
        biased;
        ended = lost => ended,
        ended = used => ended,
        () = receive::run(shared, inbox) => Ok(()),
    }
}

/// Listens to all channels that are needed, and compares all heads once they are confirmed.
async fn begin(shared: &Shared, link: &mut dyn BackplaneLink) -> Result<(), BackplaneError> {
    subscribe(link, &[Channel::ALL]).await?;
    shared.peers.begin(Instant::now());
    shared.outbox.open();
    // What was stored before the outbox was open was not announced.
    shared.say(Channel::ALL, Body::Compare(Compare {}));
    shared.say(Channel::ALL, Body::Revoked(wire::Revoked {}));
    shared.subscriptions.connected();
    let needed = shared.subscriptions.missing();
    if !needed.is_empty() {
        subscribe(link, &needed).await?;
        shared.subscriptions.confirm(&needed);
    }
    shared.comparison.compare_all();
    (shared.on_revoked)();
    Ok(())
}

async fn use_link(shared: &Shared, link: &mut dyn BackplaneLink) -> Result<(), BackplaneError> {
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut give_up = interval(GIVE_UP);
    give_up.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut unused = ChannelSet::default();
    loop {
        tokio::select! {
            biased;
            missing = shared.subscriptions.until_missing() => {
                subscribe(link, &missing).await?;
                shared.subscriptions.confirm(&missing);
            }
            _ = heartbeat.tick() => {
                if shared.peers.self_heard_at().elapsed() > SILENCE {
                    return Err(BackplaneError::new("hear its own messages", "nothing came back"));
                }
                let name = shared.config.name.to_string();
                let payload = wire::encode(shared.id, Body::Heartbeat(Heartbeat { name }));
                publish(shared, link, &[Outgoing { channel: Channel::ALL, payload }]).await?;
                if shared.lost_events.swap(false, Ordering::Relaxed) {
                    let payload = wire::encode(shared.id, Body::Compare(Compare {}));
                    publish(shared, link, &[Outgoing { channel: Channel::ALL, payload }]).await?;
                }
            }
            _ = give_up.tick() => {
                let unneeded = shared.subscriptions.give_up(&mut unused, || used(shared));
                if !unneeded.is_empty() {
                    limited("leave channels in time", link.unsubscribe(&unneeded)).await?;
                }
            }
            batch = shared.outbox.next_batch() => publish(shared, link, &batch).await?,
        }
    }
}

/// The channels of users who have streams here.
fn used(shared: &Shared) -> ChannelSet {
    let mut used = ChannelSet::default();
    for user in shared.hub.users() {
        used.insert(Channel::of(UserId(user.0)));
    }
    used
}

async fn subscribe(link: &mut dyn BackplaneLink, channels: &[Channel]) -> Result<(), BackplaneError> {
    limited("listen to channels in time", link.subscribe(channels)).await
}

async fn publish(
    shared: &Shared,
    link: &mut dyn BackplaneLink,
    batch: &[Outgoing],
) -> Result<(), BackplaneError> {
    let published = limited("publish in time", link.publish(batch)).await;
    let count = if published.is_ok() { &shared.stats.sent } else { &shared.stats.dropped_sent };
    count.fetch_add(batch.len() as u64, Ordering::Relaxed);
    published
}

async fn limited<T>(
    operation: &'static str,
    done: impl Future<Output = Result<T, BackplaneError>>,
) -> Result<T, BackplaneError> {
    let late = |_| Err(BackplaneError::new(operation, format!("no answer within {} s", OPERATION.as_secs())));
    timeout(OPERATION, done).await.unwrap_or_else(late)
}
