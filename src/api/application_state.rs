//! `/shardcast/application` and `/shardcast/read`: what has been read of applications, and how long their messages are
//! kept.

use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::application::{not_found, owned};
use super::body::{Field, FieldTarget, Form, LazyBody, documented};
use super::completion::to_completion;
use super::compression::compressed;
use super::error::ErrorObject;
use super::event::Event;
use super::json::EmptyResponse;
use super::openapi::errors::NO_APPLICATION;
use super::path::PathId;
use super::routing::get_only;
use super::{ApiError, AppState, ClientAuth, Json};
use crate::model::{ApplicationId, ApplicationState, MessageId};
use crate::store::{KeepMessages, Revocation, Store};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(compressed(get_only(routes!(list))))
        .routes(routes!(keep))
        .routes(routes!(mark_read))
}

#[derive(Default)]
struct KeepParams {
    days: Option<u64>,
    newest: Option<u64>,
}

impl Form for KeepParams {
    const NAME: &'static str = "KeepParams";
    const FIELDS: &'static [Field] = &[
        Field::optional("keepDays")
            .described("Messages that are older than so many days are deleted. 0 keeps them.")
            .example("30")
            .at_most(36_500),
        Field::optional("keepNewest")
            .described("Only so many of the newest messages are kept. 0 keeps all.")
            .example("1000")
            .at_most(1_000_000_000),
    ];

    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        FieldTarget::Unsigned(match index {
            0 => &mut self.days,
            _ => &mut self.newest,
        })
    }
}

documented!(KeepParams);

#[derive(Default)]
struct ReadParams {
    up_to: Option<u64>,
    application: Option<u64>,
}

impl Form for ReadParams {
    const NAME: &'static str = "ReadParams";
    const FIELDS: &'static [Field] = &[
        Field::required("upTo").described("The id of the last message that was read.").example("120"),
        Field::optional("appid").described("Only messages of this application.").example("1"),
    ];

    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        FieldTarget::Unsigned(match index {
            0 => &mut self.up_to,
            _ => &mut self.application,
        })
    }
}

documented!(ReadParams);

/// Says of each application how many messages are unread, and how long messages are kept.
#[utoipa::path(
    get, path = "/shardcast/application", operation_id = "getApplicationStates", tag = "shardcast",
    responses((status = 200, body = Vec<ApplicationState>))
)]
async fn list(
    client: ClientAuth,
    State(store): State<Store>,
) -> Result<Json<Vec<ApplicationState>>, ApiError> {
    Ok(Json(store.database().application_states(client.user_id).await?))
}

/// Sets how long the messages of an application are kept; what is left out keeps all.
///
/// Messages that are not to be kept are deleted soon after the answer.
#[utoipa::path(
    put, path = "/shardcast/application/{id}", operation_id = "keepMessages", tag = "shardcast",
    params(PathId),
    request_body = KeepParams,
    responses(
        (status = 200, body = ApplicationState),
        (status = 404, description = NO_APPLICATION, body = ErrorObject),
    )
)]
async fn keep(
    client: ClientAuth,
    PathId(id): PathId,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<Json<ApplicationState>, ApiError> {
    let (user, id) = (client.user_id, ApplicationId(id));
    owned(&state.store, user, id).await?;
    let form: KeepParams = body.read().await?;
    let keep = KeepMessages { days: form.days.unwrap_or_default(), newest: form.newest.unwrap_or_default() };
    let kept = to_completion(async move {
        let database = state.store.database();
        database.keep_messages(id, keep).await?;
        state.retention.changed();
        state.revoke(&Revocation::RetentionChanged { application_id: id });
        state.announce(user, &Event::Applications);
        database.application_state(id).await?.ok_or_else(|| not_found(id))
    });
    kept.await.map(Json)
}

/// Marks messages as read, up to one.
///
/// A mark is never taken back: a lower id than before changes nothing.
#[utoipa::path(
    post, path = "/shardcast/read", operation_id = "markRead", tag = "shardcast",
    request_body = ReadParams,
    responses(
        (status = 200),
        (status = 404, description = NO_APPLICATION, body = ErrorObject),
    )
)]
async fn mark_read(
    client: ClientAuth,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<EmptyResponse, ApiError> {
    let user = client.user_id;
    let form: ReadParams = body.read().await?;
    let appid = form.application.map(ApplicationId);
    if let Some(id) = appid {
        owned(&state.store, user, id).await?;
    }
    let up_to = MessageId(form.up_to.unwrap_or_default());
    let marked = to_completion(async move {
        if let Some(up_to) = state.store.database().mark_read(user, appid, up_to).await? {
            state.announce(user, &Event::Read { appid, up_to });
        }
        Ok::<_, ApiError>(EmptyResponse)
    });
    marked.await
}
