//! `shardcast serve`.

use std::error::Error;
use std::future::pending;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::metrics::Exposition;
use super::oidc::{self, OidcError};
use super::signals::Signals;
use super::{EX_CONFIG, print_line, runtime};
use crate::config::{Connection, Loaded};
use crate::server::{BindError, FirstUser, Node, OpenError, Server};
use crate::store::{self, OpenDatabaseError};

/// How long threads that block may hold the exit; nothing that matters waits for them.
const BLOCKED: Duration = Duration::from_millis(500);

/// A server that did not start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("failed to start the runtime")]
    Runtime(#[source] io::Error),
    #[error("failed to catch signals")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("`database.connection` (GOTIFY_DATABASE_CONNECTION) is `{connection}`")]
    Database { connection: Connection, source: OpenDatabaseError },
    #[error(transparent)]
    Oidc(#[from] OidcError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Serves until a signal ends it.
pub(super) fn run(loaded: &Loaded) -> ExitCode {
    let outcome = runtime::build().map_err(StartError::Runtime).and_then(|runtime| {
        let outcome = runtime.block_on(start(loaded));
        runtime.shutdown_timeout(BLOCKED);
        outcome
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{}", with_sources(&error));
            match error {
                StartError::Database { .. } => ExitCode::from(EX_CONFIG),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

async fn start(loaded: &Loaded) -> Result<ExitCode, StartError> {
    // Before anything is opened, so that a signal during the start also ends it well.
    let signals = Signals::catch().map_err(StartError::Signals)?;
    let database = store::open(&loaded.database()).await.map_err(|source| {
        let connection = loaded.config.database.connection.clone();
        StartError::Database { connection, source }
    })?;
    let exposition = Exposition::new(loaded);
    let mut parts = exposition.parts();
    parts.oidc = oidc::provider(&loaded.config.oidc)?;
    let (node, first_user) = Node::open_with(database, loaded.node(), parts).await?;
    let outcome = serve(loaded, signals, &node, &exposition, first_user).await;
    node.close().await;
    outcome
}

/// Serves the node until the first signal, then drains; a second signal ends at once.
async fn serve(
    loaded: &Loaded,
    mut signals: Signals,
    node: &Node,
    exposition: &Exposition,
    first_user: Option<FirstUser>,
) -> Result<ExitCode, StartError> {
    let (router, watched) = (exposition.router(node), exposition.connection_observer());
    let bound = Server::watched(loaded.server(), router, node.hub().clone(), watched).await;
    // The first user is made whether or not the port was free: its password must be told now, or is lost.
    if let Some(user) = first_user {
        introduce(&user);
    }
    let mut server = bound?;
    let _metrics = exposition.bind(node.hub()).await?;
    for endpoint in server.endpoints() {
        tracing::info!(address = %endpoint.address, "listening on {endpoint}");
    }

    let warning = async {
        warn_of_known_passwords(loaded, node).await;
        pending::<()>().await;
    };
    tokio::select! {
        biased;
        _ = signals.next() => {}
        () = warning => {}
    }
    tracing::info!("stopping: requests are finished, streams are closed");
    server.shutdown();
    tokio::select! {
        biased;
        code = signals.next() => {
            tracing::warn!("stopped by a second signal");
            Ok(ExitCode::from(code))
        }
        _ = server.join() => {
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Says how to log in: on standard output, since a password has no business in a log.
fn introduce(user: &FirstUser) {
    match &user.made_up_password {
        Some(password) => {
            print_line(&format!(
                "First start. Log in as `{}` with the password `{}`; it is not shown again.",
                user.name,
                password.expose_secret()
            ));
        }
        None => {
            print_line(&format!("First start. Log in as `{}` with the password you configured.", user.name));
        }
    }
}

/// Warns while a password that is in a file, or in everybody's manual, opens the server.
async fn warn_of_known_passwords(loaded: &Loaded, node: &Node) {
    let configured = &loaded.config.defaultuser;
    let of_gotify = SecretString::from("admin");
    let mut known = vec![("admin", of_gotify, "Gotify's default password opens it")];
    if !configured.pass.expose_secret().is_empty() {
        known.push((
            &configured.name,
            configured.pass.clone(),
            "the password of `defaultuser.pass` opens it, and whoever reads the configuration has that",
        ));
    }
    for (name, password, why) in known {
        match node.is_password_of(name, password).await {
            Ok(true) => {
                tracing::warn!(user.name = name, "change the password of this user: {why}");
                return;
            }
            Ok(false) => {}
            Err(error) => tracing::debug!(%error, "failed to look for known passwords"),
        }
    }
}

/// Writes an error with its causes on one line.
fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
