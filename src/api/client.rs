//! `/client`: what may receive messages and manage its user's things.

use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{Field, Form, Slot, Unread, documented};
use super::completion::to_completion;
use super::error::ErrorObject;
use super::json::Done;
use super::path::PathId;
use super::routing::get_only;
use super::stream::StreamState;
use super::{ApiError, AppState, ClientAuth, Json, token_shown};
use crate::auth::{Authenticator, client_token};
use crate::hub;
use crate::model::{Client, ClientId, Compatibility, UserId};
use crate::store::{NewClient, Store, UpdateClient};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(get_only(routes!(list, create))).routes(routes!(rename, delete))
}

#[derive(Default)]
struct ClientParams {
    name: String,
    expires_after_inactivity_seconds: Option<u64>,
}

impl Form for ClientParams {
    const NAME: &'static str = "ClientParams";
    const FIELDS: &'static [Field] = &[
        Field::required("name").described("Shown in the list of clients.").example("laptop"),
        Field::optional("expiresAfterInactivitySeconds")
            .described("After how long without use it is deleted; 0 is never."),
    ];

    fn slot(&mut self, index: usize) -> Slot<'_> {
        match index {
            0 => Slot::Text(&mut self.name),
            _ => Slot::Unsigned(&mut self.expires_after_inactivity_seconds),
        }
    }
}

documented!(ClientParams);

/// Lists the clients.
#[utoipa::path(
    get, path = "/client", operation_id = "getClients", tag = "client",
    responses((status = 200, body = Vec<Client>))
)]
async fn list(
    client: ClientAuth,
    State(store): State<Store>,
    State(compatibility): State<Compatibility>,
) -> Result<Json<Vec<Client>>, ApiError> {
    let mut clients = store.database().clients(client.user_id).await?;
    for client in &mut clients {
        token_shown::listed(compatibility, &mut client.token);
    }
    Ok(Json(clients))
}

/// Makes a client.
#[utoipa::path(
    post, path = "/client", operation_id = "createClient", tag = "client",
    request_body = ClientParams,
    responses((status = 200, body = Client))
)]
async fn create(
    client: ClientAuth,
    State(store): State<Store>,
    body: Unread,
) -> Result<Json<Client>, ApiError> {
    let form: ClientParams = body.read().await?;
    let token = client_token(&mut rand::rng());
    let new = NewClient {
        expires_after_inactivity_seconds: form.expires_after_inactivity_seconds.unwrap_or_default(),
        ..NewClient::new(client.user_id, token, form.name, chrono::Local::now().fixed_offset())
    };
    Ok(Json(store.database().create_client(new).await?))
}

/// Renames a client.
#[utoipa::path(
    put, path = "/client/{id}", operation_id = "updateClient", tag = "client",
    params(PathId),
    request_body = ClientParams,
    responses((status = 200, body = Client), (status = 404, body = ErrorObject))
)]
async fn rename(
    client: ClientAuth,
    PathId(id): PathId,
    State(store): State<Store>,
    State(compatibility): State<Compatibility>,
    body: Unread,
) -> Result<Json<Client>, ApiError> {
    let id = ClientId(id);
    owned(&store, client.user_id, id).await?;
    let form: ClientParams = body.read().await?;
    // Nothing of a client's name is cached with its token.
    let change = UpdateClient {
        name: form.name,
        expires_after_inactivity_seconds: form.expires_after_inactivity_seconds,
    };
    let mut renamed = store.database().update_client(id, change).await?.ok_or_else(|| not_found(id))?;
    token_shown::changed(compatibility, &mut renamed.token);
    Ok(Json(renamed))
}

/// Deletes a client, and closes its streams.
#[utoipa::path(
    delete, path = "/client/{id}", operation_id = "deleteClient", tag = "client",
    params(PathId),
    responses((status = 200), (status = 404, body = ErrorObject))
)]
async fn delete(
    client: ClientAuth,
    PathId(id): PathId,
    State(store): State<Store>,
    State(auth): State<Authenticator>,
    State(stream): State<StreamState>,
) -> Result<Done, ApiError> {
    let id = ClientId(id);
    let user = client.user_id;
    let known = owned(&store, user, id).await?;
    let deleted = to_completion(async move {
        let close_streams = || stream.hub.close_token(hub::UserId(user.0), &known.token);
        close_streams();
        let deleted = store.database().delete_client(id).await;
        auth.forget_client(&known.token);
        if matches!(deleted, Ok(true)) {
            // One may have been admitted in between.
            close_streams();
        }
        deleted
    });
    if deleted.await? { Ok(Done) } else { Err(not_found(id)) }
}

async fn owned(store: &Store, user: UserId, id: ClientId) -> Result<Client, ApiError> {
    let found = store.database().client(id).await?;
    found.filter(|owned| owned.user_id == user).map(|owned| owned.row).ok_or_else(|| not_found(id))
}

fn not_found(id: ClientId) -> ApiError {
    ApiError::NotFound(format!("client with id {id} doesn't exists"))
}
