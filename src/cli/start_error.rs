//! Why a server did not start, in terms of the configuration.

use crate::causes::with_sources;
use std::io;
use std::process::ExitCode;

use super::oidc::OidcError;
use super::{EX_CONFIG, EX_TEMPFAIL};
use crate::auth::HashPasswordError;
use crate::config::{Connection, Loaded};
#[cfg(feature = "push")]
use crate::push::OpenPushError;
use crate::server::{BindError, OpenError};
use crate::store::{OpenDatabaseError, StoreError};

/// A server that did not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("failed to start the runtime")]
    Runtime(#[source] io::Error),
    #[error("failed to catch signals")]
    Signals(#[source] io::Error),
    #[error("{setting}")]
    Bind { setting: Setting, source: BindError },
    #[error("{setting}: failed to open the database `{connection}`")]
    Database { setting: Setting, connection: Connection, source: OpenDatabaseError },
    #[error(transparent)]
    Oidc(#[from] OidcError),
    #[error("{setting}")]
    FirstPassword { setting: Setting, source: HashPasswordError },
    #[error("{setting}")]
    FirstUserName { setting: Setting, source: OpenError },
    #[error(transparent)]
    Open(OpenError),
}

/// A key of the configuration and where it was set.
#[derive(Debug)]
pub(super) struct Setting {
    key: &'static str,
    source: String,
}

impl Setting {
    fn new(loaded: &Loaded, key: &'static str) -> Self {
        Self { key, source: loaded.source(key).unwrap_or("default").to_owned() }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.source, self.key)
    }
}

impl StartError {
    /// A listener of the server that can't be opened.
    pub(super) fn bind(loaded: &Loaded, source: BindError) -> Self {
        let key = match &source {
            BindError::Tls(_) | BindError::UnusedSocket { .. } => "server.ssl.enabled",
            BindError::Listen { secure: false, source, .. } => {
                if is_of_port(source) {
                    "server.port"
                } else {
                    "server.listenaddr"
                }
            }
            BindError::Listen { secure: true, source, .. } => {
                if is_of_port(source) {
                    "server.ssl.port"
                } else {
                    "server.ssl.listenaddr"
                }
            }
        };
        let is_socket = loaded.config.server.listenaddr.starts_with("unix:");
        let key = if key == "server.port" && is_socket { "server.listenaddr" } else { key };
        Self::Bind { setting: Setting::new(loaded, key), source }
    }

    /// The listener of the metrics that can't be opened.
    pub(super) fn bind_metrics(loaded: &Loaded, source: BindError) -> Self {
        let key = match source {
            BindError::UnusedSocket { .. } if !loaded.config.metrics.enabled => "metrics.enabled",
            _ => "metrics.listenaddr",
        };
        Self::Bind { setting: Setting::new(loaded, key), source }
    }

    /// A database that can't be opened.
    pub(super) fn database(loaded: &Loaded, source: OpenDatabaseError) -> Self {
        let connection = loaded.config.database.connection.clone();
        Self::Database { setting: Setting::new(loaded, "database.connection"), connection, source }
    }

    /// A node that can't be opened.
    pub(super) fn open(loaded: &Loaded, source: OpenError) -> Self {
        match source {
            OpenError::FirstUser(source @ HashPasswordError::TooLong) => {
                Self::FirstPassword { setting: Setting::new(loaded, "defaultuser.pass"), source }
            }
            source @ OpenError::FirstUserName { .. } => {
                Self::FirstUserName { setting: Setting::new(loaded, "defaultuser.name"), source }
            }
            other => Self::Open(other),
        }
    }

    /// Returns what the process ends with.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Database { source: OpenDatabaseError::Unavailable(_), .. }
            | Self::Open(
                OpenError::Database(StoreError::Unavailable { .. })
                | OpenError::Images(StoreError::Unavailable { .. }),
            ) => ExitCode::from(EX_TEMPFAIL),
            Self::Database { .. }
            | Self::FirstPassword { .. }
            | Self::FirstUserName { .. }
            | Self::Bind { source: BindError::UnusedSocket { .. }, .. } => ExitCode::from(EX_CONFIG),
            _ => ExitCode::FAILURE,
        }
    }

    /// Says on one line what went wrong, with its causes, and what to do about it.
    pub(super) fn report(&self) -> String {
        let text = with_sources(self);
        match self.remedy() {
            Some(remedy) => format!("{text}. {remedy}"),
            None => text,
        }
    }

    fn remedy(&self) -> Option<&'static str> {
        #[cfg(feature = "push")]
        if let Self::Open(OpenError::Push(OpenPushError::Key(_))) = self {
            return Some(
                "Delete the row of that table: then there is a new key, and browsers have to subscribe anew. Or push \
                 nothing: `push.enabled: false`",
            );
        }
        let Self::Bind { source: BindError::Listen { source, address, .. }, .. } = self else { return None };
        let is_socket = address.starts_with("unix:");
        match source.kind() {
            io::ErrorKind::AlreadyExists if is_socket => {
                Some("Choose another path, or remove the file if nobody needs it")
            }
            io::ErrorKind::AddrInUse if is_socket => {
                Some("Another program listens there: stop it, or choose another path")
            }
            io::ErrorKind::AddrInUse => {
                Some("Another program listens there: stop it, or choose another port")
            }
            io::ErrorKind::PermissionDenied if is_socket => {
                Some("This user may not create a file there: choose another folder, or change its owner")
            }
            io::ErrorKind::AddrNotAvailable => {
                Some("This machine does not have that address: choose one that it has, or \"\" for all")
            }
            io::ErrorKind::PermissionDenied => Some(
                "This user may not listen there: choose a port above 1023, or grant CAP_NET_BIND_SERVICE",
            ),
            _ => None,
        }
    }
}

/// Whether another port could be listened on at the same address.
fn is_of_port(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}
