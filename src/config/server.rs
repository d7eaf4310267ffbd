//! The HTTP server.

use std::collections::BTreeMap;

use super::declare::section;
use super::shape::{
    DAY,
    Shape::{Integer, ListenAddress, Networks},
};
use super::{CorsSection, DrainSection, LoginLimitSection, SenderLimitSection, SslSection, StreamSection};

section! {
    /// The HTTP server.
    pub struct ServerSection at "server." {
        /// The address to listen on, without a port; empty for all addresses, IPv4 and IPv6. For a Unix socket, `unix:`
        /// and its path, as in `unix:/run/gotify.sock`.
        listenaddr: String = "", ListenAddress;
        /// The TCP port; 0 takes a free one. If the port is not set anywhere, and this user may not listen on port 80,
        /// port 8080 is used.
        port: u16 = 80;
        /// Seconds between TCP keep-alive probes; 0 means 15, -1 turns them off.
        keepaliveperiodseconds: i32 = 0, Integer(-1..=32_767);
        /// Headers that every response of the API carries.
        responseheaders: BTreeMap<String, String> = [];
        /// Addresses or networks of proxies whose X-Forwarded-For is believed. 127.0.0.1 includes peers that connect by
        /// a Unix socket.
        trustedproxies: Vec<String> = [], Networks;
        /// Whether successful requests are logged at `info`, as Gotify does, and not at `debug`. Failed requests are
        /// logged at `warn` or `error`.
        accesslog: bool = false;
        /// Seconds that a client may take to send the header of its first request, or to pause while it sends a body or
        /// takes an answer.
        headertimeoutseconds: u64 = 10, Integer(1..=DAY);
        /// Seconds that the server waits in total while a client sends a body or takes answers. Each 4096
        /// bytes that the client sends or takes give one of these seconds back.
        transfertimeoutseconds: u64 = 60, Integer(1..=DAY);
        /// Seconds that a connection may be idle between two requests.
        idletimeoutseconds: u64 = 75, Integer(1..=DAY);
        /// The largest request body in bytes.
        maxbodybytes: usize = 4_194_304, Integer(1024..=1_073_741_824);
        /// The largest file of an application's picture in bytes. It is sent in a request body, which may not be larger
        /// than server.maxbodybytes.
        maximagebytes: usize = 2_097_152, Integer(1024..=1_073_741_824);
        /// The most pixels of an application's picture, width times height.
        maximagepixels: u64 = 16_777_216, Integer(1..=1_000_000_000_000);
        /// The most connections, streams included; 0 for as many as the limit of open files allows.
        maxconnections: usize = 0, Integer(0..=100_000_000);
        /// Seconds that requests and streams have to end when the server stops, after server.drain.
        shutdowngraceseconds: u64 = 10, Integer(0..=DAY);
        /// Whether browsers send the session's cookie over HTTPS only.
        securecookie: bool = false;
        section stream: StreamSection;
        section drain: DrainSection;
        section loginlimit: LoginLimitSection;
        section senderlimit: SenderLimitSection;
        section cors: CorsSection;
        section ssl: SslSection;
    }
}
