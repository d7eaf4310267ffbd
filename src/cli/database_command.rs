//! What the commands on the configured database share. They also work while a server runs on it, which learns of what
//! they revoke from the log in the database, see `crate::store::RevocationLog`.

use crate::causes::with_sources;
use std::io;
use std::process::ExitCode;

use futures_util::FutureExt as _;
use tokio::runtime::Builder;

use super::start_error::StartError;
use super::{print_answer, print_problem};
use crate::api::{MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS, MAX_USER_NAME_CHARACTERS};
use crate::auth::HashPasswordError;
use crate::config::Loaded;
use crate::model::User;
use crate::store::{self, Database, StoreError};

/// How many users are named at most: as many as fit into a line or two.
const MOST_NAMED: usize = 20;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("there is no user `{name}`; there are {known}")]
    NoSuchUser { name: String, known: String },
    #[error("the database has no user yet; the first start of the server makes the first one")]
    NoUsers,
    #[error("name the owner with --user, since there are several users: {known}")]
    SeveralUsers { known: String },
    #[error("there is a user `{name}` already")]
    UserExists { name: String },
    #[error(
        "the name `{name}` has a colon, and nobody could log in by it: basic authentication ends the name there"
    )]
    Colon { name: String },
    #[error(
        "`{name}` is the last administrator: make another one first, with `shardcast user add NAME --admin`"
    )]
    LastAdmin { name: String },
    #[error("there is no application with the id {id}; `shardcast application list` shows all")]
    NoSuchApplication { id: u64 },
    #[error("there is no client with the id {id}; `shardcast client list` shows all")]
    NoSuchClient { id: u64 },
    #[error("the name of {of} must have 1 to {most} characters, not {characters}")]
    Name { of: &'static str, most: usize, characters: usize },
    #[error("a description must have at most {MAX_DESCRIPTION_CHARACTERS} characters, not {characters}")]
    Description { characters: usize },
    #[error(transparent)]
    Hash(#[from] HashPasswordError),
    #[error("nothing was changed, because printing to standard output failed")]
    Output(#[source] io::Error),
    #[error("what was printed is not valid, because the change failed")]
    AfterPrinting(#[source] Box<CommandError>),
    #[error("failed to read or change the database")]
    Store(#[from] StoreError),
}

/// Opens the configured database, beside a server that may be using it, and runs a command on it. Prints the answer of
/// the command, or why there is none.
pub(super) fn run(
    loaded: &Loaded,
    command: impl AsyncFnOnce(&dyn Database) -> Result<String, CommandError>,
) -> ExitCode {
    let outcome = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::Start(StartError::Runtime(error)))
        .and_then(|runtime| {
            // In a box, so that this is compiled once and not per command.
            let run = async {
                let opened = store::open_beside_server(&loaded.database()).await;
                let database = opened.map_err(|source| StartError::database(loaded, source))?;
                let outcome = command(&*database).await;
                database.close().await;
                outcome
            };
            runtime.block_on(run.boxed_local())
        });
    match outcome {
        // A command that shows a secret has printed that already.
        Ok(answer) if answer.is_empty() => ExitCode::SUCCESS,
        Ok(answer) => print_answer(answer.trim_end()),
        Err(CommandError::Start(error)) => {
            print_problem(&error.report());
            error.exit_code()
        }
        Err(error) => {
            print_problem(&with_sources(&error));
            ExitCode::FAILURE
        }
    }
}

/// Checks the name of a new user.
pub(super) fn check_user_name(name: &str) -> Result<(), CommandError> {
    check_length("a user", name, MAX_USER_NAME_CHARACTERS)
}

/// Checks the name of something else that is new, which is `of`, as in `a client`.
pub(super) fn check_name(of: &'static str, name: &str) -> Result<(), CommandError> {
    check_length(of, name, MAX_NAME_CHARACTERS)
}

fn check_length(of: &'static str, name: &str, most: usize) -> Result<(), CommandError> {
    let characters = name.chars().count();
    if (1..=most).contains(&characters) { Ok(()) } else { Err(CommandError::Name { of, most, characters }) }
}

/// Checks the description of a new application.
pub(super) fn check_description(description: &str) -> Result<(), CommandError> {
    let characters = description.chars().count();
    if characters <= MAX_DESCRIPTION_CHARACTERS {
        Ok(())
    } else {
        Err(CommandError::Description { characters })
    }
}

/// Returns the user of that name.
pub(super) async fn user(database: &dyn Database, name: &str) -> Result<User, CommandError> {
    match database.user_by_name(name).await? {
        Some(found) => Ok(found.user),
        None => Err(no_such_user(database, name).await),
    }
}

/// Returns the user that something new belongs to: the one of that name, or else the only one.
pub(super) async fn owner(database: &dyn Database, name: Option<&str>) -> Result<User, CommandError> {
    if let Some(name) = name {
        return user(database, name).await;
    }
    let mut users = database.users().await?;
    match users.len() {
        0 => Err(CommandError::NoUsers),
        1 => Ok(users.remove(0)),
        _ => Err(CommandError::SeveralUsers { known: named(&users) }),
    }
}

/// Returns the user of that name, or all users.
pub(super) async fn users(database: &dyn Database, name: Option<&str>) -> Result<Vec<User>, CommandError> {
    match name {
        Some(name) => Ok(vec![user(database, name).await?]),
        None => Ok(database.users().await?),
    }
}

/// There is no user of that name, or not any more. Whoever has lost a password may also have forgotten the name, so the
/// error names those that there are.
pub(super) async fn no_such_user(database: &dyn Database, name: &str) -> CommandError {
    match database.users().await {
        Ok(users) if users.is_empty() => CommandError::NoUsers,
        Ok(users) => CommandError::NoSuchUser { name: name.to_owned(), known: named(&users) },
        Err(error) => error.into(),
    }
}

fn named(users: &[User]) -> String {
    let mut known: Vec<String> =
        users.iter().take(MOST_NAMED).map(|user| format!("`{}`", user.name)).collect();
    if users.len() > MOST_NAMED {
        known.push("others".to_owned());
    }
    known.join(", ")
}
