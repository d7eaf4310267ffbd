//! A push-notification server with Gotify's API, for many WebSocket streams, on one node or several.
//!
//! Its hub, the part that brings messages to streams, can also be used alone, in programs of your own.
//!
//! The server is for self-hosters whose apps already talk to Gotify. The hub is for programs that must bring messages
//! to many sockets in order. Neither is a message broker: messages belong to users, and clients only receive.
//!
//! The crate is not published yet. Depend on the folder of its sources: `shardcast = { path = "../shardcast" }`.
//!
//! # The hub alone
//!
//! With `default-features = false` this crate has only [`hub`]. It needs tokio, and no web, database or JSON crate.
//!
//! ```no_run
//! use shardcast::hub::{Frame, Hub, HubConfig, MessageId, UserId};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let hub = Hub::new(HubConfig::default());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:7000").await?;
//! let (socket, _) = listener.accept().await?;
//! let mut stream = hub.register(UserId(1), "token", None)?.attach(socket);
//! hub.notify(UserId(1), &[Frame::text(MessageId(1), b"hello")]);
//! println!("{}", stream.ended().await.name());
//! # Ok(())
//! # }
//! ```
//!
//! # The whole server
//!
#![cfg_attr(feature = "sqlite", doc = "```no_run")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use std::sync::Arc;
//! use shardcast::{
//!     external::secrecy::ExposeSecret,
//!     server::{Node, NodeConfig, Server, ServerConfig},
//!     store::Sqlite,
//! };
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let database = Sqlite::open("data/gotify.db").await?;
//! let (node, first_user) = Node::open(Arc::new(database), NodeConfig::default()).await?;
//! // Only the first start makes a user. Nobody can see its random password later.
//! if let Some(user) = first_user && let Some(password) = &user.made_up_password {
//!     println!("log in as {} with the password {}", user.name, password.expose_secret());
//! }
//!
//! let config = ServerConfig::default().with_port(8080);
//! let mut server = Server::bind(config, node.router(), node.hub().clone()).await?;
//! println!("listening on {}", server.local_addr());
//!
//! // Ctrl-C finishes requests and closes streams.
//! tokio::signal::ctrl_c().await?;
//! server.shutdown();
//! server.join().await;
//! node.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Node::router`](server::Node::router) can also be nested below a fixed path of an axum application. Either
//! [`Server`](server::Server) or `axum::serve` over plain TCP can serve that application.
//! [`Node::publish`](server::Node::publish) publishes a message without HTTP. [`NodeParts`](server::NodeParts) takes an
//! authenticator and observers of your own. `examples/embed_axum.rs` shows all of this.
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `server` | the API, the stream endpoint and configuration, over a [`Database`](store::Database) of your own | yes |
//! | `sqlite` | the embedded database, the command line and the `shardcast` program | yes |
//! | `postgres` | PostgreSQL as the database and as the backplane; includes `cluster` | no |
//! | `mysql` | MariaDB or MySQL as the database | no |
//! | `cluster` | several nodes over one database, with a [backplane](cluster::Backplane) of your own between them | no |
//! | `redis` | Redis as the backplane; includes `cluster` | no |
//! | `nats` | NATS as the backplane; includes `cluster` | no |
//! | `metrics` | metrics for Prometheus | yes |
//! | `protobuf` | messages in Protocol Buffers, on streams and when publishing | yes |
//! | `remote` | the commands `send` and `tail`, which talk to a server | yes |
//! | `tls` | HTTPS, with certificates in files, and for `send` and `tail` | no |
//! | `acme` | HTTPS with certificates from an authority that speaks ACME, such as Let's Encrypt; includes `tls` | no |
//! | `completions` | the commands `completions` and `man-pages` | no |
//! | `oidc` | logging in through an identity provider, by OpenID Connect | no |
//! | `push` | messages to browsers by Web Push | no |
//! | `ui` | the web page | yes |
//!
//! # Modules
//!
//! | module | holds |
//! |---|---|
//! | [`hub`] | the streams that are connected, and how messages reach them |
//! | [`model`] | the types of Gotify's wire format |
//! | [`store`] | the database trait, the databases behind it, the group-commit writer |
//! | [`auth`] | tokens and passwords, and the trait for other ways to authenticate |
//! | [`cluster`] | several nodes: what one of them stores reaches the streams of all |
//! | [`push`] | messages to browsers by Web Push |
//! | [`api`] | Gotify's REST API and `GET /stream` |
//! | [`server`] | the node, and the server that listens, limits and drains connections |
//! | [`metrics`] | the metrics of a node, for Prometheus |
//! | [`config`] | the configuration: its keys, files and environment variables |
//! | [`cli`] | the commands of the `shardcast` program |
//! | [`external`] | the crates whose types are in signatures |
//!
//! # Guarantees
//!
//! - **Order**: a stream sees the messages of its user in the order of their ids.
//! - **Delivery**: every message that is given to [`hub::Hub::notify`] after a stream was registered reaches the stream
//!   once, or the stream ends with a named reason. With the server, a message is durable once its publish was answered
//!   with 200.
//! - **Slow clients**: no other client waits for a slow one. A slow client gets the stored messages that it missed when
//!   it reads again, or its stream is closed.

#![cfg_attr(
    not(all(feature = "cluster", feature = "metrics", feature = "push", feature = "sqlite")),
    allow(
        rustdoc::broken_intra_doc_links,
        rustdoc::private_intra_doc_links,
        clippy::allow_attributes,
        reason = "this page is about all features"
    )
)]

#[macro_use]
mod with_methods;

pub mod external;
pub mod hub;

#[cfg(feature = "server")]
pub mod api;
#[cfg(feature = "server")]
pub mod auth;
#[cfg(all(feature = "server", any(feature = "postgres", feature = "push", feature = "sqlite")))]
mod causes;
#[cfg(feature = "tls")]
mod certificate_fault;
#[cfg(all(feature = "server", feature = "sqlite"))]
pub mod cli;
#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(all(feature = "server", not(feature = "cluster")))]
#[path = "no_cluster.rs"]
mod cluster;
#[cfg(feature = "server")]
pub mod config;
#[cfg(any(feature = "oidc", feature = "push"))]
mod http_client;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "server")]
pub mod model;
#[cfg(feature = "push")]
pub mod push;
#[cfg(all(feature = "server", not(feature = "push")))]
#[path = "no_push.rs"]
mod push;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
mod task;
#[cfg(any(
    feature = "acme",
    feature = "oidc",
    feature = "push",
    all(feature = "tls", feature = "remote", feature = "sqlite")
))]
mod trusted_authorities;
#[cfg(feature = "ui")]
mod ui;

/// The README's programs compile as they stand there.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct ReadmeDoctests;
