//! `shardcast user`.

use std::process::ExitCode;

use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Builder;

use super::start_error::StartError;
use super::{print_answer, print_problem};
use crate::auth::{HashPasswordError, Passwords, random_password};
use crate::config::Loaded;
use crate::store::{self, Database, StoreError};

/// A password that was not reset.
#[derive(Debug, thiserror::Error)]
enum ResetError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("there is no user `{name}`; there are {}", .known.join(", "))]
    NoSuchUser { name: String, known: Vec<String> },
    #[error("the database has no user yet; the first start of the server makes the first one")]
    NoUsers,
    #[error(transparent)]
    Hash(#[from] HashPasswordError),
    #[error("failed to change the user in the database")]
    Store(#[from] StoreError),
}

/// Gives a user a random password and prints it. A server that runs accepts it at once, and the old one no more.
pub(super) fn reset_password(loaded: &Loaded, name: &str) -> ExitCode {
    let outcome = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ResetError::Start(StartError::Runtime(error)))
        .and_then(|runtime| runtime.block_on(reset(loaded, name)));
    match outcome {
        Ok(password) => {
            let password = password.expose_secret();
            print_answer(&format!("The password of `{name}` is now `{password}`. It is not shown again."))
        }
        Err(ResetError::Start(error)) => {
            print_problem(&error.report());
            error.exit_code()
        }
        Err(error) => {
            print_problem(&super::with_sources(&error));
            ExitCode::FAILURE
        }
    }
}

async fn reset(loaded: &Loaded, name: &str) -> Result<SecretString, ResetError> {
    let opened = store::open_beside_server(&loaded.database()).await;
    let database = opened.map_err(|source| StartError::database(loaded, source))?;
    let outcome = change(&*database, loaded.config.passstrength, name).await;
    database.close().await;
    outcome
}

async fn change(database: &dyn Database, cost: u32, name: &str) -> Result<SecretString, ResetError> {
    let Some(found) = database.user_by_name(name).await? else { return Err(unknown(database, name).await?) };
    let password = random_password(&mut rand::rng());
    let hash = Passwords::new(cost).hash(password.clone()).await?;
    if database.set_password_hash(found.user.id, &hash).await? {
        Ok(password)
    } else {
        // Somebody has deleted it meanwhile.
        Err(unknown(database, name).await?)
    }
}

/// Names the users that there are: whoever has lost a password may also have forgotten the name.
async fn unknown(database: &dyn Database, name: &str) -> Result<ResetError, StoreError> {
    /// As many as fit into a line or two.
    const MOST: usize = 20;
    let users = database.users().await?;
    let mut known: Vec<String> = users.iter().take(MOST).map(|user| format!("`{}`", user.name)).collect();
    if users.len() > MOST {
        known.push("others".to_owned());
    }
    let name = name.to_owned();
    Ok(if known.is_empty() { ResetError::NoUsers } else { ResetError::NoSuchUser { name, known } })
}
