//! The hub against sockets that take what the test says.

mod backlog;
mod behavior;
mod fake;
mod model;
mod panics;
mod race;
