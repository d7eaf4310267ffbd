//! The server from outside: over real sockets, and as a program.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod access;
mod access_log;
mod android;
mod application_state;
mod build_script;
mod canary;
#[cfg(all(feature = "cluster", feature = "postgres"))]
mod cluster;
mod compat;
#[cfg(feature = "completions")]
mod completions;
mod compression;
mod configuration;
mod database_commands;
mod databases;
mod drain;
mod event_stream;
mod examples;
mod expiry;
mod faults;
mod handshake;
mod harness;
mod hostile;
mod images;
mod keep_alive;
mod keeping;
mod listener;
mod lists;
mod live;
mod log_output;
mod logins;
mod metrics;
mod migrate;
mod moving;
mod openapi;
#[cfg(feature = "ui")]
mod page;
mod positions;
mod process;
mod program;
#[cfg(feature = "protobuf")]
mod protobuf;
#[cfg(feature = "push")]
mod push;
#[cfg(feature = "remote")]
mod remote;
mod replay;
mod reset_password;
mod resume;
mod revocation_log;
mod revoke;
mod running;
mod search;
mod sender_limits;
mod service_manager;
mod shared_state;
mod stream;
mod stream_events;
mod stream_filter;
mod tidy;
#[cfg(feature = "tls")]
mod tls;
mod unix_socket;
mod users;
mod watch;
