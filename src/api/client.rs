//! `/client`: what may receive messages and manage its user's things.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::TimeDelta;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{Field, FieldTarget, Form, LazyBody, MAX_NAME_CHARACTERS, documented};
use super::completion::to_completion;
use super::compression::compressed;
use super::error::ErrorObject;
use super::json::EmptyResponse;
use super::listing::{AnswerMemory, FirstPart, Rows};
use super::openapi::errors::{NO_CLIENT, NO_LIST_MEMORY, NOT_ELEVATED};
use super::path::PathId;
use super::routing::get_only;
use super::{ApiError, AppState, ClientAuth, ElevatedAuth, Json, token_shown};
use crate::auth::{NewToken, Revocation, TokenKind};
use crate::model::{Client, ClientId, Timestamp, UserId};
use crate::store::{NewClient, StoreError, UpdateClient};

/// The longest time without use after which a client may expire: what Go's durations can hold.
const MAX_EXPIRY_SECONDS: u64 = 9_223_372_036;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(compressed(get_only(routes!(list))))
        .routes(routes!(create_one))
        .routes(routes!(update, delete))
        .routes(routes!(elevate_one))
}

/// What a request says of a client.
#[derive(Default)]
pub(super) struct ClientParams {
    pub(super) name: String,
    expires_after_inactivity_seconds: Option<u64>,
    replay: Option<bool>,
}

impl Form for ClientParams {
    const NAME: &'static str = "ClientParams";
    const FIELDS: &'static [Field] = &[
        Field::required("name")
            .described("Shown in the list of clients.")
            .example("laptop")
            .max_characters(MAX_NAME_CHARACTERS),
        Field::optional("expiresAfterInactivitySeconds")
            .described("After how many seconds without use it is deleted; 0 is never.")
            .at_most(MAX_EXPIRY_SECONDS),
        Field::optional("replay").described(
            "Whether its streams without `since` begin with what it has not acknowledged, for clients made for Gotify. \
             Without it, the server's configuration says so.",
        ),
    ];

    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        match index {
            0 => FieldTarget::Text(&mut self.name),
            1 => FieldTarget::Unsigned(&mut self.expires_after_inactivity_seconds),
            _ => FieldTarget::Choice(&mut self.replay),
        }
    }
}

documented!(ClientParams);

#[derive(Default)]
struct ElevateRequest {
    duration_seconds: Option<i64>,
}

impl Form for ElevateRequest {
    const NAME: &'static str = "ElevateRequest";
    const FIELDS: &'static [Field] =
        &[Field::required("durationSeconds").described("For how long; a negative time ends it.")];

    fn target(&mut self, _: usize) -> FieldTarget<'_> {
        FieldTarget::Integer(&mut self.duration_seconds)
    }
}

documented!(ElevateRequest);

/// What a client is made with.
pub(super) struct NewClientParams {
    pub(super) name: String,
    pub(super) expires_after_inactivity_seconds: u64,
    pub(super) elevated_until: Option<Timestamp>,
    pub(super) replay: Option<bool>,
}

/// Makes a client of a user; it is returned with the token that its holder is to present.
pub(super) async fn create(
    state: &AppState,
    user_id: UserId,
    new: NewClientParams,
) -> Result<Client, ApiError> {
    let token = NewToken::make(TokenKind::Client, state.settings.compatibility, &mut rand::rng());
    let NewClientParams { name, expires_after_inactivity_seconds, elevated_until, replay } = new;
    let created = state.store.database().create_client(NewClient {
        elevated_until,
        expires_after_inactivity_seconds,
        replay,
        ..NewClient::new(user_id, token.stored, name, state.auth.now())
    });
    let created = created.await?;
    if created.expires_at.is_some() {
        state.expiry.changed();
    }
    Ok(Client { token: token.secret, ..created })
}

/// Deletes a client of that user, then ends its streams; false if it is not there any more. Goes on when its caller
/// goes away.
pub(super) async fn remove(state: &AppState, user_id: UserId, id: ClientId) -> Result<bool, ApiError> {
    let state = state.clone();
    let deleted = to_completion(async move {
        let Some(Client { token, .. }) = state.store.database().delete_client(id).await? else {
            return Ok(false);
        };
        state.revoke(&Revocation::ClientDeleted { user_id, token });
        Ok::<_, StoreError>(true)
    });
    Ok(deleted.await?)
}

/// Lists the clients.
#[utoipa::path(
    get, path = "/client", operation_id = "getClients", tag = "client",
    responses(
        (status = 200, body = Vec<Client>),
        (status = 503, description = NO_LIST_MEMORY, body = ErrorObject),
    )
)]
async fn list(
    client: ClientAuth,
    State(state): State<AppState>,
    State(memory): State<AnswerMemory>,
) -> Result<Response, ApiError> {
    let part = FirstPart::reserve(&memory).await?;
    let mut found = state.store.database().list_clients(client.user_id, FirstPart::MAX_BYTES).await?;
    let rows = ListedClients { now: state.auth.now(), state };
    found.rows = rows.shown(found.rows);
    Ok(part.answer((b"[".to_vec(), "]"), rows, found))
}

/// The clients of a list, as they were when it was asked for.
struct ListedClients {
    state: AppState,
    now: Timestamp,
}

impl ListedClients {
    fn shown(&self, mut clients: Vec<Client>) -> Vec<Client> {
        clients.retain(|client| !client.has_expired(self.now));
        for client in &mut clients {
            self.state.auth.complete_client(client);
            token_shown::listed(self.state.settings.compatibility, &mut client.token);
            client.elevated_until = client.elevated_until.filter(|&until| self.now < until);
        }
        clients
    }
}

impl Rows for ListedClients {
    type Id = ClientId;
    type Row = Client;

    fn id(row: &Client) -> ClientId {
        row.id
    }

    async fn read(&self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError> {
        Ok(self.shown(self.state.store.database().clients_by_id(ids).await?))
    }
}

/// Makes a client.
#[utoipa::path(
    post, path = "/client", operation_id = "createClient", tag = "client",
    request_body = ClientParams,
    responses((status = 200, body = Client))
)]
async fn create_one(
    client: ClientAuth,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<Json<Client>, ApiError> {
    let form: ClientParams = body.read().await?;
    let new = NewClientParams {
        name: form.name,
        expires_after_inactivity_seconds: form.expires_after_inactivity_seconds.unwrap_or_default(),
        elevated_until: None,
        replay: form.replay,
    };
    Ok(Json(create(&state, client.user_id, new).await?))
}

/// Changes a client; an expiry or a replay that is left out stays.
#[utoipa::path(
    put, path = "/client/{id}", operation_id = "updateClient", tag = "client",
    params(PathId),
    request_body = ClientParams,
    responses(
        (status = 200, body = Client),
        (status = 404, description = NO_CLIENT, body = ErrorObject),
    )
)]
async fn update(
    client: ClientAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<Json<Client>, ApiError> {
    let id = ClientId(id);
    owned(&state, client.user_id, id).await?;
    let form: ClientParams = body.read().await?;
    let change = UpdateClient {
        name: form.name,
        expires_after_inactivity_seconds: form.expires_after_inactivity_seconds,
        replay: form.replay,
    };
    let shared = state.clone();
    let updated = to_completion(async move {
        let updated = shared.store.database().update_client(id, change, shared.auth.now()).await?;
        if let Some(Client { token, .. }) = &updated {
            shared.revoke(&Revocation::ClientChanged { token: token.clone() });
            shared.expiry.changed();
        }
        Ok::<_, StoreError>(updated)
    });
    let mut updated = updated.await?.ok_or_else(|| not_found(id))?;
    state.auth.complete_client(&mut updated);
    token_shown::changed(state.settings.compatibility, &mut updated.token);
    Ok(Json(updated))
}

/// Deletes a client, and closes its streams.
#[utoipa::path(
    delete, path = "/client/{id}", operation_id = "deleteClient", tag = "client",
    params(PathId),
    responses(
        (status = 200),
        (status = 403, description = NOT_ELEVATED, body = ErrorObject),
        (status = 404, description = NO_CLIENT, body = ErrorObject),
    )
)]
async fn delete(
    ElevatedAuth(client): ElevatedAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
) -> Result<EmptyResponse, ApiError> {
    let id = ClientId(id);
    owned(&state, client.user_id, id).await?;
    if remove(&state, client.user_id, id).await? { Ok(EmptyResponse) } else { Err(not_found(id)) }
}

/// Lets a client do what is dangerous for a while.
#[utoipa::path(
    post, path = "/client/{id}/elevate", operation_id = "elevateClient", tag = "client",
    params(PathId),
    request_body = ElevateRequest,
    responses(
        (status = 204),
        (status = 403, description = NOT_ELEVATED, body = ErrorObject),
        (status = 404, body = ErrorObject, description = "The user who asks has no client with this id: \
            `client not found`."),
    )
)]
async fn elevate_one(
    ElevatedAuth(client): ElevatedAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<(StatusCode, EmptyResponse), ApiError> {
    let form: ElevateRequest = body.read().await?;
    elevate(&state, client.user_id, ClientId(id), form.duration_seconds.unwrap_or_default()).await?;
    Ok((StatusCode::NO_CONTENT, EmptyResponse))
}

/// Lets a client of a user do what is dangerous for so many seconds; a negative number ends that. Goes on when its
/// caller goes away.
pub(super) async fn elevate(
    state: &AppState,
    user: UserId,
    id: ClientId,
    seconds: i64,
) -> Result<(), ApiError> {
    let not_found = || ApiError::NotFound("client not found".to_owned());
    owned(state, user, id).await.map_err(|error| match error {
        ApiError::NotFound(_) => not_found(),
        other => other,
    })?;
    let state = state.clone();
    let elevated = to_completion(async move {
        let now = state.auth.now();
        let elevated = state.store.database().elevate_client(id, later(now, seconds), now).await?;
        let Client { token, .. } = elevated.ok_or_else(not_found)?;
        state.revoke(&Revocation::ClientChanged { token });
        Ok(())
    });
    elevated.await
}

/// The time so many seconds later, or the last or first that the database and the wire can hold.
fn later(now: Timestamp, seconds: i64) -> Timestamp {
    const CENTURIES: i64 = 7000 * 31_557_600;
    let seconds = seconds.clamp(-1_000_000_000, CENTURIES);
    TimeDelta::try_seconds(seconds).and_then(|delta| now.checked_add_signed(delta)).unwrap_or(now)
}

async fn owned(state: &AppState, user: UserId, id: ClientId) -> Result<Client, ApiError> {
    let found = state.store.database().client(id).await?;
    let now = state.auth.now();
    let visible = found.filter(|owned| owned.user_id == user && !owned.row.has_expired(now));
    visible.map(|owned| owned.row).ok_or_else(|| not_found(id))
}

fn not_found(id: ClientId) -> ApiError {
    ApiError::NotFound(format!("client with id {id} doesn't exists"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_elevation_of_any_length_ends_within_the_calendar() {
        let now = chrono::DateTime::parse_from_rfc3339("2026-11-23T19:26:10+01:00").unwrap();
        assert_eq!(later(now, 90).to_rfc3339(), "2026-11-23T19:27:40+01:00");
        assert_eq!(later(now, -90).to_rfc3339(), "2026-11-23T19:24:40+01:00");
        assert!(later(now, i64::MIN) < now);
        let last = later(now, i64::MAX).to_rfc3339();
        assert!(last.starts_with("9027-"), "{last}");
    }
}
