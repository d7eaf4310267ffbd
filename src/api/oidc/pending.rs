//! Logins that were begun and not ended yet.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use parking_lot::Mutex;
use rand::Rng;
use tokio::time::Instant;

use crate::model::ClientId;

/// How long somebody has at the provider, as in Gotify.
pub(super) const PATIENCE: Duration = Duration::from_mins(10);

/// How many may be there at once; the oldest goes for one more. One takes at most 1.5 kB with its texts.
const CAPACITY: usize = 10_000;

/// The longest text that somebody may have kept for a login.
pub(super) const MAX_TEXT_BYTES: usize = 512;

/// Logins by their states. What is too old counts as not there.
#[derive(Default)]
pub(super) struct Pending(Mutex<Logins>);

#[derive(Default)]
struct Logins {
    by_state: HashMap<Box<str>, Login>,
    /// The states, the oldest first. Some may have been taken.
    begun: VecDeque<(Instant, Box<str>)>,
}

/// A login that was begun.
pub(super) struct Login {
    /// What the provider has to repeat.
    pub(super) nonce: String,
    /// Who began it, and what for.
    pub(super) origin: Origin,
}

/// Who began a login.
pub(super) enum Origin {
    /// A browser.
    Browser {
        /// What its cookie must hold.
        binding: String,
        /// The proof key.
        verifier: String,
        /// What it is for.
        goal: Goal,
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
pub(super) enum Goal {
    /// A session of that name.
    Session(String),
    /// More rights for a client, for so many seconds.
    Elevation(ClientId, i64),
}

impl Pending {
    /// Keeps a login, and returns its state.
    pub(super) fn begin(&self, login: Login) -> String {
        let state = random_text(20);
        let now = Instant::now();
        let mut logins = self.0.lock();
        while logins.begun.front().is_some_and(|&(at, _)| now - at >= PATIENCE)
            || logins.begun.len() >= CAPACITY
        {
            let Some((_, oldest)) = logins.begun.pop_front() else { break };
            logins.by_state.remove(&oldest);
        }
        logins.begun.push_back((now, state.as_str().into()));
        logins.by_state.insert(state.as_str().into(), login);
        state
    }

    /// Takes the login of that state out, if it is the one that `is_meant`.
    pub(super) fn end(&self, state: &str, is_meant: impl FnOnce(&Login) -> bool) -> Option<Login> {
        let mut logins = self.0.lock();
        let now = Instant::now();
        while logins.begun.front().is_some_and(|&(at, _)| now - at >= PATIENCE) {
            let Some((_, oldest)) = logins.begun.pop_front() else { break };
            logins.by_state.remove(&oldest);
        }
        is_meant(logins.by_state.get(state)?).then(|| logins.by_state.remove(state))?
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

    fn login(name: &str) -> Login {
        let origin = Origin::App { name: name.to_owned(), redirect_uri: String::new() };
        Login { nonce: String::new(), origin }
    }

    fn name(login: Option<Login>) -> Option<String> {
        login.map(|login| match login.origin {
            Origin::App { name, .. } => name,
            Origin::Browser { .. } => String::new(),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_is_ended_once() {
        let pending = Pending::default();
        let (first, second) = (pending.begin(login("a")), pending.begin(login("b")));
        assert_eq!((first.len(), first == second), (40, false));
        assert!(pending.end(&first, |_| false).is_none(), "another one was meant");
        assert_eq!(name(pending.end(&first, |_| true)).as_deref(), Some("a"));
        assert!(pending.end(&first, |_| true).is_none());
        assert_eq!(name(pending.end(&second, |_| true)).as_deref(), Some("b"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_is_not_there_any_more_after_ten_minutes() {
        let pending = Pending::default();
        let state = pending.begin(login("a"));
        tokio::time::advance(Duration::from_secs(599)).await;
        let later = pending.begin(login("b"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(pending.end(&state, |_| true).is_none());
        assert_eq!(pending.0.lock().by_state.len(), 1);
        assert!(pending.end(&later, |_| true).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_goes_when_there_are_too_many() {
        let pending = Pending::default();
        let oldest = pending.begin(login("a"));
        let next = pending.begin(login("b"));
        for _ in 0..CAPACITY - 1 {
            pending.begin(login("c"));
        }
        assert!(pending.end(&oldest, |_| true).is_none());
        assert!(pending.end(&next, |_| true).is_some());
        let logins = pending.0.lock();
        assert!(logins.by_state.len() <= CAPACITY && logins.begun.len() <= CAPACITY);
    }
}
