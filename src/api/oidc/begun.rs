//! Logins that were begun. No node keeps them, so that any node can end them.
//!
//! What is known of a login is in its state, which comes back from the provider: who began it, what for, and until when
//! it can be ended. Nobody can make or change a state, because an HMAC is part of it, with a key that the nodes share
//! through the database. The state can be read by whoever sees it, and holds nothing that is secret: the proof key and
//! the nonce are other HMACs, which only a node can compute. That a login was ended is a row in the database.

mod seal;

use std::fmt;
use std::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};

use self::seal::LoginSeal;
use super::super::AppState;
use crate::store::StoreError;

/// How long somebody has at the provider, as in Gotify.
pub(super) const LIFETIME: Duration = Duration::from_mins(10);

/// The longest text that somebody may have in a state: a name of 255 characters takes up to 1020 bytes.
pub(super) const MAX_TEXT_BYTES: usize = 1024;

/// A login that was begun.
pub(super) struct BegunLogin {
    /// What leads back to it: the provider returns it with whoever logs in.
    pub(super) state: String,
    /// What the provider has to repeat.
    pub(super) nonce: String,
    /// The proof key of a browser's login. An app keeps its own to itself.
    pub(super) verifier: String,
    /// What it is for.
    pub(super) purpose: LoginPurpose,
}

/// What somebody logs in for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum LoginPurpose {
    /// A browser wants a session of that name.
    Session(String),
    /// A browser wants more rights for the client with this id, for so many seconds.
    Elevation(u64, i64),
    /// An app wants a client.
    App {
        /// What the client will be called.
        name: String,
        /// Where the app wants its user back.
        redirect_uri: String,
    },
}

/// Who begins or ends a login.
#[derive(Clone, Copy)]
pub(super) enum LoginOrigin<'a> {
    /// A browser.
    Browser {
        /// The value of its cookie.
        binding: &'a str,
    },
    /// An app.
    App,
}

/// Begins a login.
pub(super) async fn begin(
    state: &AppState,
    origin: LoginOrigin<'_>,
    purpose: LoginPurpose,
) -> Result<BegunLogin, StoreError> {
    let mut id = [0; 16];
    rand::rng().fill_bytes(&mut id);
    Ok(seal(state).await?.begin(id, origin, purpose, state.auth.now()))
}

/// Returns the login that was begun with that state, if whoever comes back is who began it. It is returned once. For
/// anybody else it stays.
///
/// # Cancel safety
///
/// If the future is dropped, the login may be ended without having been returned.
pub(super) async fn end(
    state: &AppState,
    origin: LoginOrigin<'_>,
    login_state: &str,
) -> Result<Option<BegunLogin>, StoreError> {
    let Some((id, login)) = seal(state).await?.open(login_state, origin, state.auth.now()) else {
        return Ok(None);
    };
    Ok(state.store.database().end_login(&id).await?.then_some(login))
}

async fn seal(state: &AppState) -> Result<LoginSeal, StoreError> {
    let mut made_up = [0; 64];
    rand::rng().fill_bytes(&mut made_up);
    Ok(LoginSeal::new(&state.store.database().login_key(&made_up).await?))
}

/// Without anything secret.
impl fmt::Debug for BegunLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BegunLogin").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

impl fmt::Debug for LoginPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session",
            Self::Elevation(..) => "Elevation",
            Self::App { .. } => "App",
        })
    }
}

/// Makes a text of so many random bytes, in hexadecimal digits.
pub(super) fn random_text(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::rng().fill_bytes(&mut random);
    hexadecimal(&random)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}
