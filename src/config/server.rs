//! The HTTP server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CorsSection, LoginLimitSection, SslSection, StreamSection};

/// `server`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ServerSection {
    /// The address to listen on, or `unix:` and the path of a socket. Default empty: all addresses, IPv4 and IPv6.
    pub listenaddr: String,
    /// The TCP port; 0 takes a free one. Default 80, or 8080 where 80 is not allowed and the port is not set.
    pub port: u16,
    /// Seconds between TCP keep-alive probes; 0 (default) means 15, -1 none.
    pub keepaliveperiodseconds: i32,
    /// Headers that every response of the API carries. Default none.
    pub responseheaders: BTreeMap<String, String>,
    /// Addresses or networks whose `X-Forwarded-For` is believed. Default none.
    pub trustedproxies: Vec<String>,
    /// Whether requests that succeed are logged at `info`, as by Gotify, and not at `debug`. Default false. (ours)
    pub accesslog: bool,
    /// Seconds that a client may take to send the header of its first request, or pause within a body. Default
    /// 10. (ours)
    pub headertimeoutseconds: u64,
    /// Seconds that a connection may be idle between two requests. Default 75. (ours)
    pub idletimeoutseconds: u64,
    /// The largest request body in bytes. Default 4194304. (ours)
    pub maxbodybytes: usize,
    /// The largest file of an application's picture in bytes. Default 2097152. (ours)
    pub maximagebytes: usize,
    /// The most pixels, width times height, of an application's picture. Default 16777216. (ours)
    pub maximagepixels: u64,
    /// How many connections there may be, streams included; 0 (default) means just below the limit of open
    /// files. (ours)
    pub maxconnections: usize,
    /// Seconds that requests and streams have to end once the server was told to. Default 10. (ours)
    pub shutdowngraceseconds: u64,
    /// Whether browsers send the session's cookie over HTTPS alone. Default false.
    pub securecookie: bool,
    /// The stream of messages.
    pub stream: StreamSection,
    /// How many wrong passwords are taken.
    pub loginlimit: LoginLimitSection,
    /// Which foreign web pages may use the API.
    pub cors: CorsSection,
    /// HTTPS.
    pub ssl: SslSection,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            listenaddr: String::new(),
            port: 80,
            keepaliveperiodseconds: 0,
            responseheaders: BTreeMap::new(),
            trustedproxies: Vec::new(),
            accesslog: false,
            headertimeoutseconds: 10,
            idletimeoutseconds: 75,
            maxbodybytes: 4 * 1024 * 1024,
            maximagebytes: 2 * 1024 * 1024,
            maximagepixels: 4096 * 4096,
            maxconnections: 0,
            shutdowngraceseconds: 10,
            securecookie: false,
            stream: StreamSection::default(),
            loginlimit: LoginLimitSection::default(),
            cors: CorsSection::default(),
            ssl: SslSection::default(),
        }
    }
}
