//! What is known of processes on this machine: what they use, which one listens, and how to end our own.

pub(crate) mod child;
pub(crate) mod limits;
pub(crate) mod listener;
pub(crate) mod others;
pub(crate) mod sampler;
pub(crate) mod stop;
pub(crate) mod usage;
