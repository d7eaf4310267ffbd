//! The process.

mod config;

pub use config::{ServerConfig, StreamConfig};
