//! A push-notification server that speaks Gotify's API, built to hold many WebSocket streams, on one node; and the
//! hub inside it, for programs of your own.
//!
//! It is for self-hosters whose apps already talk to Gotify, and for programs that have to bring messages to many
//! sockets in order. It is no message broker: messages belong to users, and clients only receive.
//!
//! # The hub alone
//!
//! With `default-features = false` this crate is [`hub`], which needs tokio and no web, database or JSON crate.
//! The first page of that module has an example that runs.
//!
//! # The whole server
//!
//! ```no_run
//! # #[cfg(all(feature = "server", feature = "sqlite"))]
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use shardcast::{server::{Node, NodeConfig, Server, ServerConfig}, store::Sqlite};
//!
//! let database = Sqlite::open("data/gotify.db").await?;
//! let (node, first_user) = Node::open(Arc::new(database), NodeConfig::default()).await?;
//! let mut server = Server::bind(ServerConfig::default(), node.router(), node.hub().clone()).await?;
//! println!("listening on {}", server.local_addr());
//! server.join().await;
//! node.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Node::router`](server::Node::router) can be nested into an axum application instead.
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `server` | the API, the stream endpoint, configuration and command line | yes |
//! | `sqlite` | the embedded database and the `shardcast` program | yes |
//!
//! # Guarantees
//!
//! - **Order**: a stream sees the messages of its user in the order of their ids.
//! - **Delivery**: every message given to [`hub::Hub::notify`] after a stream was registered reaches it once, or the
//!   stream ends with a named reason. With the server, a message that was answered with 200 is durable.
//! - **Slow clients**: nobody waits for one. It catches up from the backlog when it reads again, or is closed.

pub mod external;
pub mod hub;

#[cfg(feature = "server")]
pub mod api;
#[cfg(feature = "server")]
pub mod auth;
#[cfg(all(feature = "server", feature = "sqlite"))]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod model;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod store;
