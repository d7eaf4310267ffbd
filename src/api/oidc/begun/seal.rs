//! The state of a login: `base64url(HMAC, id, time, purpose)`.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{BegunLogin, LIFETIME, LoginOrigin, LoginPurpose, hexadecimal};
use crate::model::Timestamp;

const TAG_BYTES: usize = 32;
const ID_BYTES: usize = 16;
const TIME_BYTES: usize = 8;

/// The longest state that is looked at: that of an app with the longest texts, each byte of them escaped, has less.
const MAX_STATE_BYTES: usize = 20_000;

/// What an HMAC is for, so that none of one kind is taken for one of another.
#[derive(Clone, Copy)]
enum Use {
    BrowserState = 1,
    AppState = 2,
    Verifier = 3,
    Nonce = 4,
}

/// Makes and knows the states of logins.
pub(super) struct LoginSeal(Hmac<Sha256>);

impl LoginSeal {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("an HMAC takes a key of any length"))
    }

    /// Begins a login. No other one may have its id.
    pub(super) fn begin(
        &self,
        id: [u8; ID_BYTES],
        origin: LoginOrigin<'_>,
        purpose: LoginPurpose,
        now: Timestamp,
    ) -> BegunLogin {
        let ends_at = now.timestamp() + LIFETIME.as_secs().cast_signed();
        let mut sealed = [&id[..], &ends_at.to_be_bytes()].concat();
        sealed.extend(serde_json::to_vec(&purpose).expect("texts and numbers can be written as JSON"));
        let tag = self.of_state(origin, &sealed).finalize().into_bytes();
        let state = BASE64_URL_SAFE_NO_PAD.encode([&tag[..], &sealed].concat());
        self.login(state, &id, purpose)
    }

    /// Returns the login with this state, and its id; `None` if none with it was begun by whoever comes back, or too
    /// long ago.
    pub(super) fn open(
        &self,
        state: &str,
        origin: LoginOrigin<'_>,
        now: Timestamp,
    ) -> Option<(String, BegunLogin)> {
        if state.len() > MAX_STATE_BYTES {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(state).ok()?;
        let (tag, sealed) = bytes.split_at_checked(TAG_BYTES)?;
        self.of_state(origin, sealed).verify_slice(tag).ok()?;
        let (id, rest) = sealed.split_first_chunk::<ID_BYTES>()?;
        let (ends_at, purpose) = rest.split_first_chunk::<TIME_BYTES>()?;
        if now.timestamp() >= i64::from_be_bytes(*ends_at) {
            return None;
        }
        let purpose = serde_json::from_slice(purpose).ok()?;
        Some((hexadecimal(id), self.login(state.to_owned(), id, purpose)))
    }

    fn login(&self, state: String, id: &[u8; ID_BYTES], purpose: LoginPurpose) -> BegunLogin {
        let derived = |purpose| hexadecimal(&self.hmac(purpose, id).finalize().into_bytes());
        BegunLogin { state, nonce: derived(Use::Nonce), verifier: derived(Use::Verifier), purpose }
    }

    /// The cookie of a browser has a fixed length, so no other browser's state has the same bytes.
    fn of_state(&self, origin: LoginOrigin<'_>, sealed: &[u8]) -> Hmac<Sha256> {
        let mut mac = match origin {
            LoginOrigin::Browser { binding } => self.hmac(Use::BrowserState, binding.as_bytes()),
            LoginOrigin::App => self.hmac(Use::AppState, &[]),
        };
        mac.update(sealed);
        mac
    }

    fn hmac(&self, purpose: Use, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&[purpose as u8]);
        mac.update(bytes);
        mac
    }
}

impl fmt::Debug for LoginSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginSeal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::super::random_text;
    use super::*;

    const BROWSER: LoginOrigin<'_> = LoginOrigin::Browser { binding: "0123456789abcdef0123456789abcdef" };
    const OTHER: LoginOrigin<'_> = LoginOrigin::Browser { binding: "1123456789abcdef0123456789abcdef" };

    fn at(seconds: i64) -> Timestamp {
        DateTime::UNIX_EPOCH.fixed_offset() + TimeDelta::seconds(seconds)
    }

    fn session() -> LoginPurpose {
        LoginPurpose::Session("kitchen".to_owned())
    }

    #[test]
    fn what_one_node_begins_another_one_with_the_same_key_ends() {
        let begun = LoginSeal::new(b"key").begin([7; 16], BROWSER, session(), at(0));
        let (id, login) = LoginSeal::new(b"key").open(&begun.state, BROWSER, at(599)).unwrap();
        assert_eq!(id, "07".repeat(16));
        assert!(login.purpose == session());
        assert_eq!((login.nonce, login.verifier), (begun.nonce.clone(), begun.verifier.clone()));
        assert_ne!(begun.nonce, begun.verifier);
        assert!(LoginSeal::new(b"another key").open(&begun.state, BROWSER, at(0)).is_none());
    }

    #[test]
    fn whoever_comes_back_must_be_who_began() {
        let seal = LoginSeal::new(b"key");
        let app = LoginPurpose::App { name: "phone".to_owned(), redirect_uri: "app:/".to_owned() };
        let of_browser = seal.begin([1; 16], BROWSER, session(), at(0)).state;
        let of_app = seal.begin([1; 16], LoginOrigin::App, app, at(0)).state;
        for (origin, opens_browsers, opens_apps) in
            [(BROWSER, true, false), (OTHER, false, false), (LoginOrigin::App, false, true)]
        {
            let opens = |state: &str| seal.open(state, origin, at(0)).is_some();
            assert_eq!((opens(&of_browser), opens(&of_app)), (opens_browsers, opens_apps));
        }
    }

    #[test]
    fn a_login_can_not_be_ended_after_ten_minutes() {
        let seal = LoginSeal::new(b"key");
        let state = seal.begin([1; 16], BROWSER, session(), at(5)).state;
        assert!(seal.open(&state, BROWSER, at(604)).is_some());
        assert!(seal.open(&state, BROWSER, at(605)).is_none());
    }

    #[test]
    fn a_state_that_was_changed_or_made_up_is_unknown() {
        let seal = LoginSeal::new(b"key");
        let state = seal.begin([1; 16], BROWSER, session(), at(0)).state;
        for index in 0..state.len() {
            let mut changed = state.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(seal.open(&changed, BROWSER, at(0)).is_none(), "{changed}");
            assert!(seal.open(&state[..index], BROWSER, at(0)).is_none());
        }
        for made_up in ["", "0", "ä", &random_text(20), &"A".repeat(MAX_STATE_BYTES + 1)] {
            assert!(seal.open(made_up, BROWSER, at(0)).is_none(), "{made_up}");
        }
    }

    #[test]
    fn nothing_secret_is_shown_and_no_key_is_in_a_state() {
        let seal = LoginSeal::new(b"key");
        let login = seal.begin([1; 16], BROWSER, session(), at(0));
        assert_eq!(format!("{seal:?} {login:?}"), "LoginSeal { .. } BegunLogin { purpose: Session, .. }");
        let state = BASE64_URL_SAFE_NO_PAD.decode(&login.state).unwrap();
        let shown = hexadecimal(&state);
        assert!(!shown.contains(&login.verifier) && !shown.contains(&login.nonce));
    }
}
