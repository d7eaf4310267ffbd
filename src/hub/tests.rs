//! The hub against sockets that take what the test says.

mod behavior;
mod fake;
mod model;
mod race;
