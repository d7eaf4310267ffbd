//! Several nodes over one database: what one of them stores reaches the streams of all.
//!
//! The database is the truth, and a [`Backplane`] between the nodes is a hint. Each user has a *head* in the database, the
//! user's newest message. A node that stores messages announces them on the backplane, and the other nodes bring them to
//! their streams at once. An announcement that is lost, late, doubled or in another order costs time, and never loses or
//! doubles a message: it names the message before it, so that whoever lacks that one reads the store. And every few
//! seconds each node asks the database which heads have moved.
//!
//! # Parts
//!
//! | part | does |
//! |---|---|
//! | [`Cluster`] | what a node has of it: announces commits, and lets streams in once the node listens for their user |
//! | `link` | keeps the connection to the backplane, and makes a new one whenever it is lost or silent |
//! | `receive` | brings what was heard to the hub |
//! | `comparison` | compares heads with what the hub knows |
//!
//! Users are spread over a fixed number of channels. A node listens to those of users who have streams on it.
//!
//! # Bounds
//!
//! What waits to be sent, and what waits to be read ([`Inbox`]), is bounded. What is over is dropped and counted, and found
//! by the next comparison.

mod backplane;
mod channel;
mod comparison;
#[cfg(fuzzing)]
pub mod fuzzing;
mod inbox;
mod link;
mod memory;
#[cfg(feature = "nats")]
mod nats;
mod node;
mod outbox;
mod peers;
#[cfg(feature = "postgres")]
mod postgres;
mod receive;
#[cfg(feature = "redis")]
mod redis;
mod subscriptions;
mod wire;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests;

pub use backplane::{Backplane, BackplaneError, BackplaneLink, Outgoing};
pub use channel::Channel;
pub(crate) use comparison::ComparisonRequest;
pub use inbox::Inbox;
pub use memory::{MemoryBackplane, MemoryFaults};
#[cfg(feature = "nats")]
pub use nats::{InvalidNatsUrl, NatsBackplane};
pub(crate) use node::ClusterParts;
pub use node::{Cluster, ClusterConfig, ClusterStats};
pub use peers::PeerNode;
#[cfg(feature = "postgres")]
pub use postgres::PostgresBackplane;
#[cfg(feature = "redis")]
pub use redis::{InvalidRedisUrl, RedisBackplane};
