//! `shardcast client`.

use std::process::ExitCode;

use super::arguments::ClientCommand;
use super::database_command::{self, CommandError, check_name, owner, users};
use super::listing::{Listing, date};
use super::secret_output::show_before;
use crate::auth::{NewToken, TokenKind};
use crate::config::{Loaded, on_one_line};
use crate::model::{Client, ClientId};
use crate::store::{Database, NewClient};

/// Runs a command on the clients of the configured database.
pub(super) fn run(loaded: &Loaded, command: ClientCommand) -> ExitCode {
    database_command::run(loaded, async |database| match command {
        ClientCommand::Add { name, user } => {
            check_name("a client", &name)?;
            let token = NewToken::make(TokenKind::Client, loaded.compatibility(), &mut rand::rng());
            let owner = owner(database, user.as_deref()).await?.id;
            let created_at = chrono::Local::now().fixed_offset();
            let secret = format!("The token of the new client `{name}` is `{}`.", token.secret);
            let client = NewClient::new(owner, token.stored, name, created_at);
            let created = show_before(&secret, database.create_client(client)).await?;
            Ok(format!("The id of the client is {}.", created.id))
        }
        ClientCommand::List { user, json } => list(database, user.as_deref(), json).await,
        ClientCommand::Delete { id } => {
            let deleted = database.delete_client(ClientId(id)).await?;
            let Client { name, .. } = deleted.ok_or(CommandError::NoSuchClient { id })?;
            Ok(format!("The client {id}, `{}`, is deleted.", on_one_line(&name)))
        }
    })
}

async fn list(database: &dyn Database, user: Option<&str>, json: bool) -> Result<String, CommandError> {
    let mut listing = Listing::new(["id", "user", "name", "created", "last used"], json);
    for user in users(database, user).await? {
        for client in database.clients(user.id).await? {
            let client = Client { token: String::new(), ..client };
            let last_used = client.last_used.map_or_else(|| "never".to_owned(), date);
            let (id, created) = (client.id.to_string(), date(client.created_at));
            listing.add(
                &client,
                Some(&user.name),
                [id, user.name.clone(), client.name.clone(), created, last_used],
            );
        }
    }
    Ok(listing.finish())
}
