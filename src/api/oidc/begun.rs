//! Logins that were begun and not ended yet, and where they are kept.

mod memory;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use rand::Rng;

use crate::model::ClientId;
use crate::store::StoreError;
pub use memory::LoginsInMemory;

/// How long somebody has at the provider, as in Gotify.
pub(super) const LIFETIME: Duration = Duration::from_mins(10);

/// The longest text that somebody may have kept for a login: a name of 255 characters takes up to 1020 bytes.
pub(super) const MAX_TEXT_BYTES: usize = 1024;

/// Keeps logins through an identity provider while people are at the provider. [`LoginsInMemory`] is the default; with
/// several nodes behind one address, whoever comes back may come to another node than the one that sent them away.
///
/// Both methods are cancel safe: a dropped future leaves the login either kept or not.
#[async_trait]
pub trait BegunLogins: Send + Sync + fmt::Debug + 'static {
    /// Keeps a login under its state, a text that is given once, for ten minutes at least. Where there is no room,
    /// older ones may be given up before.
    async fn begin(&self, state: &str, login: BegunLogin) -> Result<(), StoreError>;

    /// Returns the login that was begun with that state, if whoever comes back is who began it. It is returned once. For
    /// anybody else it stays.
    async fn end(&self, state: &str, by: Returning<'_>) -> Result<Option<BegunLogin>, StoreError>;
}

/// A login that was begun.
pub struct BegunLogin {
    /// What the provider has to repeat.
    pub nonce: String,
    /// Who began it, and what for.
    pub origin: LoginOrigin,
}

/// Who began a login.
pub enum LoginOrigin {
    /// A browser.
    Browser {
        /// What its cookie must hold.
        binding: String,
        /// The proof key.
        verifier: String,
        /// What it is for.
        purpose: LoginPurpose,
    },
    /// An app, which keeps its proof key to itself.
    App {
        /// What its client will be called.
        name: String,
        /// Where it wants its user back.
        redirect_uri: String,
    },
}

/// What a browser logs in for.
pub enum LoginPurpose {
    /// A session of that name.
    Session(String),
    /// More rights for a client, for so many seconds.
    Elevation(ClientId, i64),
}

/// Who comes back from the provider.
#[derive(Clone, Copy)]
pub enum Returning<'a> {
    /// A browser, with what its cookie holds.
    Browser {
        /// The value of the cookie.
        binding: &'a str,
    },
    /// An app.
    App,
}

impl Returning<'_> {
    /// Answers whether it is who began the login.
    pub fn began(&self, login: &BegunLogin) -> bool {
        match (self, &login.origin) {
            (Self::Browser { binding }, LoginOrigin::Browser { binding: expected, .. }) => {
                binding == expected
            }
            (Self::App, LoginOrigin::App { .. }) => true,
            (Self::Browser { .. }, LoginOrigin::App { .. }) | (Self::App, LoginOrigin::Browser { .. }) => {
                false
            }
        }
    }
}

/// Without anything secret.
impl fmt::Debug for BegunLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BegunLogin").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl fmt::Debug for LoginOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Browser { .. } => "Browser",
            Self::App { .. } => "App",
        })
    }
}

impl fmt::Debug for LoginPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session",
            Self::Elevation(..) => "Elevation",
        })
    }
}

impl fmt::Debug for Returning<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Browser { .. } => "Browser",
            Self::App => "App",
        })
    }
}

/// Makes a text of so many random bytes, in hexadecimal digits.
pub(super) fn random_text(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::rng().fill_bytes(&mut random);
    let digits = random.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_browser(binding: &str) -> BegunLogin {
        let purpose = LoginPurpose::Session("secret".to_owned());
        let origin =
            LoginOrigin::Browser { binding: binding.to_owned(), verifier: "secret".to_owned(), purpose };
        BegunLogin { nonce: "secret".to_owned(), origin }
    }

    #[test]
    fn whoever_comes_back_must_be_who_began() {
        let app = LoginOrigin::App { name: String::new(), redirect_uri: String::new() };
        let (browser, app) = (by_browser("b"), BegunLogin { nonce: String::new(), origin: app });
        for (returning, began_browser, began_app) in [
            (Returning::Browser { binding: "b" }, true, false),
            (Returning::Browser { binding: "c" }, false, false),
            (Returning::App, false, true),
        ] {
            assert_eq!((returning.began(&browser), returning.began(&app)), (began_browser, began_app));
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?} {:?}", by_browser("secret"), Returning::Browser { binding: "secret" });
        assert_eq!(shown, "BegunLogin { origin: Browser, .. } Browser");
    }
}
