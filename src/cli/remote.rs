//! `shardcast send` and `shardcast tail`: clients of any server that speaks Gotify's API.
//!
//! [`Account`] says which server and with which token. [`Api`] makes requests, [`MessageStream`] is an open
//! `GET /stream`. Everything runs on one thread, in the one task of the command.

mod account;
mod api;
mod back_off;
mod connection;
mod output;
mod request_error;
mod seen;
mod send;
mod server_url;
mod stream;
mod tail;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "remote/no_tls.rs"]
mod tls;

use crate::causes::with_sources;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use futures_util::FutureExt as _;
use tokio::runtime::Builder;

use super::arguments::{SendArguments, TailArguments};
use super::{EX_CONFIG, print_problem};
use account::{Account, AccountError};
use api::Api;
use request_error::RequestError;
use stream::MessageStream;

/// The server is away, as in `sysexits.h`.
const EX_UNAVAILABLE: u8 = 69;

/// The server does not accept the token, as in `sysexits.h`.
const EX_NOPERM: u8 = 77;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
enum RemoteError {
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("failed to read the text from standard input")]
    Input(#[source] io::Error),
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("the text has more than {limit_bytes} bytes")]
    TooLong { limit_bytes: u64 },
    #[error("there is no text to send: give it as an argument, or on standard input")]
    NoText,
    #[error("failed to write to standard output")]
    Output(#[source] io::Error),
    #[error("failed to start the runtime")]
    Runtime(#[source] io::Error),
}

impl RemoteError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Account(_) => ExitCode::from(EX_CONFIG),
            Self::Request(error) if error.is_about_token() => ExitCode::from(EX_NOPERM),
            Self::Request(error) if error.is_temporary() => ExitCode::from(EX_UNAVAILABLE),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Sends a message.
pub(super) fn send(arguments: SendArguments, file: Option<PathBuf>) -> ExitCode {
    run(send::run(arguments, file))
}

/// Prints messages as they come.
pub(super) fn tail(arguments: TailArguments, file: Option<PathBuf>) -> ExitCode {
    run(tail::run(arguments, file))
}

fn run(command: impl Future<Output = Result<(), RemoteError>>) -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RemoteError::Runtime);
    match runtime.and_then(|runtime| runtime.block_on(command.boxed_local())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_problem(&with_sources(&error));
            error.exit_code()
        }
    }
}
