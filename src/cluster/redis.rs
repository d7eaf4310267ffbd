//! Redis, or another server that speaks its protocol, as the backplane: one server, one that Sentinels name, or a cluster.
//!
//! What is heard comes on a connection of its own, because Redis cuts off a connection whose unsent output grows too
//! large, replies to other commands included. Messages go from that connection into the bounded [`Inbox`] at once.
//! A cluster carries sharded channels (Redis 7), so that each message goes to one of its servers only. When a channel moves
//! to another server, the connection counts as lost.
//!
//! Source: <https://redis.io/docs/latest/develop/pubsub/>.

mod pushes;
mod servers;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::try_join_all;
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use redis::cluster_async::ClusterConnection;

use super::{Backplane, BackplaneError, BackplaneLink, Channel, Inbox, Outgoing};
use pushes::{Leaving, Pushes};
use servers::Servers;

pub use servers::InvalidRedisUrl;

/// Redis copies a message for each of its listeners, so that larger ones are read from the database.
const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// Redis as the backplane.
pub struct RedisBackplane {
    servers: Servers,
    prefix: String,
}

impl RedisBackplane {
    /// Takes a URL: `redis://[user:password@]host[:6379][/database]`, `redis+sentinel://…@host[:26379],host…/service`, or
    /// `redis+cluster://…@host[:6379],host…`. The prefix begins the names of all channels. Connects to nothing yet.
    pub fn new(url: &str, prefix: &str) -> Result<Self, InvalidRedisUrl> {
        Ok(Self { servers: Servers::parse(url)?, prefix: prefix.to_owned() })
    }
}

#[async_trait]
impl Backplane for RedisBackplane {
    fn kind(&self) -> &'static str {
        "redis"
    }

    fn max_message_bytes(&self) -> usize {
        MAX_MESSAGE_BYTES
    }

    async fn connect(&self, inbox: Inbox) -> Result<Box<dyn BackplaneLink>, BackplaneError> {
        let leaving = Leaving::default();
        let pushes = Pushes::new(inbox, leaving.clone());
        let connections = self.servers.connect(move |push| pushes.take(push)).await;
        let connections = connections.map_err(|error| failed("connect to Redis", error))?;
        Ok(Box::new(Link { connections, prefix: self.prefix.clone(), leaving }))
    }
}

/// Two connections: one that hears, and one that says.
enum Connections {
    One { listener: MultiplexedConnection, publisher: MultiplexedConnection },
    Cluster { listener: ClusterConnection, publisher: ClusterConnection },
}

struct Link {
    connections: Connections,
    prefix: String,
    leaving: Leaving,
}

impl Link {
    fn names(&self, channels: &[Channel]) -> Vec<String> {
        channels.iter().map(|channel| channel.name(&self.prefix, ':')).collect()
    }
}

#[async_trait]
impl BackplaneLink for Link {
    async fn publish(&mut self, messages: &[Outgoing]) -> Result<(), BackplaneError> {
        let published = match &mut self.connections {
            Connections::One { publisher, .. } => {
                publication("PUBLISH", &self.prefix, messages).query_async(publisher).await
            }
            Connections::Cluster { publisher, .. } => {
                // One server takes what is for one channel.
                let mut by_channel: Vec<_> = messages.to_vec();
                by_channel.sort_by_key(|message| message.channel);
                let channels = by_channel.chunk_by(|a, b| a.channel == b.channel).map(|messages| {
                    let (mut publisher, prefix) = (publisher.clone(), &self.prefix);
                    async move {
                        publication("SPUBLISH", prefix, messages).query_async::<()>(&mut publisher).await
                    }
                });
                try_join_all(channels).await.map(drop)
            }
        };
        published.map_err(|error| failed("publish to Redis", error))
    }

    async fn subscribe(&mut self, channels: &[Channel]) -> Result<(), BackplaneError> {
        let names = self.names(channels);
        let subscribed = match &mut self.connections {
            Connections::One { listener, .. } => listener.subscribe(names).await,
            Connections::Cluster { listener, .. } => {
                let each = names.into_iter().map(|name| {
                    let mut listener = listener.clone();
                    async move { listener.ssubscribe(name).await }
                });
                try_join_all(each).await.map(drop)
            }
        };
        subscribed.map_err(|error| failed("subscribe to channels of Redis", error))
    }

    async fn unsubscribe(&mut self, channels: &[Channel]) -> Result<(), BackplaneError> {
        let names = self.names(channels);
        self.leaving.begin(&names);
        let unsubscribed = match &mut self.connections {
            Connections::One { listener, .. } => listener.unsubscribe(names).await,
            Connections::Cluster { listener, .. } => {
                let each = names.into_iter().map(|name| {
                    let mut listener = listener.clone();
                    async move { listener.sunsubscribe(name).await }
                });
                try_join_all(each).await.map(drop)
            }
        };
        unsubscribed.map_err(|error| failed("unsubscribe from channels of Redis", error))
    }
}

/// All messages in one round trip.
fn publication(command: &str, prefix: &str, messages: &[Outgoing]) -> redis::Pipeline {
    let mut pipeline = redis::pipe();
    for Outgoing { channel, payload } in messages {
        pipeline.cmd(command).arg(channel.name(prefix, ':')).arg(Bytes::as_ref(payload)).ignore();
    }
    pipeline
}

fn failed(operation: &'static str, error: RedisError) -> BackplaneError {
    BackplaneError::new(operation, error)
}

impl fmt::Debug for RedisBackplane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBackplane").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
