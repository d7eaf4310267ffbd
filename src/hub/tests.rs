//! The hub against sockets that take what the test says.

mod backlog;
mod behavior;
mod budget;
mod commits;
mod events;
pub(crate) mod fake;
mod filter;
mod framing;
mod model;
mod panics;
mod race;
mod stopped;
