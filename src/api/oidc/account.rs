//! From who somebody is at the provider to a user here.

use super::super::body::MAX_USER_NAME_CHARACTERS;
use super::super::{ApiError, AppState};
use super::Oidc;
use crate::auth::Identity;
use crate::model::User;
use crate::store::{Credential, NewLinkedUser, StoreError};

/// Returns the user of an identity: the one that is linked to it; else the one of that name, which is linked to it
/// from now on, if that is allowed; else a new one, if that is allowed.
pub(super) async fn user(state: &AppState, oidc: &Oidc, identity: &Identity) -> Result<User, ApiError> {
    let database = state.store.database();
    let id = identity.id();
    if let Some(user) = database.user_by_oidc_id(&id).await? {
        return Ok(user);
    }
    let Some(name) = &identity.username else {
        tracing::warn!(oidc_id = id, "the identity provider does not tell the name of a user");
        return Err(ApiError::IdentityWithoutName);
    };
    match database.user_by_name(name).await? {
        Some(Credential { user, .. }) => link(state, oidc, user, &id).await,
        None => register(state, oidc, name, id).await,
    }
}

async fn link(state: &AppState, oidc: &Oidc, user: User, id: &str) -> Result<User, ApiError> {
    if !oidc.settings.link_by_username {
        tracing::warn!(oidc_id = id, user.name, "a login was refused: linking by user name is off");
        let text = "a local user with the username {} already exists and linking by username is disabled";
        return Err(ApiError::LoginDenied(text.replace("{}", &user.name)));
    }
    if state.store.database().link_user(user.id, id).await? {
        tracing::info!(oidc_id = id, user.name, "linked a user to the identity provider");
        Ok(user)
    } else {
        tracing::warn!(oidc_id = id, user.name, "a login was refused: the user is somebody else's there");
        let text = format!("the user {} is already bound to a different OIDC identity", user.name);
        Err(ApiError::LoginDenied(text))
    }
}

async fn register(state: &AppState, oidc: &Oidc, name: &str, id: String) -> Result<User, ApiError> {
    if !oidc.settings.auto_register {
        let text = "user does not exist and auto-registration is disabled";
        return Err(ApiError::LoginDenied(text.to_owned()));
    }
    check_length(name)?;
    let new = NewLinkedUser { name: name.to_owned(), oidc_id: id.clone(), created_at: state.auth.now() };
    match state.store.database().create_linked_user(new).await {
        Ok(user) => {
            tracing::info!(oidc_id = id, user.name, "made a user for the identity provider's");
            Ok(user)
        }
        // Twice at once: the other one was first.
        Err(error @ StoreError::Conflict { .. }) => {
            let user = state.store.database().user_by_oidc_id(&id).await?;
            user.ok_or_else(|| error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses a name that is longer than the name of a user may be, whoever gives it.
fn check_length(name: &str) -> Result<(), ApiError> {
    let characters = name.chars().count();
    if characters <= MAX_USER_NAME_CHARACTERS {
        return Ok(());
    }
    tracing::warn!(characters, "a login was refused: the provider's name of the user is too long");
    Err(ApiError::BadRequest(format!(
        "the user name that the identity provider reports must be at most {MAX_USER_NAME_CHARACTERS} characters long, \
         not {characters}"
    )))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn a_name_from_the_provider_has_the_limit_of_all_names_of_users() {
        assert!(check_length(&"ä".repeat(180)).is_ok());
        let refused = check_length(&"ä".repeat(181)).unwrap_err();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert_eq!(
            refused.to_string(),
            "the user name that the identity provider reports must be at most 180 characters long, not 181"
        );
    }
}
