//! What time brings: one task for all streams, instead of a timer a stream.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

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

/// Looks after the streams until it is aborted. It sleeps while there are none.
pub(super) async fn sweep(shared: Arc<Shared>) {
    let mut ticks = interval(period(&shared.config));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut streams = Vec::new();
    loop {
        while shared.streams.load(Ordering::Relaxed) == 0 {
            shared.filled.notified().await;
        }
        ticks.tick().await;
        let (now, real) = (shared.clock.now(), shared.clock.real());
        for shard in 0..shared.shards.count() {
            shared.shards.collect(shard, &mut streams);
            while !streams.is_empty() {
                let turn = streams.len().saturating_sub(STREAMS_A_TURN);
                shared.visit(&streams[turn..], |stream| stream.sweep(now, real, &shared.config));
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

#[cfg(test)]
mod tests {
    use crate::hub::{Hub, HubConfig, UserId};

    #[tokio::test(start_paused = true)]
    async fn nothing_wakes_up_while_there_are_no_streams() {
        let hub = Hub::new(HubConfig::default());
        // The clock itself wakes up some times on its way to a time that is far away.
        let wake_ups_in_an_hour = async || {
            let count = || tokio::runtime::Handle::current().metrics().worker_park_count(0);
            let before = count();
            tokio::time::sleep(std::time::Duration::from_hours(1)).await;
            count() - before
        };
        assert!(wake_ups_in_an_hour().await < 50);
        let stream = hub.register(UserId(1), "token", None).unwrap();
        assert!(wake_ups_in_an_hour().await >= 3600);
        drop(stream);
        wake_ups_in_an_hour().await;
        assert!(wake_ups_in_an_hour().await < 50);
    }
}
