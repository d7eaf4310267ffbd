//! Sockets that the service manager has opened (`sd_listen_fds(3)`).

use listenfd::ListenFd;
use socket2::SockRef;

use crate::server::ListeningSocket;

/// The names that tell which listener gets which socket: `FileDescriptorName=` of a `.socket` unit.
const NAMES: [&str; 3] = ["http", "https", "metrics"];

/// The first file descriptor that is passed.
const FIRST: usize = 3;

/// The sockets by listener. A listener without one opens its own.
#[derive(Debug, Default)]
pub(in crate::cli) struct PassedSockets {
    pub(in crate::cli) http: Option<ListeningSocket>,
    pub(in crate::cli) https: Option<ListeningSocket>,
    pub(in crate::cli) metrics: Option<ListeningSocket>,
}

/// Sockets that can't be used.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum PassedSocketsError {
    #[error("LISTEN_FDS: `{0}` is no number of sockets")]
    Count(String),
    #[error("LISTEN_FDNAMES has {names} names for {sockets} sockets")]
    NameCount { names: usize, sockets: usize },
    #[error(
        "socket {place} of {sockets} is called `{name}` in LISTEN_FDNAMES: it must be `http`, `https` or `metrics` \
         (FileDescriptorName= of the .socket unit)"
    )]
    Name { place: usize, sockets: usize, name: String },
    #[error("two sockets are called `{0}` in LISTEN_FDNAMES: a listener has one socket")]
    Twice(String),
    #[error(
        "file descriptor {descriptor}, passed for `{name}`, is neither a TCP socket nor a Unix stream socket"
    )]
    Kind { descriptor: usize, name: String },
    #[error(
        "file descriptor {descriptor}, passed for `{name}`, is a socket that does not listen: the .socket unit must \
         have Accept=no"
    )]
    NotListening { descriptor: usize, name: String },
}

impl PassedSockets {
    /// Takes the sockets out of the environment, if there are any for this process. A single socket may have any name: it
    /// is for HTTP.
    ///
    /// To be called before other threads run, because it removes variables from the environment.
    pub(in crate::cli) fn take() -> Result<Self, PassedSocketsError> {
        let variable = |name: &str| std::env::var_os(name).map(|text| text.to_string_lossy().into_owned());
        let (count, names) = (variable("LISTEN_FDS"), variable("LISTEN_FDNAMES"));
        if let Some(text) = count.filter(|text| text.parse::<u16>().is_err()) {
            return Err(PassedSocketsError::Count(text));
        }
        let mut passed = ListenFd::from_env();
        let mut sockets = Self::default();
        for (place, name) in listeners(passed.len(), names.as_deref())?.into_iter().enumerate() {
            let socket = take(&mut passed, place, &name)?;
            let free = match name.as_str() {
                "https" => &mut sockets.https,
                "metrics" => &mut sockets.metrics,
                _ => &mut sockets.http,
            };
            *free = Some(socket);
        }
        Ok(sockets)
    }
}

/// Returns which listener each of the sockets is for.
fn listeners(sockets: usize, names: Option<&str>) -> Result<Vec<String>, PassedSocketsError> {
    if sockets == 0 {
        return Ok(Vec::new());
    }
    let names: Vec<String> = match names {
        Some(names) => names.split(':').map(ToOwned::to_owned).collect(),
        None => vec!["unknown".to_owned(); sockets],
    };
    if names.len() != sockets {
        return Err(PassedSocketsError::NameCount { names: names.len(), sockets });
    }
    if let [name] = names.as_slice() {
        let listener = if NAMES.contains(&name.as_str()) { name } else { "http" };
        return Ok(vec![listener.to_owned()]);
    }
    for (at, name) in names.iter().enumerate() {
        if !NAMES.contains(&name.as_str()) {
            return Err(PassedSocketsError::Name { place: at + 1, sockets, name: name.clone() });
        }
        if names[..at].contains(name) {
            return Err(PassedSocketsError::Twice(name.clone()));
        }
    }
    Ok(names)
}

/// Takes the socket at this place, of whichever kind it is.
fn take(passed: &mut ListenFd, place: usize, name: &str) -> Result<ListeningSocket, PassedSocketsError> {
    let (descriptor, name) = (FIRST + place, name.to_owned());
    let (socket, listens) = if let Ok(Some(tcp)) = passed.take_tcp_listener(place) {
        let listens = SockRef::from(&tcp).is_listener();
        (ListeningSocket::Tcp(tcp), listens)
    } else if let Ok(Some(unix)) = passed.take_unix_listener(place) {
        let listens = SockRef::from(&unix).is_listener();
        (ListeningSocket::Unix(unix), listens)
    } else {
        return Err(PassedSocketsError::Kind { descriptor, name });
    };
    if listens.unwrap_or(false) {
        Ok(socket)
    } else {
        Err(PassedSocketsError::NotListening { descriptor, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(sockets: usize, names: Option<&str>) -> String {
        listeners(sockets, names).unwrap_err().to_string()
    }

    #[test]
    fn sockets_go_to_the_listeners_that_they_are_named_after() {
        assert_eq!(listeners(2, Some("metrics:http")).unwrap(), ["metrics", "http"]);
        assert_eq!(listeners(3, Some("https:http:metrics")).unwrap(), ["https", "http", "metrics"]);
        assert_eq!(listeners(1, Some("https")).unwrap(), ["https"]);
        assert!(listeners(0, Some("anything")).unwrap().is_empty());
    }

    #[test]
    fn a_single_socket_without_one_of_the_names_is_for_http() {
        for names in [None, Some(""), Some("unknown"), Some("shardcast.socket")] {
            assert_eq!(listeners(1, names).unwrap(), ["http"], "{names:?}");
        }
    }

    #[test]
    fn names_that_do_not_fit_are_refused_with_what_would() {
        assert_eq!(refusal(2, Some("http")), "LISTEN_FDNAMES has 1 names for 2 sockets");
        assert!(
            refusal(2, None).starts_with("socket 1 of 2 is called `unknown` in LISTEN_FDNAMES: it must be")
        );
        let text = refusal(2, Some("http:web"));
        assert!(text.contains("`web`") && text.contains("FileDescriptorName="), "{text}");
        assert!(refusal(2, Some("http:http")).starts_with("two sockets are called `http`"));
    }
}
