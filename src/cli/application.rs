//! `shardcast application`.

use std::process::ExitCode;

use super::arguments::ApplicationCommand;
use super::database_command::{self, CommandError, check_description, check_name, owner, users};
use super::listing::{Listing, date};
use super::secret_output::show_before;
use crate::auth::{NewToken, TokenKind};
use crate::config::Loaded;
use crate::model::{Application, ApplicationId};
use crate::store::{Database, NewApplication};

/// Runs a command on the applications of the configured database.
pub(super) fn run(loaded: &Loaded, command: ApplicationCommand) -> ExitCode {
    database_command::run(loaded, async |database| match command {
        ApplicationCommand::Add { name, user, description, priority } => {
            check_name("an application", &name)?;
            check_description(&description)?;
            let token = new_token(loaded);
            let created_at = chrono::Local::now().fixed_offset();
            let secret = format!("The token of the new application `{name}` is `{}`.", token.secret);
            let application = NewApplication {
                user_id: owner(database, user.as_deref()).await?.id,
                token: token.stored,
                name,
                description,
                default_priority: priority,
                sort_key: None,
                created_at,
            };
            let created = show_before(&secret, database.create_application(application)).await?;
            Ok(format!("The id of the application is {}.", created.id))
        }
        ApplicationCommand::List { user, json } => list(database, user.as_deref(), json).await,
        ApplicationCommand::Token { id } => {
            let missing = || CommandError::NoSuchApplication { id };
            let (token, id) = (new_token(loaded), ApplicationId(id));
            database.application(id).await?.ok_or_else(missing)?;
            let replace = async {
                let replaced = database.replace_application_token(id, &token.stored).await?;
                replaced.ok_or_else(missing)
            };
            show_before(&format!("The new token of application {id} is `{}`.", token.secret), replace)
                .await?;
            Ok(String::new())
        }
    })
}

fn new_token(loaded: &Loaded) -> NewToken {
    NewToken::make(TokenKind::Application, loaded.compatibility(), &mut rand::rng())
}

async fn list(database: &dyn Database, user: Option<&str>, json: bool) -> Result<String, CommandError> {
    let head = ["id", "user", "name", "priority", "created", "last used"];
    let mut listing = Listing::new(head, json);
    for user in users(database, user).await? {
        for application in database.applications(user.id).await? {
            let application = Application { token: String::new(), ..application };
            let Application { id, name, default_priority, created_at, last_used, .. } = &application;
            let last_used = last_used.map_or_else(|| "never".to_owned(), date);
            let priority = default_priority.to_string();
            let row =
                [id.to_string(), user.name.clone(), name.clone(), priority, date(*created_at), last_used];
            listing.add(&application, Some(&user.name), row);
        }
    }
    Ok(listing.finish())
}
