//! `/user`: who there is, for administrators, and how a new user comes about.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use secrecy::SecretString;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{
    ANONYMOUS_BYTES, Field, FieldTarget, Form, LazyBody, MAX_USER_NAME_CHARACTERS, documented,
};
use super::completion::to_completion;
use super::compression::compressed;
use super::error::ErrorObject;
use super::gate::OptionalAuth;
use super::json::EmptyResponse;
use super::listing::{AnswerMemory, FirstPart, Rows};
use super::openapi::errors::{NO_ADMIN, NO_LIST_MEMORY, NO_USER};
use super::path::PathId;
use super::routing::get_only;
use super::{AdminAuth, ApiError, ApiSettings, AppState, Json, image};
use crate::auth::{Authenticator, Revocation};
use crate::model::{User, UserId, can_log_in, zero_time};
use crate::store::{DeletedUser, NewUser, Store, StoreError, UpdateUser, UserChange};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(compressed(get_only(routes!(list))))
        .routes(routes!(create))
        .routes(get_only(routes!(read, update, delete)))
}

/// What a user is made of.
#[derive(Default)]
struct CreateParams(UserParams);

/// What a user is changed to.
#[derive(Default)]
struct UpdateParams(UserParams);

#[derive(Default)]
struct UserParams {
    name: String,
    admin: bool,
    pass: String,
}

const NAME: Field = Field::required("name")
    .described("The name to log in with.")
    .max_characters(MAX_USER_NAME_CHARACTERS)
    .matching("^[^:]*$");
const ADMIN: Field = Field::optional("admin").described("Whether it manages users.");

impl Form for CreateParams {
    const NAME: &'static str = "CreateUserExternal";
    const FIELDS: &'static [Field] =
        &[NAME, ADMIN, Field::required("pass").described("Its password.").secret()];

    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        self.0.target(index)
    }
}

impl Form for UpdateParams {
    const NAME: &'static str = "UpdateUserExternal";
    const FIELDS: &'static [Field] = &[
        NAME,
        ADMIN,
        Field::optional("pass").described("Its new password; if it is empty, the old one stays.").secret(),
    ];

    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        self.0.target(index)
    }
}

documented!(CreateParams, UpdateParams);

impl UserParams {
    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        match index {
            0 => FieldTarget::Text(&mut self.name),
            1 => FieldTarget::Flag(&mut self.admin),
            _ => FieldTarget::Text(&mut self.pass),
        }
    }
}

/// Lists the users.
#[utoipa::path(
    get, path = "/user", operation_id = "getUsers", tag = "user",
    responses(
        (status = 200, body = Vec<User>),
        (status = 403, description = NO_ADMIN, body = ErrorObject),
        (status = 503, description = NO_LIST_MEMORY, body = ErrorObject),
    )
)]
async fn list(
    _: AdminAuth,
    State(store): State<Store>,
    State(memory): State<AnswerMemory>,
) -> Result<Response, ApiError> {
    let part = FirstPart::reserve(&memory).await?;
    let found = store.database().list_users(FirstPart::MAX_BYTES).await?;
    Ok(part.answer((b"[".to_vec(), "]"), ListedUsers(store), found))
}

/// The users of a list.
struct ListedUsers(Store);

impl Rows for ListedUsers {
    type Id = UserId;
    type Row = User;

    fn id(row: &User) -> UserId {
        row.id
    }

    async fn read(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        self.0.database().users_by_id(ids).await
    }
}

/// Makes a user: for administrators, and where registration is allowed for everybody.
#[utoipa::path(
    post, path = "/user", operation_id = "createUser", tag = "user",
    security(
        (), ("clientTokenHeader" = []), ("clientTokenAuthorizationHeader" = []), ("clientTokenQuery" = []),
        ("basicAuth" = [])
    ),
    request_body = CreateParams,
    responses(
        (status = 200, body = User),
        (status = 400, body = ErrorObject, description = "The name is taken: `username already exists`. \
            Or the password is too long: `password must be at most 72 bytes long`. \
            Or nobody could log in by the name, since it has a colon."),
        (status = 401, body = ErrorObject, description = "The request has no valid credentials, and registration is \
            off: `you are not allowed to access this api`. \
            Or registration is on, and the new user would be an administrator: \
            `you are not allowed to create an admin user`."),
        (status = 403, body = ErrorObject, description = "The user who asks is not an administrator, and registration \
            is off: `you are not allowed to access this api`. \
            Or registration is on, and the new user would be an administrator: \
            `you are not allowed to create an admin user`."),
    )
)]
async fn create(
    OptionalAuth(asking): OptionalAuth,
    State(settings): State<Arc<ApiSettings>>,
    State(store): State<Store>,
    State(auth): State<Authenticator>,
    mut body: LazyBody,
) -> Result<Json<User>, ApiError> {
    let is_admin = asking.as_ref().is_some_and(|user| user.admin);
    // Who may make no user at all is refused before the body is read.
    check_may_create(asking.as_ref(), settings.registration, false)?;
    if !is_admin {
        body.limit(ANONYMOUS_BYTES);
    }
    let CreateParams(form) = body.read().await?;
    check_may_create(asking.as_ref(), settings.registration, form.admin)?;
    if store.database().user_by_name(&form.name).await?.is_some() {
        return Err(taken_name());
    }
    check_new_name(&form.name)?;
    let created = store.database().create_user(NewUser {
        password_hash: auth.passwords().hash(SecretString::from(form.pass)).await?,
        name: form.name,
        admin: form.admin,
        created_at: chrono::Local::now().fixed_offset(),
    });
    created.await.map(Json).map_err(or_taken_name)
}

fn check_may_create(asking: Option<&User>, registration: bool, admin: bool) -> Result<(), ApiError> {
    if asking.is_some_and(|user| user.admin) {
        return Ok(());
    }
    let text = match (registration, admin) {
        (false, _) => "you are not allowed to access this api",
        (true, true) => "you are not allowed to create an admin user",
        (true, false) => return Ok(()),
    };
    Err(ApiError::MayNotCreateUser { text, known: asking.is_some() })
}

/// Shows a user.
#[utoipa::path(
    get, path = "/user/{id}", operation_id = "getUser", tag = "user",
    params(PathId),
    responses(
        (status = 200, body = User),
        (status = 403, description = NO_ADMIN, body = ErrorObject),
        (status = 404, description = NO_USER, body = ErrorObject),
    )
)]
async fn read(_: AdminAuth, PathId(id): PathId, State(store): State<Store>) -> Result<Json<User>, ApiError> {
    if id == 0 {
        // Gotify finds somebody without a name there, who can also be deleted as often as one likes.
        let nobody = User { id: UserId(0), name: String::new(), admin: false, created_at: zero_time() };
        return Ok(Json(nobody));
    }
    let known = store.database().user(UserId(id)).await?;
    known.map(|known| Json(known.user)).ok_or_else(not_found)
}

/// Changes a user; what is left out is cleared, except the password.
#[utoipa::path(
    post, path = "/user/{id}", operation_id = "updateUser", tag = "user",
    params(PathId),
    request_body = UpdateParams,
    responses(
        (status = 200, body = User),
        (status = 400, body = ErrorObject, description = "The name is taken: `username already exists`. \
            Or the password is too long: `password must be at most 72 bytes long`. \
            Or no administrator would remain: `cannot delete last admin`. \
            Or nobody could log in by the new name, since it has a colon."),
        (status = 403, description = NO_ADMIN, body = ErrorObject),
        (status = 404, description = NO_USER, body = ErrorObject),
    )
)]
async fn update(
    _: AdminAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<Json<User>, ApiError> {
    let user_id = UserId(id);
    let UpdateParams(form) = body.read().await?;
    let known = state.store.database().user(user_id).await?.ok_or_else(not_found)?;
    // Whoever has such a name keeps it, and may be changed otherwise.
    if known.user.name != form.name {
        check_new_name(&form.name)?;
    }
    let password_hash = match form.pass {
        pass if pass.is_empty() => None,
        pass => Some(state.auth.passwords().hash(SecretString::from(pass)).await?),
    };
    let change = UpdateUser { name: form.name, admin: form.admin, password_hash };
    let updated = to_completion(async move {
        let updated =
            made(state.store.database().update_user(user_id, change).await.map_err(or_taken_name)?)?;
        state.revoke(&Revocation::UserChanged { user_id });
        Ok(Json(updated))
    });
    updated.await
}

/// Deletes a user with all that belongs to it, and closes its streams.
#[utoipa::path(
    delete, path = "/user/{id}", operation_id = "deleteUser", tag = "user",
    params(PathId),
    responses(
        (status = 200),
        (status = 400, body = ErrorObject, description = "No administrator would remain: `cannot delete last admin`."),
        (status = 403, description = NO_ADMIN, body = ErrorObject),
        (status = 404, description = NO_USER, body = ErrorObject),
    )
)]
async fn delete(
    _: AdminAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
) -> Result<EmptyResponse, ApiError> {
    if id == 0 {
        // Nobody is deleted, see above.
        return Ok(EmptyResponse);
    }
    let user_id = UserId(id);
    let deleted = to_completion(async move {
        let DeletedUser { client_tokens, application_tokens, image_files } =
            made(state.store.database().delete_user(user_id).await?)?;
        state.revoke(&Revocation::UserDeleted { user_id, client_tokens, application_tokens });
        for file in &image_files {
            image::remove(&*state.images, file).await;
        }
        Ok(EmptyResponse)
    });
    deleted.await
}

fn made<T>(change: UserChange<T>) -> Result<T, ApiError> {
    match change {
        UserChange::Made(made) => Ok(made),
        UserChange::NoSuchUser => Err(not_found()),
        UserChange::LastAdmin => Err(ApiError::BadRequest("cannot delete last admin".to_owned())),
    }
}

fn not_found() -> ApiError {
    ApiError::NotFound("user does not exist".to_owned())
}

/// Refuses the name of a user who could never log in.
fn check_new_name(name: &str) -> Result<(), ApiError> {
    if can_log_in(name) {
        return Ok(());
    }
    Err(ApiError::BadRequest(
        "Field 'name' must have no colon, because basic authentication ends the name there".to_owned(),
    ))
}

fn taken_name() -> ApiError {
    ApiError::BadRequest("username already exists".to_owned())
}

fn or_taken_name(error: StoreError) -> ApiError {
    match error {
        StoreError::Conflict { what: "user name" } => taken_name(),
        other => other.into(),
    }
}
