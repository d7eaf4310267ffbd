//! The crates whose types are in this crate's signatures, in the versions that it was built with.
//!
//! Nothing else of other crates is part of the API: `Cargo.toml` has the list, under
//! `package.metadata.cargo_check_external_types`.

pub use bytes;
pub use tokio;
pub use tracing;

#[cfg(feature = "server")]
pub use {async_trait, axum, chrono, ipnet, rand, secrecy, serde, serde_json};
