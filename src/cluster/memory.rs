//! A backplane inside one process, for tests and for programs that run several nodes in one. It can be made to do
//! everything that a real one may do to messages.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::{Backplane, BackplaneError, BackplaneLink, Channel, Inbox, Outgoing};

/// What goes wrong on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MemoryFaults {
    /// The share of messages that are lost, from 0 to 1, of those on the channels of users.
    pub lost: f64,
    /// The share of messages that come twice, from 0 to 1.
    pub doubled: f64,
    /// Each message takes up to this long, so that messages come in another order. It takes up to half as long until a
    /// channel is heard.
    pub delay: Duration,
}

/// A backplane inside one process. Clones are the same one.
#[derive(Clone)]
pub struct MemoryBackplane(Arc<Mutex<State>>);

struct State {
    listeners: Vec<Listener>,
    next: u64,
    faults: MemoryFaults,
    random: StdRng,
    is_away: bool,
    is_deaf: bool,
    max_message_bytes: usize,
}

struct Listener {
    id: u64,
    channels: HashSet<Channel>,
    inbox: Inbox,
}

impl MemoryBackplane {
    /// Makes one that does to messages what these faults say. The same seed does the same.
    pub fn new(faults: MemoryFaults, seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            listeners: Vec::new(),
            next: 0,
            faults,
            random: StdRng::seed_from_u64(seed),
            is_away: false,
            is_deaf: false,
            max_message_bytes: 64 << 10,
        })))
    }

    /// Makes it go away, or come back: connections are lost, and none can be made.
    pub fn set_away(&self, is_away: bool) {
        let mut state = self.0.lock();
        state.is_away = is_away;
        if is_away {
            for listener in std::mem::take(&mut state.listeners) {
                listener.inbox.lost("it was switched off");
            }
        }
    }

    /// Makes it lose everything while connections stay, as a server that is stopped or cut off does; or ends that.
    pub fn set_deaf(&self, is_deaf: bool) {
        self.0.lock().is_deaf = is_deaf;
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&self, faults: MemoryFaults) {
        self.0.lock().faults = faults;
    }

    /// Counts the connections.
    pub fn connections(&self) -> usize {
        self.0.lock().listeners.len()
    }
}

impl Default for MemoryBackplane {
    /// One without faults.
    fn default() -> Self {
        Self::new(MemoryFaults::default(), 0)
    }
}

#[async_trait]
impl Backplane for MemoryBackplane {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn max_message_bytes(&self) -> usize {
        self.0.lock().max_message_bytes
    }

    async fn connect(&self, inbox: Inbox) -> Result<Box<dyn BackplaneLink>, BackplaneError> {
        let mut state = self.0.lock();
        if state.is_away {
            return Err(BackplaneError::new("connect", "it is switched off"));
        }
        let id = state.next;
        state.next += 1;
        state.listeners.push(Listener { id, channels: HashSet::new(), inbox });
        Ok(Box::new(Link { backplane: self.clone(), id }))
    }
}

/// A connection.
#[derive(Debug)]
struct Link {
    backplane: MemoryBackplane,
    id: u64,
}

impl Link {
    fn change(&self, change: impl FnOnce(&mut HashSet<Channel>)) -> Result<(), BackplaneError> {
        let mut state = self.backplane.0.lock();
        let own = state.listeners.iter_mut().find(|listener| listener.id == self.id);
        own.map(|own| change(&mut own.channels)).ok_or_else(switched_off)
    }
}

fn switched_off() -> BackplaneError {
    BackplaneError::new("use the connection", "it was switched off")
}

#[async_trait]
impl BackplaneLink for Link {
    async fn publish(&mut self, messages: &[Outgoing]) -> Result<(), BackplaneError> {
        let mut state = self.backplane.0.lock();
        if state.is_away {
            return Err(switched_off());
        }
        for message in messages {
            state.publish(message);
        }
        Ok(())
    }

    async fn subscribe(&mut self, channels: &[Channel]) -> Result<(), BackplaneError> {
        let wait = {
            let mut state = self.backplane.0.lock();
            let most = state.faults.delay / 2;
            most.mul_f64(state.random.random_range(0.0..1.0))
        };
        tokio::time::sleep(wait).await;
        self.change(|own| own.extend(channels))
    }

    async fn unsubscribe(&mut self, channels: &[Channel]) -> Result<(), BackplaneError> {
        self.change(|own| own.retain(|channel| !channels.contains(channel)))
    }
}

impl State {
    fn publish(&mut self, message: &Outgoing) {
        if self.is_deaf {
            return;
        }
        let Self { listeners, faults, random, .. } = self;
        let MemoryFaults { lost, doubled, delay } = *faults;
        for listener in listeners.iter().filter(|listener| listener.channels.contains(&message.channel)) {
            if message.channel != Channel::ALL && random.random_bool(lost) {
                continue;
            }
            let times = if random.random_bool(doubled) { 2 } else { 1 };
            for _ in 0..times {
                let (inbox, payload) = (listener.inbox.clone(), message.payload.clone());
                if delay.is_zero() {
                    inbox.deliver(payload);
                } else {
                    let wait = delay.mul_f64(random.random_range(0.0..1.0));
                    tokio::spawn(async move {
                        tokio::time::sleep(wait).await;
                        inbox.deliver(payload);
                    });
                }
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.backplane.0.lock().listeners.retain(|listener| listener.id != self.id);
    }
}

impl fmt::Debug for MemoryBackplane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBackplane").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backplane(_: &str) -> MemoryBackplane {
        MemoryBackplane::default()
    }

    mod conforms {
        use super::backplane;
        use crate::cluster::conformance;

        conformance::suite!(backplane,);
    }
}
