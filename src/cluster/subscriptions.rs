//! Which channels a node listens to.

use tokio::sync::watch;

use super::Channel;

/// What the node is to listen to, and what the backplane has confirmed.
#[derive(Debug)]
pub(super) struct Subscriptions(watch::Sender<State>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Users on the node need these.
    wanted: ChannelSet,
    /// The backplane carries these to the node.
    confirmed: ChannelSet,
    is_connected: bool,
}

/// Channels of users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ChannelSet([u64; 4]);

impl Subscriptions {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    /// Waits until what is published on a channel is heard, and goes on hearing it for as long as one of its users is on
    /// the node. Returns at once while there is no connection: after the next one all heads are compared.
    pub(super) async fn listen(&self, channel: Channel) {
        self.0.send_if_modified(|state| state.wanted.insert(channel));
        let is_settled = |state: &State| !state.is_connected || state.confirmed.contains(channel);
        if is_settled(&self.0.borrow()) {
            return;
        }
        // The sender is not dropped while it is borrowed.
        let _ = self.0.subscribe().wait_for(is_settled).await;
    }

    /// There is a connection, which carries no channel yet.
    pub(super) fn connected(&self) {
        self.0.send_modify(|state| {
            state.is_connected = true;
            state.confirmed = ChannelSet::default();
        });
    }

    /// There is no connection.
    pub(super) fn away(&self) {
        self.0.send_modify(|state| state.is_connected = false);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.0.borrow().is_connected
    }

    /// Counts the channels that are heard.
    pub(super) fn heard(&self) -> usize {
        let state = *self.0.borrow();
        if state.is_connected { state.confirmed.len() } else { 0 }
    }

    /// The backplane carries these channels.
    pub(super) fn confirm(&self, channels: &[Channel]) {
        self.0.send_modify(|state| {
            for &channel in channels {
                state.confirmed.insert(channel);
            }
        });
    }

    /// Returns the channels that are wanted and not carried.
    pub(super) fn missing(&self) -> Vec<Channel> {
        let state = *self.0.borrow();
        state.wanted.without(state.confirmed).iter().collect()
    }

    /// Waits until a channel is wanted that is not carried.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn until_missing(&self) -> Vec<Channel> {
        let lacks = |state: &State| state.wanted.without(state.confirmed) != ChannelSet::default();
        // The sender is not dropped while it is borrowed.
        let _ = self.0.subscribe().wait_for(lacks).await;
        self.missing()
    }

    /// Gives up channels that no user on the node needs, of those that nobody needed at the last call either. Returns
    /// those that the backplane need not carry any more: from here on they count as not carried.
    pub(super) fn give_up(
        &self,
        unused_before: &mut ChannelSet,
        used: impl Fn() -> ChannelSet,
    ) -> Vec<Channel> {
        let unused = self.0.borrow().confirmed.without(used());
        let leaving = unused.both(*unused_before);
        *unused_before = unused.without(leaving);
        self.0.send_if_modified(|state| {
            state.wanted = state.wanted.without(leaving);
            state.confirmed = state.confirmed.without(leaving);
            leaving != ChannelSet::default()
        });
        // A user may have come since `used` was asked for, and have found the channel carried. It still is.
        let needed = leaving.both(used());
        self.0.send_if_modified(|state| {
            state.wanted = state.wanted.with(needed);
            state.confirmed = state.confirmed.with(needed);
            needed != ChannelSet::default()
        });
        leaving.without(needed).iter().collect()
    }
}

impl ChannelSet {
    /// Adds a channel of users; false if it was there, or is no channel of users.
    pub(super) fn insert(&mut self, channel: Channel) -> bool {
        let Some((word, bit)) = self.place(channel) else { return false };
        let was_there = self.0[word] & bit != 0;
        self.0[word] |= bit;
        !was_there
    }

    fn contains(&self, channel: Channel) -> bool {
        self.place(channel).is_none_or(|(word, bit)| self.0[word] & bit != 0)
    }

    fn place(&self, channel: Channel) -> Option<(usize, u64)> {
        let word = usize::from(channel.number() / 64);
        (word < self.0.len()).then(|| (word, 1 << (channel.number() % 64)))
    }

    fn len(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn iter(self) -> impl Iterator<Item = Channel> {
        (0..Channel::OF_USERS).filter_map(Channel::from_number).filter(move |channel| self.contains(*channel))
    }

    fn with(self, other: Self) -> Self {
        self.join(other, |a, b| a | b)
    }

    fn without(self, other: Self) -> Self {
        self.join(other, |a, b| a & !b)
    }

    fn both(self, other: Self) -> Self {
        self.join(other, |a, b| a & b)
    }

    fn join(self, other: Self, join: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|word| join(self.0[word], other.0[word])))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt as _;

    use super::*;

    fn channel(number: u16) -> Channel {
        Channel::from_number(number).unwrap()
    }

    fn set(channels: &[u16]) -> ChannelSet {
        let mut set = ChannelSet::default();
        for &number in channels {
            set.insert(channel(number));
        }
        set
    }

    #[tokio::test]
    async fn a_stream_waits_until_its_channel_is_heard_unless_there_is_no_connection() {
        let subscriptions = Subscriptions::new();
        subscriptions.listen(channel(7)).await;
        assert_eq!(subscriptions.missing(), [channel(7)], "it is heard with the next connection");
        subscriptions.connected();
        assert!(subscriptions.listen(channel(7)).now_or_never().is_none());
        let both = async {
            let missing = subscriptions.until_missing().await;
            subscriptions.confirm(&missing);
        };
        tokio::join!(subscriptions.listen(channel(7)), both);
        assert_eq!(subscriptions.heard(), 1);
        subscriptions.listen(channel(7)).await;
        assert!(subscriptions.until_missing().now_or_never().is_none());

        assert!(subscriptions.listen(channel(255)).now_or_never().is_none());
        tokio::join!(subscriptions.listen(channel(255)), async { subscriptions.away() });
        assert_eq!(subscriptions.heard(), 0);
    }

    #[tokio::test]
    async fn a_channel_is_given_up_when_nobody_needed_it_twice() {
        let subscriptions = Subscriptions::new();
        subscriptions.connected();
        let channels = [1, 2, 3].map(channel);
        for channel in channels {
            let _ = subscriptions.listen(channel).now_or_never();
        }
        subscriptions.confirm(&channels);
        let mut unused = ChannelSet::default();
        assert_eq!(subscriptions.give_up(&mut unused, || set(&[1])), []);
        assert_eq!(subscriptions.give_up(&mut unused, || set(&[1, 3])), [channel(2)]);
        assert!(subscriptions.listen(channel(2)).now_or_never().is_none(), "it is not heard any more");
        assert_eq!(subscriptions.give_up(&mut unused, || set(&[1])), []);

        // A user of channel 3 comes at the last moment, and has found it carried.
        let asked = Cell::new(0);
        let used = || {
            asked.set(asked.get() + 1);
            if asked.get() == 1 { set(&[1]) } else { set(&[1, 3]) }
        };
        assert_eq!(subscriptions.give_up(&mut unused, used), []);
        assert!(subscriptions.listen(channel(3)).now_or_never().is_some());
    }
}
