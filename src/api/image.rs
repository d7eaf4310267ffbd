//! `/application/{id}/image` and `/image`: the applications' pictures.
//!
//! A picture is checked and never decoded; what is stored is what was sent. It is served as something that a
//! browser shows and does not run, whatever is in it.

mod content;
mod picture;
mod serve;

use axum::Router;
use axum::extract::State;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{LazyBody, UploadedFile};
use super::completion::to_completion;
use super::error::ErrorObject;
use super::event::Event;
use super::openapi::errors::NO_APPLICATION;
use super::path::PathId;
use super::{ApiError, AppParts, AppState, ClientAuth, Json, application, token_shown};
use crate::model::{Application, ApplicationId};
use crate::store::{ImageName, Images};
pub use picture::ImageLimits;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(upload, reset))
}

/// The pictures themselves, which any page may show.
pub(super) fn pictures() -> Router<AppState> {
    serve::router()
}

/// What an upload looks like to those who read the API's document.
#[derive(ToSchema)]
#[schema(as = ImageUpload)]
#[expect(dead_code, reason = "only its schema is used")]
struct ImageUpload {
    /// The picture: its content must be one, and its name end with `.gif`, `.png`, `.jpg` or `.jpeg`.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Gives an application a picture.
#[utoipa::path(
    post, path = "/application/{id}/image", operation_id = "uploadAppImage", tag = "application",
    params(PathId),
    request_body(content = ImageUpload, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = Application),
        (status = 400, body = ErrorObject, description = "The body has no file: `file with key 'file' must be present`. \
            The file is not an image: `file must be an image`. \
            Its name has no extension of an image: `invalid file extension`. \
            It is too large to be shown: `image has {w} x {h} pixels, at most {n} are allowed`."),
        (status = 404, description = NO_APPLICATION, body = ErrorObject),
        (status = 413, body = ErrorObject, description = "The image is larger than the server allows: \
            `image must be at most {limit} bytes long`."),
        (status = 503, body = ErrorObject, description = "The image cannot be stored: \
            `pictures are unavailable, try again later`."),
    )
)]
async fn upload(
    client: ClientAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<Json<Application>, ApiError> {
    let (user, id) = (client.user_id, ApplicationId(id));
    application::owned(&state.store, user, id).await?;
    let UploadedFile { name, content } = body.read_file("file").await?;
    let name = picture::check(&name, &content, state.settings.image_limits)?;
    let shared = state.clone();
    let changed = to_completion(async move {
        let AppParts { store, images, .. } = &*shared;
        images.save(&name, content).await.map_err(|error| {
            tracing::warn!(%error, "failed to store a picture");
            ApiError::ImagesUnavailable
        })?;
        match store.database().set_application_image(id, name.as_str()).await {
            Ok(Some((changed, before))) => {
                shared.announce(user, &Event::Applications);
                remove(&**images, &before).await;
                Ok(changed)
            }
            refused => {
                // Nobody knows of the file.
                remove(&**images, name.as_str()).await;
                refused?;
                Err(application::not_found(id))
            }
        }
    });
    changed.await.map(|changed| shown(&state, changed))
}

/// Gives an application the default picture again.
#[utoipa::path(
    delete, path = "/application/{id}/image", operation_id = "removeAppImage", tag = "application",
    params(PathId),
    responses(
        (status = 200, body = Application),
        (status = 400, body = ErrorObject, description = "The application has no image of its own: \
            `app with id {id} does not have a customized image`."),
        (status = 404, description = NO_APPLICATION, body = ErrorObject),
    )
)]
async fn reset(
    client: ClientAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
) -> Result<Json<Application>, ApiError> {
    let (user, id) = (client.user_id, ApplicationId(id));
    let known = application::owned(&state.store, user, id).await?;
    let none = || ApiError::BadRequest(format!("app with id {id} does not have a customized image"));
    known.image_file().ok_or_else(none)?;
    let shared = state.clone();
    let changed = to_completion(async move {
        let AppParts { store, images, .. } = &*shared;
        let changed = store.database().set_application_image(id, "").await?;
        let (changed, before) = changed.ok_or_else(|| application::not_found(id))?;
        shared.announce(user, &Event::Applications);
        remove(&**images, &before).await;
        Ok::<_, ApiError>(changed)
    });
    changed.await.map(|changed| shown(&state, changed))
}

fn shown(state: &AppState, mut changed: Application) -> Json<Application> {
    state.auth.complete_application(&mut changed);
    token_shown::changed(state.settings.compatibility, &mut changed.token);
    Json(changed)
}

/// Removes the file of a picture that no application has any more. If that fails the picture is useless and does
/// no harm: whoever asked for the change need not know.
pub(super) async fn remove(images: &dyn Images, file: &str) {
    // A database may come from elsewhere: what is no name of a picture is no file of ours.
    let Some(name) = ImageName::parse(file) else {
        return;
    };
    if let Err(error) = images.remove(&name).await {
        tracing::warn!(%error, file, "failed to remove a picture");
    }
}
