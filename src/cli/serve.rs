//! `shardcast serve`.

use std::future::pending;
use std::process::ExitCode;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::logging::Log;
use super::metrics::Exposition;
use super::secret_output::print_secret;
use super::service_manager::{PassedSockets, ServiceManager, serving_status};
use super::signals::Signals;
use super::start_error::StartError;
use super::{journal, oidc, print_line, runtime};
use crate::api::stream;
use crate::config::{Loaded, on_one_line};
use crate::server::{Address, DrainConfig, Endpoint, FirstUser, Node, Server, ServerParts};
use crate::store;

/// How long threads that block may hold the exit; nothing that matters waits for them.
const BLOCKED: Duration = Duration::from_millis(500);

/// How long the start waits for standard output to take the greeting.
const GREETING: Duration = Duration::from_secs(1);

/// How the server ended.
enum End {
    /// All was finished, or had its time to be.
    Well,
    /// A second signal came; the process ends with this code.
    AtOnce(u8),
}

/// What one run of the server has from the command line.
struct Run<'a> {
    loaded: &'a Loaded,
    log: &'a Log,
    manager: ServiceManager,
}

/// Serves until a signal ends it.
pub(super) fn run(loaded: &Loaded, log: &Log, sockets: PassedSockets) -> ExitCode {
    let run = Run { loaded, log, manager: ServiceManager::from_environment() };
    let outcome = runtime::build().map_err(StartError::Runtime).and_then(|runtime| {
        let outcome = runtime.block_on(heed_signals(&run, sockets));
        match outcome {
            Ok(End::AtOnce(_)) => runtime.shutdown_background(),
            _ => runtime.shutdown_timeout(BLOCKED),
        }
        outcome
    });
    match outcome {
        Ok(End::Well) => ExitCode::SUCCESS,
        Ok(End::AtOnce(code)) => ExitCode::from(code),
        Err(error) => {
            tracing::error!("{}", error.report());
            error.exit_code()
        }
    }
}

/// The first signal lets the server end well, also one that comes during the start. A second one ends it at once,
/// whatever it waits for.
async fn heed_signals(run: &Run<'_>, sockets: PassedSockets) -> Result<End, StartError> {
    let mut signals = Signals::of_server().map_err(StartError::Signals)?;
    let (stop, stopped) = oneshot::channel();
    let second = async {
        signals.next().await;
        // Nobody listens only if the server has ended already.
        let _ = stop.send(());
        signals.next().await
    };
    tokio::select! {
        biased;
        code = second => {
            tracing::warn!("stopped by a second signal");
            Ok(End::AtOnce(code))
        }
        outcome = start(run, sockets, stopped) => outcome.map(|()| End::Well),
    }
}

/// Opens the node and serves it until it is to stop, then closes it.
async fn start(
    run: &Run<'_>,
    sockets: PassedSockets,
    mut stopped: oneshot::Receiver<()>,
) -> Result<(), StartError> {
    let starting = run.manager.starting().await;
    let loaded = run.loaded;
    let config = loaded.database();
    // The server of a database may be away. Once it has answered, what was begun is brought to its end.
    let reached = tokio::select! {
        biased;
        _ = &mut stopped => {
            tracing::info!("stopped before the database was reached");
            return Ok(());
        }
        reached = store::reach(&config) => reached,
    };
    let opened = async { reached?.open().await };
    let database = opened.await.map_err(|source| StartError::database(loaded, source))?;
    let exposition = Exposition::new(loaded, run.log);
    let mut parts = exposition.parts();
    parts.oidc = oidc::provider(&loaded.config.oidc)?;
    #[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
    {
        parts.backplane = loaded.backplane();
    }
    let (node, first_user) = Node::open_with(database, loaded.node(), parts)
        .await
        .map_err(|source| StartError::open(loaded, source))?;
    #[cfg(feature = "cluster")]
    exposition.watch_cluster(&node);
    let listening = listen(run, sockets, &node, &exposition, first_user).await;
    drop(starting);
    let outcome = match listening {
        Ok(listening) => {
            serve(run, stopped, &node, listening).await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    node.close().await;
    if outcome.is_ok() {
        tracing::info!("stopped");
    }
    outcome
}

/// The server, and the listener of the metrics if it is another one.
struct Listening {
    server: Server,
    metrics: Option<Server>,
}

/// Opens every listener.
async fn listen(
    run: &Run<'_>,
    sockets: PassedSockets,
    node: &Node,
    exposition: &Exposition,
    first_user: Option<FirstUser>,
) -> Result<Listening, StartError> {
    let loaded = run.loaded;
    let parts = ServerParts {
        http: sockets.http,
        https: sockets.https,
        observer: Some(exposition.connection_observer()),
    };
    let config = loaded.server().with_stream_path(Some(stream::PATH.to_owned()));
    let bound = Server::bind_with(config, exposition.router(node), node.hub().clone(), parts).await;
    // The first user is made whether or not the port was free: its password must be told now, or is lost.
    if let Some(user) = first_user {
        let page = bound.as_ref().ok().and_then(|server| page_address(server.endpoints()));
        introduce(&user, page.as_deref()).await;
    }
    let server = bound.map_err(|source| StartError::bind(loaded, source))?;
    let metrics = exposition.bind(node.hub(), sockets.metrics).await;
    let metrics = metrics.map_err(|source| StartError::bind_metrics(loaded, source))?;
    Ok(Listening { server, metrics })
}

/// Serves the node until it is to stop, then drains.
///
/// # Panics
///
/// If a listener did: a server that takes no more connections is of no use.
async fn serve(run: &Run<'_>, stopped: oneshot::Receiver<()>, node: &Node, listening: Listening) {
    let Listening { mut server, mut metrics } = listening;
    let endpoints = server.endpoints().to_vec();
    for endpoint in &endpoints {
        tracing::info!(address = %endpoint.address, "listening on {endpoint}");
    }
    let hub = node.hub().clone();
    let status = move || serving_status(&endpoints, hub.stream_count());
    run.manager.ready(&status()).await;
    let store = node.store().clone();
    let serving = run.manager.serving(status, move || store.writer_runs());

    let warning = async {
        warn_of_gotify_3(run.loaded, node).await;
        warn_of_known_passwords(run.loaded, node).await;
        pending::<()>().await;
    };
    let metrics_ended = async {
        match &mut metrics {
            Some(metrics) => metrics.join().await,
            None => pending().await,
        }
    };
    tokio::select! {
        biased;
        _ = stopped => {}
        // Neither ends by itself, unless it panicked.
        _ = server.join() => {}
        _ = metrics_ended => {}
        () = warning => {}
    }
    let drain = run.loaded.drain();
    let status = stopping_status(&drain);
    let _stopping = run.manager.stopping(&status).await;
    tracing::info!("{status}");
    // The watchdog gets its pings for as long as requests are served.
    node.drain(&drain).await;
    drop(serving);
    server.shutdown();
    server.join().await;
}

/// Says what happens next, for the log and the service manager.
fn stopping_status(drain: &DrainConfig) -> String {
    let wait = match drain.wait.as_secs() {
        0 => String::new(),
        seconds => format!(" after {seconds} s (server.drain.waitseconds)"),
    };
    let window = match drain.window {
        None => String::new(),
        Some(window) => format!(", over {} s (server.drain.windowseconds)", window.as_secs()),
    };
    format!("stopping: requests are finished, streams are closed{wait}{window}")
}

/// Returns where a browser finds the web page, if this build has one.
fn page_address(endpoints: &[Endpoint]) -> Option<String> {
    let is_tcp = |endpoint: &&Endpoint| matches!(endpoint.address, Address::Tcp(_));
    let endpoint = endpoints.iter().find(is_tcp).filter(|_| cfg!(feature = "ui"))?;
    Some(endpoint.to_string())
}

/// Says how to log in: on standard output, since a password has no business in a log. An output that is closed, full or
/// slow does not hold up the start. `page` is where the web page is.
async fn introduce(user: &FirstUser, page: Option<&str>) {
    let name = &on_one_line(&user.name);
    if user.made_up_password.is_some() && journal::keeps_standard_output() {
        tracing::warn!(
            user.name = name,
            "first start: `{name}` has a random password, which is not shown because the journal keeps it; \
             `shardcast user reset-password {name}` makes another one"
        );
        return;
    }
    let Some(password) = &user.made_up_password else {
        let greeting = format!("First start. Log in as `{name}` with the password you configured.");
        // Nothing is lost with it.
        drop(timeout(GREETING, tokio::task::spawn_blocking(move || print_line(&greeting))).await);
        return;
    };
    let password = password.expose_secret();
    let greeting = match page {
        None => {
            format!("First start. Log in as `{name}` with the password `{password}`. It is not shown again; ")
        }
        // What follows `#` is not sent to the server, and so not logged on the way. The link is worth nothing once the
        // password is changed.
        Some(page) => format!(
            "First start. Open {page}/#/setup/{}/{password} to choose the password of `{name}`.\n\
             Until then it is `{password}`. This is not shown again; ",
            percent_encode(user.name.as_bytes(), NON_ALPHANUMERIC)
        ),
    };
    let greeting = format!("{greeting}`shardcast user reset-password {name}` makes another one.");
    let printing = tokio::task::spawn_blocking(move || print_secret(&greeting));
    let failure = match timeout(GREETING, printing).await {
        Ok(Ok(Ok(()))) => return,
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "nobody reads it".to_owned(),
    };
    tracing::error!(
        user.name = name,
        "failed to print the first password to standard output: {failure}; \
         `shardcast user reset-password {name}` makes another one"
    );
}

/// Warns whoever comes from Gotify 3 that this answers as Gotify 2 does, until either is chosen.
async fn warn_of_gotify_3(loaded: &Loaded, node: &Node) {
    if loaded.source("compatibility").is_some() {
        return;
    }
    match node.holds_tokens_of_gotify_3().await {
        Ok(true) => tracing::warn!(
            "the database has tokens of a Gotify 3, and `compatibility` is not set, so that this server answers as \
             Gotify 2.9 does; set `compatibility: v3` to answer as Gotify 3 does, or `compatibility: v2` to leave it so"
        ),
        Ok(false) => {}
        Err(error) => tracing::debug!(%error, "failed to look for tokens of Gotify 3"),
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
