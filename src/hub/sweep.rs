//! What time brings: one task for all streams, instead of a timer a stream.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::{HubConfig, shared::Shared};

/// Streams that are looked at before other tasks get to run.
const STREAMS_A_TURN: usize = 256;

/// How often every stream is looked at: once a second, or oftener where the times are short.
fn period(config: &HubConfig) -> Duration {
    let shortest =
        config.ping_period.min(config.stall_timeout).min(config.pong_timeout).min(config.close_timeout);
    (shortest / 4).clamp(Duration::from_millis(100), Duration::from_secs(1))
}

/// Looks after the streams until it is aborted.
pub(super) async fn sweep(shared: Arc<Shared>) {
    let mut ticks = interval(period(&shared.config));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut streams = Vec::new();
    loop {
        ticks.tick().await;
        let now = shared.clock.now();
        for shard in 0..shared.shards.count() {
            shared.shards.collect(shard, &mut streams);
            while !streams.is_empty() {
                let turn = streams.len().saturating_sub(STREAMS_A_TURN);
                shared.visit(&streams[turn..], |stream| stream.sweep(now, &shared.config));
                streams.truncate(turn);
                if !streams.is_empty() {
                    tokio::task::yield_now().await;
                }
            }
        }
        // A shard that was once very full must not hold memory for ever.
        streams.shrink_to(STREAMS_A_TURN);
    }
}
