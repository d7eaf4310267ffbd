//! `/shardcast/live`: what the node does right now, for administrators. The page draws it; Prometheus has more, and
//! names no user.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::compression::compressed;
use super::error::ErrorObject;
use super::openapi::errors::NO_ADMIN;
use super::routing::get_only;
use super::{AdminViewAuth, ApiError, AppState, Json};
use crate::cluster::Cluster;
use crate::hub::{EndReason, Hub};
use crate::model::{Timestamp, UserId, serialize_timestamp};
use crate::store::Store;

/// So many users are named.
const USERS: usize = 50;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(compressed(get_only(routes!(live))))
}

/// What a node does. Streams and messages are those of the node that answers; counts are since it was started.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Live {
    /// The name of the node that answers; empty if it has none.
    node: String,
    /// For how long it runs.
    uptime_seconds: u64,
    /// Its clock.
    #[serde(serialize_with = "serialize_timestamp")]
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// Open streams.
    streams: LiveStreams,
    /// Messages.
    messages: LiveMessages,
    /// Streams that were closed because their clients took nothing for too long, or were too far behind.
    slow_consumers: u64,
    /// The database.
    database: LiveDatabase,
    /// What carries messages between nodes.
    backplane: LiveBackplane,
    /// This node, and the others that it has heard within the last minute.
    nodes: Vec<LiveNode>,
}

/// Open streams.
#[derive(Serialize, ToSchema)]
struct LiveStreams {
    /// All of them.
    total: usize,
    /// The streams of each shard, which are spread by token.
    shards: Vec<usize>,
    /// The 50 users with the most streams, the most first.
    users: Vec<LiveUser>,
}

/// A user with streams.
#[derive(Serialize, ToSchema)]
struct LiveUser {
    /// Its id.
    #[schema(value_type = u64)]
    id: UserId,
    /// Its name.
    name: String,
    /// How many streams it has.
    streams: usize,
}

/// Messages.
#[derive(Serialize, ToSchema)]
struct LiveMessages {
    /// Those that this node has stored.
    stored: u64,
    /// Those that it has given to streams, summed over the streams.
    delivered: u64,
    /// Those that wait to be stored right now.
    waiting: usize,
}

/// The database.
#[derive(Serialize, ToSchema)]
struct LiveDatabase {
    /// `sqlite`, `postgres`, `mysql` (MariaDB too), or `other`.
    kind: &'static str,
    /// `green` if a message could be stored now, otherwise `red`.
    health: &'static str,
}

/// What carries messages between nodes.
#[derive(Serialize, ToSchema)]
struct LiveBackplane {
    /// `none`, `redis`, `nats`, `postgres`, `memory` or `other`.
    kind: &'static str,
    /// Whether it is there now; `null` if there is none.
    #[schema(required)]
    connected: Option<bool>,
}

/// A node.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LiveNode {
    /// Its name.
    name: String,
    /// Whether it is the one that answers.
    #[serde(rename = "self")]
    is_self: bool,
    /// How long ago this node has heard it last.
    last_heard_seconds: u64,
}

/// Shows what the node does right now: streams, messages, database and other nodes.
#[utoipa::path(
    get, path = "/shardcast/live", operation_id = "getLive", tag = "info",
    responses(
        (status = 200, body = Live),
        (status = 403, description = NO_ADMIN, body = ErrorObject),
    )
)]
async fn live(_: AdminViewAuth, State(state): State<AppState>) -> Result<Json<Live>, ApiError> {
    let (hub, store) = (&state.stream.hub, &state.store);
    let node = state.settings.version.node.clone().unwrap_or_default();
    let ended = hub.end_counts().into_iter().find(|(reason, _)| *reason == EndReason::SlowConsumer);
    let health = if store.check().await.is_ok() { "green" } else { "red" };
    Ok(Json(Live {
        uptime_seconds: state.uptime().as_secs(),
        time: state.auth.now(),
        streams: LiveStreams {
            total: hub.stream_count(),
            shards: hub.stream_counts_by_shard(),
            users: busiest(hub, store).await?,
        },
        messages: LiveMessages {
            stored: store.stored_count(),
            delivered: hub.delivered_count(),
            waiting: store.waiting_count(),
        },
        slow_consumers: ended.map_or(0, |(_, count)| count),
        database: LiveDatabase { kind: store.database().kind(), health },
        backplane: backplane(&state),
        nodes: nodes(&state, &node),
        node,
    }))
}

/// Returns the users with the most streams, with their names.
async fn busiest(hub: &Hub, store: &Store) -> Result<Vec<LiveUser>, ApiError> {
    let hub = hub.clone();
    let counted = tokio::task::spawn_blocking(move || hub.users_with_most_streams(USERS)).await;
    let counted = counted.map_err(|_| ApiError::Internal)?;
    let ids: Vec<UserId> = counted.iter().map(|(user, _)| UserId(user.0)).collect();
    let known = store.database().users_by_id(&ids).await?;
    let named = |(user, streams): (crate::hub::UserId, usize)| {
        let user = known.iter().find(|known| known.id.0 == user.0)?;
        Some(LiveUser { id: user.id, name: user.name.clone(), streams })
    };
    Ok(counted.into_iter().filter_map(named).collect())
}

fn backplane(state: &AppState) -> LiveBackplane {
    state.stream.cluster.as_ref().map_or(LiveBackplane { kind: "none", connected: None }, |cluster| {
        LiveBackplane { kind: cluster.backplane_kind(), connected: Some(!cluster.is_degraded()) }
    })
}

fn nodes(state: &AppState, own_name: &str) -> Vec<LiveNode> {
    let own = LiveNode { name: own_name.to_owned(), is_self: true, last_heard_seconds: 0 };
    let peers = state.stream.cluster.iter().flat_map(Cluster::peers);
    let others = peers.map(|peer| LiveNode {
        name: peer.name.into(),
        is_self: false,
        last_heard_seconds: peer.last_heard.as_secs(),
    });
    std::iter::once(own).chain(others).collect()
}
