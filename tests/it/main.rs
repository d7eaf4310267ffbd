//! Tests of the whole server, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod compat;
mod harness;
