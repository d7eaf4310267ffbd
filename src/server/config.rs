//! The configuration of the server and of its streams.

use std::time::Duration;

use ipnet::IpNet;

use super::TlsConfig;

/// How to listen and serve.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The address or host name to listen on, or `unix:` and the path of a socket. Default empty: all addresses, IPv4
    /// and IPv6.
    pub listen_address: String,
    /// The TCP port. Default 0: a free one.
    pub port: u16,
    /// The port to take where `port` is not allowed to this user. Default none.
    pub fallback_port: Option<u16>,
    /// How long a connection is idle before TCP probes it, and the time between probes. Default 15 s.
    pub keepalive: Option<Duration>,
    /// How long a client may take to send the header of its first request, or pause within a body or while it takes
    /// an answer. Default 10 s.
    pub header_timeout: Duration,
    /// How long a client may keep the server waiting in all while it sends a body or takes answers; each 4096 bytes
    /// that it sends or takes give it a second back. Default 60 s.
    pub transfer_timeout: Duration,
    /// How long a connection may be idle between two requests, the header of the next one included. Default 75 s.
    pub idle_timeout: Duration,
    /// The largest request body. Default 4 MiB.
    pub max_body_bytes: usize,
    /// The most connections at a time, upgraded ones included. Default none: just below the limit of open files,
    /// which is the bound in any case.
    pub max_connections: Option<usize>,
    /// How long requests and streams have to end after [`Server::shutdown`](super::Server::shutdown); the
    /// last tenth of it, a second at most, is for cutting off the rest. Default 10 s.
    pub shutdown_grace: Duration,
    /// Peers whose `X-Forwarded-For` is believed; 127.0.0.1 stands for those that come by a Unix socket. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether requests that succeed are logged at `info`, instead of `debug`. Default false: a line is a write a
    /// request, by the thread that serves it.
    pub access_log: bool,
    /// How to serve HTTPS beside HTTP. Default none.
    pub tls: Option<TlsConfig>,
    /// The path at which the router opens streams, `/stream` for the API of a [`Node`](super::Node). Handshakes there
    /// need less memory and time. The handler must take the connection by
    /// [`Upgrade`](crate::api::stream::Upgrade), since hyper's own `OnUpgrade` is not there. Default none.
    pub stream_path: Option<String>,
}

with_methods!(ServerConfig {
    with_listen_address(listen_address: impl Into<String>),
    with_port(port: u16),
    with_fallback_port(fallback_port: Option<u16>),
    with_keepalive(keepalive: Option<Duration>),
    with_header_timeout(header_timeout: Duration),
    with_transfer_timeout(transfer_timeout: Duration),
    with_idle_timeout(idle_timeout: Duration),
    with_max_body_bytes(max_body_bytes: usize),
    with_max_connections(max_connections: Option<usize>),
    with_shutdown_grace(shutdown_grace: Duration),
    with_trusted_proxies(trusted_proxies: impl Into<Vec<IpNet>>),
    with_access_log(access_log: bool),
    with_tls(tls: impl Into<Option<TlsConfig>>),
    with_stream_path(stream_path: Option<String>),
});

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen_address: String::new(),
            port: 0,
            fallback_port: None,
            keepalive: Some(Duration::from_secs(15)),
            header_timeout: Duration::from_secs(10),
            transfer_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(75),
            max_body_bytes: 4 * 1024 * 1024,
            max_connections: None,
            shutdown_grace: Duration::from_secs(10),
            trusted_proxies: Vec::new(),
            access_log: false,
            tls: None,
            stream_path: None,
        }
    }
}

/// How streams are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamConfig {
    /// The time between pings. Default 45 s.
    pub ping_period: Duration,
    /// A client that sent no pong for so long is gone. Default 60 s.
    pub pong_timeout: Duration,
    /// A stream whose socket took nothing for so long is closed. Default 10 s.
    pub stall_timeout: Duration,
    /// Regular expressions, one of which the host of a foreign web page must match. Default none.
    pub allowed_origins: Vec<String>,
    /// In how many shards streams are kept, a power of two from 1 to 4096. Default 256.
    pub shard_count: usize,
    /// The most bytes that one frame from a client may use. Default 8192.
    pub read_buffer_bytes: usize,
    /// Bytes per stream in its user's ring of recent frames. Default 8192.
    pub write_buffer_bytes: usize,
    /// Messages in a user's ring of recent frames. Default 10.
    pub ring_messages: usize,
    /// How many messages a stream may be behind before it is closed. Default 10 000.
    pub max_lag: u64,
    /// How many messages that a client has missed a stream with `since` may bring. If there are more, it is closed with
    /// 4001. Default 100 000.
    pub max_resume_messages: usize,
    /// Whether clients that do not know `since` get again what they have not acknowledged, unless their own setting says
    /// otherwise. Default false.
    pub replay: bool,
}

with_methods!(StreamConfig {
    with_ping_period(ping_period: Duration),
    with_pong_timeout(pong_timeout: Duration),
    with_stall_timeout(stall_timeout: Duration),
    with_allowed_origins(allowed_origins: impl Into<Vec<String>>),
    with_shard_count(shard_count: usize),
    with_read_buffer_bytes(read_buffer_bytes: usize),
    with_write_buffer_bytes(write_buffer_bytes: usize),
    with_ring_messages(ring_messages: usize),
    with_max_lag(max_lag: u64),
    with_max_resume_messages(max_resume_messages: usize),
    with_replay(replay: bool),
});

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            ping_period: Duration::from_secs(45),
            pong_timeout: Duration::from_mins(1),
            stall_timeout: Duration::from_secs(10),
            allowed_origins: Vec::new(),
            shard_count: 256,
            read_buffer_bytes: 8192,
            write_buffer_bytes: 8192,
            ring_messages: 10,
            max_lag: 10_000,
            max_resume_messages: 100_000,
            replay: false,
        }
    }
}
