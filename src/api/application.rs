//! `/application`: what may send messages.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{
    Field, FieldTarget, Form, LazyBody, MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS, documented,
};
use super::completion::to_completion;
use super::compression::compressed;
use super::error::ErrorObject;
use super::event::{EVERY_MESSAGE, Event};
use super::json::EmptyResponse;
use super::listing::{AnswerMemory, FirstPart, Rows};
use super::openapi::errors::{NO_APPLICATION, NO_LIST_MEMORY, NOT_ELEVATED};
use super::path::PathId;
use super::routing::get_only;
use super::{ApiError, AppState, ClientAuth, ElevatedAuth, Json, image, token_shown};
use crate::auth::{NewToken, Revocation, TokenKind};
use crate::model::{Application, ApplicationId, Compatibility, UserId};
use crate::store::{NewApplication, Store, StoreError, UpdateApplication};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(compressed(get_only(routes!(list))))
        .routes(routes!(create))
        .routes(routes!(update, delete))
        .routes(routes!(update_security))
}

#[derive(Default)]
struct ApplicationParams {
    name: String,
    description: String,
    default_priority: Option<i64>,
    sort_key: String,
}

impl Form for ApplicationParams {
    const NAME: &'static str = "ApplicationParams";
    const FIELDS: &'static [Field] = &[
        Field::required("name")
            .described("Shown with its messages that have no title.")
            .example("backup")
            .max_characters(MAX_NAME_CHARACTERS),
        Field::optional("description").described("Free text.").max_characters(MAX_DESCRIPTION_CHARACTERS),
        Field::optional("defaultPriority").described("The priority of messages that carry none."),
        Field::optional("sortKey")
            .described("Its place in the list; made up if empty.")
            .max_characters(MAX_NAME_CHARACTERS),
    ];

    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        match index {
            0 => FieldTarget::Text(&mut self.name),
            1 => FieldTarget::Text(&mut self.description),
            2 => FieldTarget::Integer(&mut self.default_priority),
            _ => FieldTarget::Text(&mut self.sort_key),
        }
    }
}

documented!(ApplicationParams);

#[derive(Default)]
struct SecurityUpdateAction {
    regenerate_token: bool,
}

impl Form for SecurityUpdateAction {
    const NAME: &'static str = "SecurityUpdateAction";
    const FIELDS: &'static [Field] =
        &[Field::optional("regenerateToken").described("Whether to replace the token.")];

    fn target(&mut self, _: usize) -> FieldTarget<'_> {
        FieldTarget::Flag(&mut self.regenerate_token)
    }
}

documented!(SecurityUpdateAction);

/// What came of each action that was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = SecurityUpdateActionResponse)]
struct SecurityUpdate {
    /// Absent unless the token was replaced.
    #[serde(rename = "regenerateToken", skip_serializing_if = "Option::is_none")]
    regenerate_token: Option<RegeneratedToken>,
}

/// The new token.
#[derive(Serialize, ToSchema)]
#[schema(as = RegenerateTokenResponse)]
struct RegeneratedToken {
    /// It is shown this once.
    token: String,
}

/// Lists the applications, by their sort keys.
#[utoipa::path(
    get, path = "/application", operation_id = "getApps", tag = "application",
    responses(
        (status = 200, body = Vec<Application>),
        (status = 503, description = NO_LIST_MEMORY, body = ErrorObject),
    )
)]
async fn list(
    client: ClientAuth,
    State(state): State<AppState>,
    State(memory): State<AnswerMemory>,
) -> Result<Response, ApiError> {
    let part = FirstPart::reserve(&memory).await?;
    let mut found = state.store.database().list_applications(client.user_id, FirstPart::MAX_BYTES).await?;
    let rows = ListedApplications(state);
    found.rows = rows.shown(found.rows);
    Ok(part.answer((b"[".to_vec(), "]"), rows, found))
}

/// The applications of a list.
struct ListedApplications(AppState);

impl ListedApplications {
    fn shown(&self, mut applications: Vec<Application>) -> Vec<Application> {
        for application in &mut applications {
            self.0.auth.complete_application(application);
            token_shown::listed(self.0.settings.compatibility, &mut application.token);
        }
        applications
    }
}

impl Rows for ListedApplications {
    type Id = ApplicationId;
    type Row = Application;

    fn id(row: &Application) -> ApplicationId {
        row.id
    }

    async fn read(&self, ids: &[ApplicationId]) -> Result<Vec<Application>, StoreError> {
        Ok(self.shown(self.0.store.database().applications_by_id(ids).await?))
    }
}

/// Makes an application.
#[utoipa::path(
    post, path = "/application", operation_id = "createApp", tag = "application",
    request_body = ApplicationParams,
    responses(
        (status = 200, body = Application),
        (status = 400, body = ErrorObject, description = "Another application of the user has this sort key: \
            `sort key is not unique`."),
    )
)]
async fn create(
    client: ClientAuth,
    State(state): State<AppState>,
    State(compatibility): State<Compatibility>,
    mut body: LazyBody,
) -> Result<Json<Application>, ApiError> {
    let user_id = client.user_id;
    let form: ApplicationParams = body.read().await?;
    let token = NewToken::make(TokenKind::Application, compatibility, &mut rand::rng());
    let application = NewApplication {
        user_id,
        token: token.stored,
        name: form.name,
        description: form.description,
        default_priority: form.default_priority.unwrap_or_default(),
        sort_key: Some(form.sort_key).filter(|key| !key.is_empty()),
        created_at: chrono::Local::now().fixed_offset(),
    };
    let created = to_completion(async move {
        let created = state.store.database().create_application(application).await?;
        state.announce(user_id, &Event::Applications);
        Ok(created)
    });
    let created = created.await.map_err(taken_sort_key)?;
    Ok(Json(Application { token: token.secret, ..created }))
}

/// Changes an application; what is left out is cleared, except the sort key.
#[utoipa::path(
    put, path = "/application/{id}", operation_id = "updateApplication", tag = "application",
    params(PathId),
    request_body = ApplicationParams,
    responses(
        (status = 200, body = Application),
        (status = 400, body = ErrorObject, description = "Another application of the user has this sort key: \
            `sort key is not unique`."),
        (status = 404, description = NO_APPLICATION, body = ErrorObject),
    )
)]
async fn update(
    client: ClientAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<Json<Application>, ApiError> {
    let (user, id) = (client.user_id, ApplicationId(id));
    owned(&state.store, user, id).await?;
    let form: ApplicationParams = body.read().await?;
    let change = UpdateApplication {
        name: form.name,
        description: form.description,
        default_priority: form.default_priority.unwrap_or_default(),
        sort_key: Some(form.sort_key).filter(|key| !key.is_empty()),
    };
    let shared = state.clone();
    let updated = to_completion(async move {
        let updated = shared.store.database().update_application(id, change).await?;
        // The token that it has now: it may have got another one since the request came.
        if let Some(Application { token, .. }) = &updated {
            shared.revoke(&Revocation::ApplicationChanged { token: token.clone() });
            shared.announce(user, &Event::Applications);
        }
        Ok(updated)
    });
    let mut updated = updated.await.map_err(taken_sort_key)?.ok_or_else(|| not_found(id))?;
    state.auth.complete_application(&mut updated);
    token_shown::changed(state.settings.compatibility, &mut updated.token);
    Ok(Json(updated))
}

/// Replaces an application's token.
///
/// The old one is refused from the answer on.
#[utoipa::path(
    put, path = "/application/{id}/security", operation_id = "updateAppSecurity", tag = "application",
    params(PathId),
    request_body = SecurityUpdateAction,
    responses(
        (status = 200, body = SecurityUpdate),
        (status = 403, description = NOT_ELEVATED, body = ErrorObject),
        (status = 404, description = NO_APPLICATION, body = ErrorObject),
    )
)]
async fn update_security(
    ElevatedAuth(client): ElevatedAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<Json<SecurityUpdate>, ApiError> {
    let (user, id) = (client.user_id, ApplicationId(id));
    owned(&state.store, user, id).await?;
    let form: SecurityUpdateAction = body.read().await?;
    if !form.regenerate_token {
        return Ok(Json(SecurityUpdate { regenerate_token: None }));
    }
    let NewToken { secret, stored, .. } =
        NewToken::make(TokenKind::Application, state.settings.compatibility, &mut rand::rng());
    let replaced = to_completion(async move {
        let replaced = state.store.database().replace_application_token(id, &stored).await?;
        let token = replaced.ok_or_else(|| not_found(id))?;
        state.revoke(&Revocation::ApplicationToken { token });
        state.announce(user, &Event::Applications);
        Ok::<_, ApiError>(())
    });
    replaced.await?;
    Ok(Json(SecurityUpdate { regenerate_token: Some(RegeneratedToken { token: secret }) }))
}

/// Deletes an application with its messages.
#[utoipa::path(
    delete, path = "/application/{id}", operation_id = "deleteApp", tag = "application",
    params(PathId),
    responses(
        (status = 200),
        (status = 400, body = ErrorObject, description = "The application is the server's own: \
            `cannot delete internal application`."),
        (status = 403, description = NOT_ELEVATED, body = ErrorObject),
        (status = 404, description = NO_APPLICATION, body = ErrorObject),
    )
)]
async fn delete(
    ElevatedAuth(client): ElevatedAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
) -> Result<EmptyResponse, ApiError> {
    let (user, id) = (client.user_id, ApplicationId(id));
    let known = owned(&state.store, user, id).await?;
    if known.internal {
        return Err(ApiError::BadRequest("cannot delete internal application".to_owned()));
    }
    let deleted = to_completion(async move {
        let deleted = state.store.database().delete_application(id).await?;
        let deleted = deleted.ok_or_else(|| not_found(id))?;
        state.store.forget_deleted(user);
        state.revoke(&Revocation::ApplicationToken { token: deleted.token.clone() });
        state.announce(user, &Event::DeletedUpTo { appid: Some(id), up_to: EVERY_MESSAGE });
        state.announce(user, &Event::Applications);
        if let Some(file) = deleted.image_file() {
            image::remove(&*state.images, file).await;
        }
        Ok(EmptyResponse)
    });
    deleted.await
}

pub(super) async fn owned(store: &Store, user: UserId, id: ApplicationId) -> Result<Application, ApiError> {
    let found = store.database().application(id).await?;
    found.filter(|owned| owned.user_id == user).map(|owned| owned.row).ok_or_else(|| not_found(id))
}

pub(super) fn not_found(id: ApplicationId) -> ApiError {
    ApiError::NotFound(format!("app with id {id} doesn't exists"))
}

fn taken_sort_key(error: StoreError) -> ApiError {
    match error {
        StoreError::Conflict { what: "sort key" } => ApiError::BadRequest(error.to_string()),
        other => other.into(),
    }
}
