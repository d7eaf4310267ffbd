//! `/shardcast/push`: where the client that asks gets push messages.

use axum::extract::State;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{Field, FieldTarget, Form, LazyBody, documented};
use super::completion::to_completion;
use super::error::ErrorObject;
use super::json::EmptyResponse;
use super::routing::get_only;
use super::{ApiError, AppState, ClientAuth, Json};
use crate::model::{ClientId, Extras};
use crate::push::Push;
use crate::store::{MAX_PUSH_SUBSCRIPTIONS, PushSubscription, SubscribeOutcome};

/// As browsers write it, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Those of browsers have 150 to 700 characters.
const MAX_ENDPOINT_CHARACTERS: usize = 2048;

const SWITCHED_OFF: &str = "push messages are switched off on this server (push.enabled)";
const NOT_SUBSCRIBED: &str = "this client has no push subscription";
const NO_CLIENT: &str = "a name and a password are no client: ask with a client's token";

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(get_only(routes!(show, subscribe, unsubscribe)))
}

/// The subscription of a browser, as its `PushSubscription` is as JSON.
#[derive(Default)]
struct PushParams {
    endpoint: String,
    keys: Option<Extras>,
    min_priority: Option<i64>,
}

impl Form for PushParams {
    const NAME: &'static str = "PushParams";
    const FIELDS: &'static [Field] = &[
        Field::required("endpoint")
            .described("The URL at the push service, as the browser says it.")
            .example("https://push.example/abc")
            .max_characters(MAX_ENDPOINT_CHARACTERS)
            .secret(),
        Field::required("keys")
            .described("The keys that the browser has made, in base64url: `p256dh` and `auth`.")
            .example(
                r#"{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}"#,
            )
            .with_texts(&["p256dh", "auth"])
            .secret(),
        Field::optional("minPriority").described("Messages with a lower priority are not pushed."),
    ];

    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        match index {
            0 => FieldTarget::Text(&mut self.endpoint),
            1 => FieldTarget::Object(&mut self.keys),
            _ => FieldTarget::Integer(&mut self.min_priority),
        }
    }
}

documented!(PushParams);

/// Where a client gets push messages.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ClientPush {
    /// The URL at the push service.
    endpoint: String,
    /// Messages with a lower priority are not pushed.
    min_priority: i64,
}

impl From<PushSubscription> for ClientPush {
    fn from(PushSubscription { endpoint, min_priority, .. }: PushSubscription) -> Self {
        Self { endpoint, min_priority }
    }
}

/// Shows where the client that asks gets push messages.
#[utoipa::path(
    get, path = "/shardcast/push", operation_id = "getPush", tag = "client",
    responses(
        (status = 200, body = ClientPush),
        (status = 403, body = ErrorObject, description = "The request has a name and password: \
            `a name and a password are no client: ask with a client's token`."),
        (status = 404, body = ErrorObject, description = "The client gets none: \
            `this client has no push subscription`. Or the server sends none: \
            `push messages are switched off on this server (push.enabled)`."),
    )
)]
async fn show(client: ClientAuth, State(state): State<AppState>) -> Result<Json<ClientPush>, ApiError> {
    let (_, client_id) = subscriber(&client, &state)?;
    let found = state.store.database().push_subscription(client_id).await?;
    let found = found.ok_or_else(|| ApiError::NotFound(NOT_SUBSCRIBED.to_owned()))?;
    Ok(Json(found.into()))
}

/// Lets the client that asks get push messages, in place of the subscription that it had.
///
/// The browser's subscription must be made for the key that `GET /shardcast/overview` names. It ends with the client, or
/// when the push service says that it is gone. The clients of a user have at most 100 subscriptions.
#[utoipa::path(
    put, path = "/shardcast/push", operation_id = "subscribePush", tag = "client",
    request_body = PushParams,
    responses(
        (status = 200, body = ClientPush),
        (status = 403, body = ErrorObject, description = "The request has a name and password: \
            `a name and a password are no client: ask with a client's token`."),
        (status = 404, body = ErrorObject, description = "The server sends no push messages: \
            `push messages are switched off on this server (push.enabled)`."),
    )
)]
async fn subscribe(
    client: ClientAuth,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<Json<ClientPush>, ApiError> {
    let (push, client_id) = subscriber(&client, &state)?;
    let PushParams { endpoint, keys, min_priority } = body.read().await?;
    let key = |name: &str| key(keys.as_ref(), name).map_err(ApiError::BadRequest);
    let subscription = PushSubscription {
        endpoint,
        p256dh: key("p256dh")?,
        auth: key("auth")?,
        min_priority: min_priority.unwrap_or_default(),
    };
    push.check(&subscription).map_err(ApiError::BadRequest)?;
    let user_id = client.user_id;
    to_completion(async move {
        match state.store.database().save_push_subscription(client_id, &subscription).await? {
            SubscribeOutcome::Saved => push.subscribed(user_id),
            // Deleted since the request was admitted.
            SubscribeOutcome::NoSuchClient => return Err(ApiError::Unauthorized),
            SubscribeOutcome::TooMany => return Err(ApiError::BadRequest(too_many())),
        }
        Ok(Json(subscription.into()))
    })
    .await
}

/// Ends the push messages to the client that asks.
#[utoipa::path(
    delete, path = "/shardcast/push", operation_id = "unsubscribePush", tag = "client",
    responses(
        (status = 200, description = "It gets none any more, whether or not it got any."),
        (status = 403, body = ErrorObject, description = "The request has a name and password: \
            `a name and a password are no client: ask with a client's token`."),
        (status = 404, body = ErrorObject, description = "The server sends no push messages: \
            `push messages are switched off on this server (push.enabled)`."),
    )
)]
async fn unsubscribe(client: ClientAuth, State(state): State<AppState>) -> Result<EmptyResponse, ApiError> {
    let (_, client_id) = subscriber(&client, &state)?;
    state.store.database().delete_push_subscription(client_id, None).await?;
    Ok(EmptyResponse)
}

/// Returns the client that asks, if messages are pushed at all.
fn subscriber(client: &ClientAuth, state: &AppState) -> Result<(Push, ClientId), ApiError> {
    let push = state.push.clone().ok_or_else(|| ApiError::NotFound(SWITCHED_OFF.to_owned()))?;
    let id = client.client().and_then(|client| client.id).ok_or(ApiError::ForbiddenWith(NO_CLIENT))?;
    Ok((push, id))
}

fn too_many() -> String {
    format!(
        "the clients of this user have {MAX_PUSH_SUBSCRIPTIONS} push subscriptions, which is the most: delete clients \
         that are not used"
    )
}

/// Reads one of a subscription's keys. The error does not repeat it.
fn key(keys: Option<&Extras>, name: &str) -> Result<Vec<u8>, String> {
    let text = match keys.and_then(|keys| keys.get(name)) {
        Some(Value::String(text)) => text,
        Some(_) => return Err(format!("Field 'keys.{name}' must be a text")),
        None => return Err(format!("Field 'keys.{name}' is required")),
    };
    BASE64.decode(text).map_err(|_| format!("Field 'keys.{name}' must be base64url"))
}
