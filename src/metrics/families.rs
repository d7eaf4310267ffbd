//! Every metric. What a field's comment says is the metric's help text.

use prometheus::{Gauge, IntCounter, IntGauge, Registry};

use super::{
    family::{Family, Info, LabeledMetrics, Messages, Seconds, Streams},
    labels::{EndLabel, Login, Outcome, Queue, RequestLabels, Stat},
};

macro_rules! families {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ty = $name:literal,)+) => {
        /// Every metric but the process'.
        #[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "what is about several nodes stays at 0"))]
        pub(super) struct Families {
            $($(#[doc = $help])+ pub(super) $field: $kind,)+
        }

        impl Families {
            /// Registers every metric, each with the value 0.
            pub(super) fn register(registry: &Registry) -> Self {
                Self { $($field: Family::register(registry, $name, concat!($($help),+).trim_start()),)+ }
            }
        }
    };
}

families! {
    /// Messages that clients sent on their streams. Gotify's clients send none; what others send is counted and ignored.
    messages_received: IntCounter = "websocket_messages_received_total",
    /// Messages given to the sockets of streams: one published message counts once for each stream that it went to.
    messages_sent: IntCounter = "websocket_messages_sent_total",
    /// Streams that are open now.
    active_connections: IntGauge = "websocket_active_connections",
    /// Time from receiving a message until it was written to all of its user's streams that were not behind:
    /// storing, waiting and fan-out. One observation per pass, for its oldest message.
    response_time: Seconds = "websocket_server_response_time_seconds",
    /// Streams that ended by an error. Not those that the client closed normally, whose token or user was deleted, or
    /// that a restart closed.
    connection_errors: IntCounter = "websocket_connection_errors_total",
    /// Frames from clients that could not be taken: too large, too many, against the protocol, or a close frame whose
    /// reason is not UTF-8. Each closes its stream, and is one of the connection errors too. What a text frame holds is
    /// not looked at.
    message_errors: IntCounter = "websocket_message_errors_total",

    /// Messages given to the store: stored durably, failed in the database, or refused because the server stops.
    publishes: LabeledMetrics<Outcome, IntCounter> = "shardcast_publishes_total",
    /// Time from giving a message to the store until it was durable or failed.
    publish_duration: Seconds = "shardcast_publish_duration_seconds",
    /// Time of a transaction that stores messages, whether or not it succeeded.
    commit_duration: Seconds = "shardcast_commit_duration_seconds",
    /// Messages in a transaction.
    commit_messages: Messages = "shardcast_commit_messages",
    /// Time of a pass over the streams of a user, from its first write to its last.
    pass_duration: Seconds = "shardcast_pass_duration_seconds",
    /// Streams that a pass visited.
    pass_streams: Streams = "shardcast_pass_streams",
    /// A queue that was full. Inbox: the streams of its user read the missing messages from the store. Ring: a
    /// stream that was behind needed more than the ring holds and reads from the store. Writer: a sender waited
    /// for a place.
    queue_overflows: LabeledMetrics<Queue, IntCounter> = "shardcast_queue_overflows_total",
    /// Messages given to streams that had been behind; `websocket_messages_sent_total` counts them too.
    caught_up_messages: IntCounter = "shardcast_caught_up_messages_total",
    /// Streams that were opened.
    streams_opened: IntCounter = "shardcast_streams_opened_total",
    /// Streams that ended, by reason.
    streams_ended: LabeledMetrics<EndLabel, IntCounter> = "shardcast_streams_ended_total",
    /// Parts of the server that panicked and went on, each a fault to be reported. The log says which part, where and
    /// why.
    panics: IntCounter = "shardcast_panics_total",
    /// Open streams in the emptiest shard, in the fullest, and on average.
    shard_connections: LabeledMetrics<Stat, Gauge> = "shardcast_shard_connections",
    /// Shards of the connection table.
    shards: IntGauge = "shardcast_shards",
    /// Users with at least one open stream.
    connected_users: IntGauge = "shardcast_connected_users",
    /// Time of the handshake of a stream that was admitted, from the header of its request to the 101.
    handshake_duration: Seconds = "shardcast_handshake_duration_seconds",
    /// Requests that were answered, by what they were about and the class of the status. A stream's handshake is 1xx.
    http_requests: LabeledMetrics<RequestLabels, IntCounter> = "shardcast_http_requests_total",
    /// Connections that were refused because the limit of open connections was reached. They get 503 if there
    /// is time for it.
    connections_refused: IntCounter = "shardcast_connections_refused_total",
    /// Checks of a name and password.
    logins: LabeledMetrics<Login, IntCounter> = "shardcast_logins_total",
    /// Lines of the log that were lost because its output was closed, full or too slow.
    log_lines_lost: IntCounter = "shardcast_log_lines_lost_total",
    /// Whether the backplane is there: 1, or 0 while it is away or if there is none.
    cluster_connected: IntGauge = "shardcast_cluster_connected",
    /// Other nodes that were heard in the last five seconds.
    cluster_peers: IntGauge = "shardcast_cluster_peers",
    /// Channels of the backplane that this node listens to.
    cluster_channels: IntGauge = "shardcast_cluster_channels",
    /// Messages to other nodes that were sent.
    cluster_sent: IntCounter = "shardcast_cluster_sent_total",
    /// Messages to other nodes that were dropped, because the backplane was away or too slow. Other nodes find what was
    /// stored by comparing with the database.
    cluster_dropped_sent: IntCounter = "shardcast_cluster_dropped_sent_total",
    /// Announcements of stored messages that were heard, this node's own among them.
    cluster_received: IntCounter = "shardcast_cluster_received_total",
    /// Messages of other nodes that were dropped, because too many waited. This node finds what was stored by comparing
    /// with the database.
    cluster_dropped_received: IntCounter = "shardcast_cluster_dropped_received_total",
    /// What was heard and not understood: from another version, or from another program.
    cluster_not_understood: IntCounter = "shardcast_cluster_not_understood_total",
    /// Comparisons with the database that were made.
    cluster_comparisons: IntCounter = "shardcast_cluster_comparisons_total",
    /// Comparisons with the database that failed.
    cluster_failed_comparisons: IntCounter = "shardcast_cluster_failed_comparisons_total",
    /// Always 1; the labels say which version runs, and on which node.
    build_info: Info = "shardcast_build_info",
}
