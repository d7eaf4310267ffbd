//! `shardcast user`.

use std::process::ExitCode;

use secrecy::{ExposeSecret, SecretString};

use super::arguments::UserCommand;
use super::database_command::{self, CommandError, check_user_name, no_such_user, user};
use super::listing::{Listing, date};
use super::secret_output::show_before;
use crate::auth::{HashPasswordError, Passwords, random_password};
use crate::config::{Loaded, on_one_line};
use crate::model::can_log_in;
use crate::store::{Database, ImageFolder, ImageName, Images, NewUser, StoreError, UserChange};

/// Runs a command on the users of the configured database.
pub(super) fn run(loaded: &Loaded, command: UserCommand) -> ExitCode {
    database_command::run(loaded, async |database| match command {
        UserCommand::Add { name, admin } => add(database, loaded, name, admin).await,
        UserCommand::List { json } => list(database, json).await,
        UserCommand::ResetPassword { name } => reset_password(database, loaded, &name).await,
        UserCommand::Delete { name } => delete(database, loaded, &name).await,
    })
}

async fn add(
    database: &dyn Database,
    loaded: &Loaded,
    name: String,
    admin: bool,
) -> Result<String, CommandError> {
    check_user_name(&name)?;
    if database.user_by_name(&name).await?.is_some() {
        return Err(CommandError::UserExists { name });
    }
    if !can_log_in(&name) {
        return Err(CommandError::Colon { name });
    }
    let (password, password_hash) = new_password(loaded).await?;
    let created_at = chrono::Local::now().fixed_offset();
    let user = NewUser { name: name.clone(), password_hash, admin, created_at };
    let create = async {
        database.create_user(user).await.map_err(|error| match error {
            // Somebody has made it meanwhile.
            StoreError::Conflict { .. } => CommandError::UserExists { name: name.clone() },
            error => error.into(),
        })
    };
    show_before(&shown(&name, &password), create).await?;
    Ok(String::new())
}

async fn list(database: &dyn Database, json: bool) -> Result<String, CommandError> {
    let mut listing = Listing::new(["id", "name", "admin", "created"], json);
    for user in database.users().await? {
        let admin = if user.admin { "yes" } else { "no" };
        let row = [user.id.to_string(), user.name.clone(), admin.to_owned(), date(user.created_at)];
        listing.add(&user, None, row);
    }
    Ok(listing.finish())
}

/// A server that runs accepts the new password at once, and the old one no more.
async fn reset_password(
    database: &dyn Database,
    loaded: &Loaded,
    name: &str,
) -> Result<String, CommandError> {
    let found = user(database, name).await?;
    let (password, hash) = new_password(loaded).await?;
    let change = async {
        if database.set_password_hash(found.id, &hash).await? {
            Ok(String::new())
        } else {
            // Somebody has deleted it meanwhile.
            Err(no_such_user(database, name).await)
        }
    };
    show_before(&shown(name, &password), change).await
}

async fn delete(database: &dyn Database, loaded: &Loaded, name: &str) -> Result<String, CommandError> {
    let found = user(database, name).await?;
    let deleted = match database.delete_user(found.id).await? {
        UserChange::Made(deleted) => deleted,
        UserChange::NoSuchUser => return Err(no_such_user(database, name).await),
        UserChange::LastAdmin => return Err(CommandError::LastAdmin { name: name.to_owned() }),
    };
    let images = ImageFolder::beside_server(loaded.config.uploadedimagesdir.as_str());
    for name in deleted.image_files.iter().filter_map(|file| ImageName::parse(file)) {
        if let Err(error) = images.remove(&name).await {
            super::print_problem(&format!(
                "warning: failed to remove the picture {}: {error}",
                name.as_str()
            ));
        }
    }
    Ok(format!(
        "The user `{}` is deleted, with {} applications and {} clients.",
        on_one_line(name),
        deleted.application_tokens.len(),
        deleted.client_tokens.len()
    ))
}

async fn new_password(loaded: &Loaded) -> Result<(SecretString, String), HashPasswordError> {
    let password = random_password(&mut rand::rng());
    let hash = Passwords::new(loaded.config.passstrength).hash(password.clone()).await?;
    Ok((password, hash))
}

fn shown(name: &str, password: &SecretString) -> String {
    let password = password.expose_secret();
    format!("The new password of `{name}` is `{password}`. It is not shown again.")
}
