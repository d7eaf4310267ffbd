//! `/message` and `/application/{id}/message`: sending, listing and deleting messages.

use std::sync::Arc;

use axum::extract::{FromRef, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{Field, FieldTarget, Form, LazyBody, documented};
use super::completion::to_completion;
use super::compression::compressed;
use super::error::ErrorObject;
use super::event::Event;
use super::json::EmptyResponse;
use super::listing::{AnswerMemory, FirstPart, PIECE_BYTES, Rows};
use super::openapi::errors::NO_LIST_MEMORY;
use super::paging::{PagedMessages, Paging, StoredMessages};

use super::path::PathId;
use super::routing::get_only;
use super::sender_limit::SenderLimiter;
use super::{ApiError, AppState, ClientAuth, Json, SenderAuth, protobuf};
use crate::auth::TokenApplication;
use crate::model::{ApplicationId, Extras, Message, MessageId, UserId};
use crate::store::{NewMessage, PUBLISH_PATIENCE, PublishError, Store, StoreError, replace_key};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(compressed(get_only(routes!(list))))
        .routes(routes!(create, delete_all))
        .routes(routes!(delete_one))
        .routes(compressed(get_only(routes!(list_of_application))))
        .routes(routes!(delete_of_application))
}

/// What is published.
#[derive(Default)]
pub(super) struct CreateMessage {
    pub(super) message: String,
    pub(super) title: String,
    pub(super) priority: Option<i64>,
    pub(super) extras: Option<Extras>,
    pub(super) application_id: Option<u64>,
}

impl Form for CreateMessage {
    const NAME: &'static str = "MessageExternal";
    const FIELDS: &'static [Field] = &[
        Field::required("message").described("The text.").example("All files are safe."),
        Field::optional("title")
            .described("The title; the application's name if it is blank.")
            .example("Backup"),
        Field::optional("priority")
            .described("How urgent it is; the application's default if left out.")
            .example("5"),
        Field::optional("extras")
            .described("What clients interpret, by names such as `client::display`.")
            .example(r#"{"client::display": {"contentType": "text/markdown"}}"#),
        Field::optional("appid")
            .described("The application that sends; for those who do not send with an application's token.")
            .example("1"),
    ];

    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        match index {
            0 => FieldTarget::Text(&mut self.message),
            1 => FieldTarget::Text(&mut self.title),
            2 => FieldTarget::Integer(&mut self.priority),
            3 => FieldTarget::Extras(&mut self.extras),
            _ => FieldTarget::Unsigned(&mut self.application_id),
        }
    }
}

documented!(CreateMessage);

// The hot path: a cached token, one read of the body, and the store.
/// Sends a message to the streams of the application's user.
///
/// Answered once the message is stored durably. A body of `application/x-protobuf` is a `gotify.v1.Message`, and so is
/// the answer where `Accept` names that type.
///
/// With `{"shardcast::replace": {"key": "backup"}}` in `extras`, the message takes the place of the older one of the same
/// application that has this key, a text of 1 to 180 characters.
///
/// A client's token, or a name and password, may send if the server behaves as Gotify 3.
#[utoipa::path(
    post, path = "/message", operation_id = "createMessage", tag = "message",
    security(
        ("appTokenHeader" = []), ("appTokenAuthorizationHeader" = []), ("appTokenQuery" = []),
        ("clientTokenHeader" = []), ("clientTokenAuthorizationHeader" = []), ("clientTokenQuery" = []),
        ("sessionCookie" = []), ("basicAuth" = []),
    ),
    request_body = CreateMessage,
    responses(
        (status = 200, body = Message),
        (status = 400, body = ErrorObject, description = "A user sends, and `appid` is missing: \
            `appid is required when not authenticating with an application token`. \
            Or the user has no application with this id: `appid not found`. \
            Or the key in `extras` is no text of 1 to 180 characters: \
            `Field 'extras' has a wrong entry: 'shardcast::replace' must be an object with a text of 1 to 180 characters \
            as 'key', not {value}`."),
        (status = 403, body = ErrorObject, description = "The request has a name and password, and the server is set \
            to behave as Gotify 2: `you are not allowed to access this api`."),
        (status = 413, body = ErrorObject, description = "The message has more bytes than the server allows all messages \
            of the application or its user together: `the message has {n} bytes in its text, title and extras, and the \
            messages of the application may have {limit} bytes in all`."),
        (status = 429, body = ErrorObject, description = "The application or its user has sent as many messages as the \
            server allows: `the application may send {limit} messages per minute, try again in {n} s`. \
            Or its stored messages have as many bytes: `the messages of the application may have {limit} bytes in all; \
            delete some, and try again in {n} s`. `Retry-After` has the same number."),
    )
)]
async fn create(
    sender: SenderAuth,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<Response, ApiError> {
    let answers_protobuf = protobuf::is_accepted(body.headers());
    let form: CreateMessage = if protobuf::is_type(body.media_type()) {
        body.read_by(protobuf::decode).await?
    } else {
        body.read().await?
    };
    replace_key(form.extras.as_ref())
        .map_err(|error| ApiError::BadRequest(format!("Field 'extras' has a wrong entry: {error}")))?;
    let (application, is_chosen) = match sender {
        SenderAuth::Application(application) => (application, false),
        SenderAuth::User(user) => (chosen(&state.store, user, form.application_id).await?, true),
    };
    // Before the message is stored: who is refused may send it again.
    let large = match body.read_bytes() {
        bytes if bytes > PIECE_BYTES => {
            let memory = AnswerMemory::from_ref(&state);
            Some(Box::pin(FirstPart::of_bytes(&memory, bytes)).await?)
        }
        _ => None,
    };
    let blank = form.title.trim().is_empty();
    let new = NewMessage {
        user_id: application.user_id,
        application_id: application.id,
        message: form.message,
        title: if blank { application.name.clone() } else { form.title },
        priority: form.priority.unwrap_or(application.default_priority),
        extras: form.extras.filter(|extras| !extras.is_empty()),
        date: chrono::Local::now().fixed_offset(),
    };
    let published = match state.sender_limiter() {
        None => state.store.publish(new).await,
        Some(limiter) => Box::pin(publish_within_limits(limiter, &state.store, new)).await?,
    };
    let message = published.map_err(|error| match error {
        PublishError::NoSuchApplication if is_chosen => unknown_choice(),
        other => other.into(),
    })?;
    Ok(match (large, answers_protobuf) {
        (None, false) => Json(&*message).into_response(),
        (None, true) => {
            ([(CONTENT_TYPE, protobuf::CONTENT_TYPE)], protobuf::encode(&message)).into_response()
        }
        (Some(part), false) => part.answer_row(StoredMessages(state.store.clone()), &message),
        (Some(part), true) => {
            part.answer_row(ProtobufMessages(StoredMessages(state.store.clone())), &message)
        }
    })
}

/// Publishes a message if its sender may. To find that out takes from the time in which a publish is answered.
async fn publish_within_limits(
    limiter: &SenderLimiter,
    store: &Store,
    message: NewMessage,
) -> Result<Result<Arc<Message>, PublishError>, ApiError> {
    let received_at = Instant::now();
    let message = limiter.admit(store.database(), message, received_at + PUBLISH_PATIENCE).await?;
    Ok(store.publish_received(message, received_at).await)
}

/// Messages in Protocol Buffers.
struct ProtobufMessages(StoredMessages);

impl Rows for ProtobufMessages {
    const CONTENT_TYPE: HeaderValue = protobuf::CONTENT_TYPE;
    type Id = MessageId;
    type Row = Message;

    fn id(row: &Message) -> MessageId {
        row.id
    }

    async fn read(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        self.0.read(ids).await
    }

    fn encode(answer: &mut Vec<u8>, row: &Message) {
        answer.extend_from_slice(&protobuf::encode(row));
    }
}

/// Returns the application that a user sends with.
async fn chosen(store: &Store, user: UserId, id: Option<u64>) -> Result<Arc<TokenApplication>, ApiError> {
    let Some(id) = id.filter(|&id| id != 0) else {
        let text = "appid is required when not authenticating with an application token";
        return Err(ApiError::BadRequest(text.to_owned()));
    };
    let found = store.database().application(ApplicationId(id)).await?;
    match found.filter(|owned| owned.user_id == user) {
        Some(owned) => Ok(Arc::new(TokenApplication::of_row(owned))),
        None => Err(unknown_choice()),
    }
}

fn unknown_choice() -> ApiError {
    ApiError::BadRequest("appid not found".to_owned())
}

/// Lists the messages of all applications, the newest first, or with `after` the oldest first.
#[utoipa::path(
    get, path = "/message", operation_id = "getMessages", tag = "message",
    params(Paging),
    responses(
        (status = 200, body = PagedMessages),
        (status = 503, description = NO_LIST_MEMORY, body = ErrorObject),
    )
)]
async fn list(
    client: ClientAuth,
    paging: Paging,
    State(store): State<Store>,
    State(memory): State<AnswerMemory>,
) -> Result<Response, ApiError> {
    let part = FirstPart::reserve(&memory).await?;
    let found = paging.list_of_user(store.database(), client.user_id).await?;
    Ok(paging.answer(part, store, found))
}

/// Lists the messages of an application, the newest first, or with `after` the oldest first.
#[utoipa::path(
    get, path = "/application/{id}/message", operation_id = "getAppMessages", tag = "message",
    params(PathId, Paging),
    responses(
        (status = 200, body = PagedMessages),
        (status = 404, body = ErrorObject, description = "The user who asks has no application with this id: \
            `application does not exist`."),
        (status = 503, description = NO_LIST_MEMORY, body = ErrorObject),
    )
)]
async fn list_of_application(
    client: ClientAuth,
    PathId(id): PathId,
    paging: Paging,
    State(store): State<Store>,
    State(memory): State<AnswerMemory>,
) -> Result<Response, ApiError> {
    let id = ApplicationId(id);
    if !owns(&store, client.user_id, id).await? {
        return Err(ApiError::NotFound("application does not exist".to_owned()));
    }
    let part = FirstPart::reserve(&memory).await?;
    let found = paging.list_of_application(store.database(), id).await?;
    Ok(paging.answer(part, store, found))
}

/// Deletes all messages.
#[utoipa::path(
    delete, path = "/message", operation_id = "deleteMessages", tag = "message",
    responses((status = 200))
)]
async fn delete_all(client: ClientAuth, State(state): State<AppState>) -> Result<EmptyResponse, ApiError> {
    let user = client.user_id;
    to_completion(async move {
        let deleted = state.store.database().delete_messages(user).await;
        state.store.forget_deleted(user);
        deleted_up_to(&state, user, None, deleted)
    })
    .await
}

/// Announces what came of deleting many messages.
fn deleted_up_to(
    state: &AppState,
    user: UserId,
    appid: Option<ApplicationId>,
    deleted: Result<MessageId, StoreError>,
) -> Result<EmptyResponse, ApiError> {
    match deleted {
        Ok(up_to) => state.announce(user, &Event::DeletedUpTo { appid, up_to }),
        // Some may be deleted.
        Err(_) => state.announce(user, &Event::Missed),
    }
    deleted?;
    Ok(EmptyResponse)
}

/// Deletes a message.
#[utoipa::path(
    delete, path = "/message/{id}", operation_id = "deleteMessage", tag = "message",
    params(PathId),
    responses(
        (status = 200),
        (status = 404, body = ErrorObject, description = "The user who asks has no message with this id: \
            `message does not exist`."),
    )
)]
async fn delete_one(
    client: ClientAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
) -> Result<EmptyResponse, ApiError> {
    let (user, id) = (client.user_id, MessageId(id));
    let deleted = to_completion(async move {
        let deleted = state.store.database().delete_message(user, id).await?;
        if deleted {
            state.announce(user, &Event::Deleted { ids: vec![id] });
        }
        Ok::<_, ApiError>(deleted)
    });
    if deleted.await? {
        Ok(EmptyResponse)
    } else {
        Err(ApiError::NotFound("message does not exist".to_owned()))
    }
}

/// Deletes the messages of an application.
#[utoipa::path(
    delete, path = "/application/{id}/message", operation_id = "deleteAppMessages", tag = "message",
    params(PathId),
    responses(
        (status = 200),
        (status = 404, body = ErrorObject, description = "The user who asks has no application with this id: \
            `application does not exists`."),
    )
)]
async fn delete_of_application(
    client: ClientAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
) -> Result<EmptyResponse, ApiError> {
    let (user, id) = (client.user_id, ApplicationId(id));
    if !owns(&state.store, user, id).await? {
        // Spelled differently from the listing's text: so does Gotify.
        return Err(ApiError::NotFound("application does not exists".to_owned()));
    }
    to_completion(async move {
        let deleted = state.store.database().delete_application_messages(id).await;
        state.store.forget_deleted(user);
        deleted_up_to(&state, user, Some(id), deleted)
    })
    .await
}

async fn owns(store: &Store, user: UserId, application: ApplicationId) -> Result<bool, ApiError> {
    let found = store.database().application(application).await?;
    Ok(found.is_some_and(|owned| owned.user_id == user))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the size of the future that a handler returns.
    fn future_bytes<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// Every publish allocates it, with 280 bytes of axum's. Beyond 1032 bytes glibc has no fast path.
    #[test]
    fn the_future_of_a_publish_stays_small() {
        let size = future_bytes(create);
        assert!(size <= 752, "{size} bytes");
    }
}
