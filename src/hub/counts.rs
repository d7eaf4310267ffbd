//! What people may want to know of a hub at work.

use std::{cmp::Reverse, collections::BinaryHeap, sync::atomic::Ordering};

use super::{Hub, UserId};

impl Hub {
    /// Counts the messages that were given to sockets since the hub was made, summed over the streams.
    pub fn delivered_count(&self) -> u64 {
        self.0.shared.delivered.load(Ordering::Relaxed)
    }

    /// Returns the users with the most streams, at most `limit` of them, and how many streams each has. The user with
    /// the most comes first; of users with equally many, the one with the lowest id.
    ///
    /// It looks at every user that has streams, one after the other, so that nobody else waits for it. That takes some
    /// milliseconds for 10 000 users: call it from a thread that may block.
    pub fn users_with_most_streams(&self, limit: usize) -> Vec<(UserId, usize)> {
        let mut most = BinaryHeap::with_capacity(limit.saturating_add(1).min(1024));
        for user in self.users() {
            let streams = self.stream_count_of(user);
            // All its streams may have ended since it was listed.
            if streams > 0 {
                most.push((Reverse(streams), user));
            }
            // The greatest has the fewest streams.
            if most.len() > limit {
                most.pop();
            }
        }
        most.into_sorted_vec().into_iter().map(|(Reverse(streams), user)| (user, streams)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::hub::{
        Hub, HubConfig, UserId,
        tests::fake::{FakeSocket, frame},
    };

    #[tokio::test]
    async fn the_users_with_the_most_streams_come_first() {
        let hub = Hub::new(HubConfig::default());
        let register = |user: u64| hub.register(UserId(user), "token", None).unwrap();
        let registered: Vec<_> = [7, 3, 9, 3, 5, 9, 9].map(register).into();
        let most = |limit| hub.users_with_most_streams(limit);
        assert_eq!(most(3), [(UserId(9), 3), (UserId(3), 2), (UserId(5), 1)]);
        assert_eq!(most(9), [(UserId(9), 3), (UserId(3), 2), (UserId(5), 1), (UserId(7), 1)]);
        assert_eq!(most(0), []);
        drop(registered);
        assert_eq!(most(9), []);
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_and_late_streams_deliver_is_counted() {
        let hub = Hub::new(HubConfig { shard_count: 4, ..HubConfig::default() });
        let sockets = [FakeSocket::with_room(1 << 20), FakeSocket::with_room(0)];
        let streams = sockets.clone().map(|socket| {
            let mut stream = hub.register(UserId(1), "token", None).unwrap().attach(socket);
            tokio::spawn(async move { stream.ended().await })
        });
        hub.notify(UserId(1), &[frame(1, 5), frame(2, 5)]);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(hub.delivered_count(), 2, "the second stream has taken nothing");
        sockets[1].add_room(1 << 20);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(hub.delivered_count(), 4);
        for stream in streams {
            stream.abort();
        }
    }
}
