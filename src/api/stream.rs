//! `GET /stream`: messages as they come.
//!
//! The handler authenticates, checks the handshake, registers with the hub and answers 101; then the connection
//! leaves HTTP, and a [`Session`] owns it until the stream ends. The registration stands before
//! the client can see the 101, so a message that it causes afterwards reaches it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, Uri, header::UPGRADE, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterBuilder, ParameterIn},
};
use utoipa_axum::{router::OpenApiRouter, routes};

mod admission;
mod backlog;
mod body_socket;
mod decoder;
mod event_stream;
mod flood;
mod format;
mod handshake;
mod message_filter;
mod origin;
mod replay;
mod session;
#[cfg(feature = "tls")]
mod tls_socket;
mod transport;
mod upgrade;

pub use super::patterns::OriginPatternError;
pub(crate) use backlog::announce_everywhere;
#[cfg(feature = "cluster")]
pub(crate) use backlog::frame_of_another_node;
pub use backlog::{StoredBacklog, announce};
pub use decoder::{ClientFrame, Opcode};
pub use flood::FrameRate;
pub use handshake::{HandshakeError, accept, switching_protocols};
pub use origin::AllowedOrigins;
pub use session::{Ignore, Inbox, Session, SessionLimits};
pub(crate) use transport::Transport;
pub(crate) use upgrade::Handover;
pub use upgrade::Upgrade;

use format::Agreed;
use message_filter::MessageFilter;
use replay::ReplayingClient;
pub(crate) use replay::Replays;

use super::{
    ApiError, AppState, ClientAuth, body::shortened, error::ErrorObject, event, gate::StreamAuth,
    path::unsigned, query, routing::get_only,
};
use crate::auth::Authenticator;
use crate::cluster::Cluster;
use crate::hub::{Filter, Format, Hub, MessageId, UserId};
use crate::model;
use crate::store::{MessageChoice, Store, StoreError};

/// Where it is in the API, for [`ServerConfig::stream_path`](crate::server::ServerConfig::stream_path).
pub const PATH: &str = "/stream";

/// In the answer to a handshake with `since`, with the same id: the stream begins after that message. A client knows by
/// it that it need not look for missed messages itself, as it must with Gotify.
pub(crate) const SINCE_UNDERSTOOD: HeaderName = HeaderName::from_static("x-stream-since");

/// The hub, and what its clients may do.
#[derive(Clone, Debug)]
pub struct StreamState {
    /// Where streams are registered.
    pub hub: Hub,
    /// Pages that may open one.
    pub origins: Arc<AllowedOrigins>,
    /// What clients may send.
    pub limits: Arc<SessionLimits>,
    /// How many missed messages a stream may bring. Above it the stream ends with
    /// [`EndReason::TooFarBehind`](crate::hub::EndReason::TooFarBehind).
    pub max_resume_messages: usize,
    /// Who gets again what they have not acknowledged.
    pub(crate) replays: Replays,
    /// Other nodes, from which messages come too.
    pub(crate) cluster: Option<Cluster>,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(get_only(routes!(open)))
}

/// Brings messages as they come, over a WebSocket or as Server-Sent Events.
///
/// On a WebSocket, each text frame is a `Message` in JSON, with a line feed at its end. With `format=protobuf`, or the subprotocol
/// `gotify.v1.protobuf`, each binary frame is a `gotify.v1.Message` in Protocol Buffers.
///
/// With `Accept: text/event-stream`, as a browser's `EventSource` sends it, the answer is a stream of events: each has the
/// id of a message in `id` and the `Message` in JSON in `data`. The last one, of the type `end`, says why the server ends
/// the stream. A client that comes back sends the id of the last event that it got in `Last-Event-ID`, which goes before
/// `since`.
///
/// With `events=true` come objects with a field `event` beside messages; as a Server-Sent Event, each has this as its type and
/// no id:
///
/// - `{"event":"deleted","ids":[7,8]}`: these messages were deleted; `{"event":"deleted","appid":3,"upTo":99}`: all of an
///   application's messages up to that one; `{"event":"deleted","upTo":99}`: all messages up to that one. When an
///   application is deleted, all of its messages are: `upTo` is 9007199254740991 then.
/// - `{"event":"replaced","id":12,"ids":[7]}`: message 12, which comes as any other, took the place of older ones.
/// - `{"event":"read","upTo":123}`: messages were marked as read, of all applications, or of one with `"appid":1`.
/// - `{"event":"applications"}`: applications were made, changed, ordered or deleted, or their pictures or settings were
///   changed.
/// - `{"event":"missed"}`: this stream has missed events, and what it shows may be out of date. Messages are never missed. A
///   stream that begins with `since` brings it after the messages: events are not stored.
///
/// A client that has missed too many messages (100000, unless the server is configured otherwise) gets none of them: a
/// WebSocket is closed with the code 4001, and events end. It pages through `GET /message?after=ID` first, and then
/// opens a stream with `since` after the last message of the last page.
#[utoipa::path(
    get, path = "/stream", operation_id = "streamMessages", tag = "message",
    params(
        Since,
        MessageFilter,
        ("Last-Event-ID" = Option<u64>, Header, nullable = false,
            description = "Events alone: begin with what was stored after the message with this id."),
        ("format" = Option<String>, Query, nullable = false,
            description = "`json`, the default, or `protobuf`."),
        ("events" = Option<bool>, Query, nullable = false,
            description = "Bring what happens to messages and applications too. Not with `protobuf`."),
    ),
    responses(
        (status = 200, description = "Events, as they come, to a client that asks for them.",
            content((String = "text/event-stream"))),
        (status = 101, description = "The connection is a WebSocket from here on.",
            headers(("X-Stream-Since" = u64, description = "As `since`, if it was given. Servers that ignore `since` \
                do not send it."))),
        (status = 400, description = "This is neither a WebSocket handshake nor a request for events, `since` \
            or `Last-Event-ID` is no id, `application` or `minpriority` is no number, `format` is unknown, or `events` is neither `true` nor `false`.",
            content((String = "text/plain"), (ErrorObject = "application/json"))),
        (status = 403, description = "The page that asks comes from somewhere else.",
            content((String = "text/plain"))),
    )
)]
async fn open(
    StreamAuth(client): StreamAuth,
    State(state): State<StreamState>,
    State(auth): State<Authenticator>,
    State(store): State<Store>,
    request: Request,
) -> Result<Response, Response> {
    let (mut parts, _) = request.into_parts();
    let requested = StreamRequest::read(&mut parts, &state.origins).map_err(IntoResponse::into_response)?;
    // Headers are slices of the connection's read buffer, and would keep it alive.
    drop(parts);
    // What the client does not ask for is not missed.
    let choice = message_filter::choice(&requested.filter);
    let (replaying, begins_after) = match &requested {
        StreamRequest { upgrade: Some(_), since, .. } => replay(&state, &client, *since, &choice)
            .await
            .map_err(|error| ApiError::from(error).into_response())?,
        StreamRequest { since, .. } => (None, *since),
    };
    let mut registered =
        state.hub.register_in(requested.format, UserId(client.user_id.0), &client.token, begins_after);
    if let Ok(registration) = &mut registered {
        registration.ask_for(requested.filter);
        if let Some(missed) = requested.missed {
            registration.ask_for_events(missed);
        }
    }
    let newest = async {
        // What is announced before this node listens is in the head that it reads then.
        if let Some(cluster) = &state.cluster {
            cluster.listen(client.user_id).await;
        }
        store.database().head(client.user_id).await
    };
    let admitted = admission::admit(registered, client.is_still_valid(&auth, &store), newest).await;
    let mut registration = admitted.map_err(IntoResponse::into_response)?;
    if let Some(since) = requested.since {
        let (since, limit) = (model::MessageId(since.0), state.max_resume_messages);
        let database = store.database();
        let count =
            database.count_chosen_messages_after(client.user_id, since, &choice, limit.saturating_add(1));
        admission::limit_backlog(&registration, limit, count).await.map_err(IntoResponse::into_response)?;
    }
    let Some(upgrade) = requested.upgrade else { return Ok(event_stream::run(registration)) };
    let mut response = match replaying {
        None => upgrade.run(registration, Ignore, state.limits),
        Some(replaying) => {
            let acknowledgments = state.replays.attend(&replaying, &mut registration);
            upgrade.run(registration, acknowledgments, state.limits)
        }
    };
    if let Some(since) = requested.since {
        response.headers_mut().insert(SINCE_UNDERSTOOD, since.0.into());
    }
    Ok(response)
}

/// Returns what is known of a client with replay, and the message after which its stream begins. It is taken at its word
/// if it says where.
async fn replay(
    state: &StreamState,
    client: &ClientAuth,
    since: Option<MessageId>,
    choice: &MessageChoice,
) -> Result<(Option<ReplayingClient>, Option<MessageId>), StoreError> {
    let Some(replaying) = state.replays.client(client.client()).await? else { return Ok((None, since)) };
    if since.is_some() {
        return Ok((Some(replaying), since));
    }
    let limit = state.max_resume_messages;
    let begin = state.replays.begin(&replaying, client.user_id, choice, limit).await?;
    Ok((Some(replaying), begin.map(|id| MessageId(id.0))))
}

/// What a client asks for.
struct StreamRequest {
    format: Format,
    since: Option<MessageId>,
    filter: Filter,
    /// What informs a client that asks for events that it has missed some.
    missed: Option<Bytes>,
    /// None for events.
    upgrade: Option<Upgrade>,
}

impl StreamRequest {
    fn read(parts: &mut Parts, origins: &AllowedOrigins) -> Result<Self, Refused> {
        // A page from elsewhere can open an event stream, but the browser shows it nothing unless `cors` allows it.
        if !parts.headers.contains_key(UPGRADE) && event_stream::is_asked_for(&parts.headers) {
            let since = event_stream::since(&parts.uri, &parts.headers)?;
            let format = event_stream::format(&format::agree(&parts.uri, &parts.headers)?)?;
            let filter = MessageFilter::read(&parts.uri)?;
            let missed = Self::missed(&parts.uri, format)?;
            return Ok(Self { format, since, filter, missed, upgrade: None });
        }
        let mut upgrade = Upgrade::from_parts(parts)?;
        if !origins.allow(&parts.headers) {
            return Err(HandshakeError::Origin.into());
        }
        let since = Since::read(&parts.uri)?;
        let Agreed { format, subprotocol } = format::agree(&parts.uri, &parts.headers)?;
        upgrade.subprotocol = subprotocol;
        let filter = MessageFilter::read(&parts.uri)?;
        let missed = Self::missed(&parts.uri, format)?;
        Ok(Self { format, since, filter, missed, upgrade: Some(upgrade) })
    }

    fn missed(uri: &Uri, format: Format) -> Result<Option<Bytes>, ApiError> {
        let missed = event::is_asked_for(uri, format)?;
        Ok(missed.and_then(|missed| missed.bytes(format).cloned()))
    }
}

/// Why what a client asks for is refused, in the form of what it asked for.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Handshake(error) => error.into_response(),
            Self::Api(error) => error.into_response(),
        }
    }
}

/// Where the stream begins: with what was stored after that message.
struct Since;

impl Since {
    fn read(uri: &Uri) -> Result<Option<MessageId>, ApiError> {
        let Some(since) = uri.query().and_then(|query| query::first(query, "since")) else { return Ok(None) };
        match since.parse() {
            Ok(id) => Ok(Some(MessageId(id))),
            Err(_) => Err(ApiError::BadRequest(format!(
                "Field 'since' must be the id of a message, or 0 for all messages, not {:?}",
                shortened(&since)
            ))),
        }
    }
}

impl IntoParams for Since {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let since = ParameterBuilder::new().name("since").parameter_in(ParameterIn::Query);
        let description = "Begin with what was stored after the message with this id.";
        vec![since.description(Some(description)).schema(Some(unsigned())).build()]
    }
}
