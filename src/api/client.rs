//! `/client`: what may receive messages and manage its user's things.

use axum::Router;
use axum::extract::State;
use axum::routing::put;

use super::body::{Field, Form, Slot, Unread};
use super::completion::to_completion;
use super::json::Done;
use super::path::PathId;
use super::routing::get_only;
use super::stream::StreamState;
use super::{ApiError, AppState, ClientAuth, Json};
use crate::auth::{Authenticator, client_token};
use crate::hub;
use crate::model::{Client, ClientId, UserId};
use crate::store::{NewClient, Store};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/client", get_only(list).post(create))
        .route("/client/{id}", put(rename).delete(delete))
}

#[derive(Default)]
struct ClientParams {
    name: String,
}

impl Form for ClientParams {
    const NAME: &'static str = "ClientParams";
    const FIELDS: &'static [Field] = &[Field::required("name")];

    fn slot(&mut self, _: usize) -> Slot<'_> {
        Slot::Text(&mut self.name)
    }
}

async fn list(client: ClientAuth, State(store): State<Store>) -> Result<Json<Vec<Client>>, ApiError> {
    Ok(Json(store.database().clients(client.user_id).await?))
}

async fn create(
    client: ClientAuth,
    State(store): State<Store>,
    body: Unread,
) -> Result<Json<Client>, ApiError> {
    let form: ClientParams = body.read().await?;
    let created = store.database().create_client(NewClient {
        user_id: client.user_id,
        token: client_token(&mut rand::rng()),
        name: form.name,
        created_at: chrono::Local::now().fixed_offset(),
    });
    Ok(Json(created.await?))
}

async fn rename(
    client: ClientAuth,
    PathId(id): PathId,
    State(store): State<Store>,
    body: Unread,
) -> Result<Json<Client>, ApiError> {
    let id = ClientId(id);
    owned(&store, client.user_id, id).await?;
    let form: ClientParams = body.read().await?;
    // Nothing of a client's name is cached with its token.
    let renamed = store.database().rename_client(id, &form.name).await?;
    renamed.map(Json).ok_or_else(|| not_found(id))
}

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
