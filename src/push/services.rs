//! Requests to push services: bounded in time and size, without redirects, to the addresses that are allowed.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Request, StatusCode};
use ring::rand::SystemRandom;

use super::encryption::Recipient;
use super::endpoint::EndpointPolicy;
use super::notice::Notice;
use super::vapid::Vapid;
use crate::causes::with_sources;
use crate::http_client::{ClientBuildError, HttpClient};
use crate::store::PushSubscription;

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The push service has taken it.
    Taken,
    /// The subscription is there no more.
    Gone,
    /// It may be taken later: why not now, and when, if the push service says so.
    Later(String, Option<Duration>),
    /// It will not be taken.
    Refused(String),
}

pub(super) struct PushServices {
    http: HttpClient,
    policy: EndpointPolicy,
    vapid: Vapid,
    random: SystemRandom,
}

impl PushServices {
    pub(super) fn new(policy: EndpointPolicy, vapid: Vapid) -> Result<Self, ClientBuildError> {
        let resolver = policy.clone();
        let http = HttpClient::new(|builder| {
            builder
                // A proxy would connect to whatever it is asked for.
                .no_proxy()
                .dns_resolver(resolver)
                // Users choose the hosts: there would be any number of connections that wait for another request.
                .pool_max_idle_per_host(0)
        })?;
        Ok(Self { http, policy, vapid, random: SystemRandom::new() })
    }

    pub(super) fn policy(&self) -> &EndpointPolicy {
        &self.policy
    }

    pub(super) fn vapid(&self) -> &Vapid {
        &self.vapid
    }

    /// Encrypts a notice for a subscription, and sends it.
    pub(super) async fn send(
        &self,
        subscription: &PushSubscription,
        notice: &Notice,
        payload: &[u8],
    ) -> Outcome {
        let PushSubscription { endpoint, p256dh, auth, .. } = subscription;
        // The configuration may have changed since the client subscribed.
        let url = match self.policy.check(endpoint) {
            Ok(url) => url,
            Err(error) => return Outcome::Refused(format!("its endpoint {error}")),
        };
        let Ok(body) = (Recipient { p256dh, auth }).encrypt(payload, &self.random) else {
            return Outcome::Refused("its key `p256dh` is no public key of the curve P-256".to_owned());
        };
        let now = chrono::Utc::now().timestamp();
        let Ok(authorization) = self.vapid.header(&url.origin().ascii_serialization(), now) else {
            return Outcome::Refused("nothing can be signed".to_owned());
        };
        let mut request = Request::new(Method::POST, url);
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert("TTL", notice.time_to_live().into());
        headers.insert("Urgency", HeaderValue::from_static(notice.urgency()));
        if let Some(topic) = notice.topic(auth) {
            headers.insert("Topic", topic);
        }
        *request.body_mut() = Some(body.into());
        match self.http.send(request).await {
            Ok(response) => outcome(response.status(), response.headers()),
            Err(error) => {
                // Its text would have the endpoint.
                let reason = with_sources(&error.without_url());
                tracing::debug!(reason, "a push service was not reached");
                Outcome::Later(reason, None)
            }
        }
    }
}

fn outcome(status: StatusCode, headers: &HeaderMap) -> Outcome {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        status if status.is_success() => Outcome::Taken,
        status => {
            let answer = format!("the push service answers {}", status.as_u16());
            let is_busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
            if is_busy || status.is_server_error() {
                Outcome::Later(answer, retry_after(headers))
            } else {
                Outcome::Refused(answer)
            }
        }
    }
}

/// Reads `Retry-After` in seconds; a date counts as if it were not there.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::process::Command;

    use ring::agreement::{ECDH_P256, EphemeralPrivateKey};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;
    use crate::model::{Message, UserId};

    /// Only a failing test waits for it.
    const PATIENCE: Duration = Duration::from_mins(1);

    fn services(policy: EndpointPolicy) -> PushServices {
        let vapid = Vapid::new(&Vapid::make_up_key().unwrap(), None).unwrap();
        PushServices::new(policy, vapid).unwrap()
    }

    /// Sends something to an endpoint.
    async fn send(services: &PushServices, endpoint: String) -> Outcome {
        let key = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
        let p256dh = key.compute_public_key().unwrap().as_ref().to_vec();
        let subscription = PushSubscription { endpoint, p256dh, auth: vec![7; 16], min_priority: 0 };
        services.send(&subscription, &Notice::of(UserId(1), &Message::any(1)), b"payload").await
    }

    fn local() -> EndpointPolicy {
        EndpointPolicy::new(&["127.0.0.1".to_owned()])
    }

    /// Listens without taking connections; the second is whether there was one.
    fn listener() -> (u16, impl Fn() -> bool) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let was_connected_to = move || match listener.accept() {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        };
        (port, was_connected_to)
    }

    #[tokio::test]
    async fn a_name_that_means_this_machine_is_not_connected_to() {
        let (port, was_connected_to) = listener();
        let outcome =
            send(&services(EndpointPolicy::default()), format!("https://localhost:{port}/secret")).await;
        assert!(!was_connected_to());
        let Outcome::Later(reason, None) = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains("no public address") && reason.contains("push.allowedhosts"), "{reason}");
        assert!(!reason.contains("secret"), "{reason}");
    }

    /// Runs the test before this one in a process of its own, which has the proxy in its environment.
    #[test]
    fn a_proxy_of_the_environment_is_not_connected_to() {
        let (port, was_connected_to) = listener();
        let proxy = format!("http://127.0.0.1:{port}");
        let mut command = Command::new(std::env::current_exe().unwrap());
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(name, &proxy);
        }
        for name in ["NO_PROXY", "no_proxy"] {
            command.env_remove(name);
        }
        let name = "push::services::tests::a_name_that_means_this_machine_is_not_connected_to";
        let ended = command.args(["--exact", name]).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{said}");
        assert!(!was_connected_to());
    }

    #[tokio::test]
    async fn a_connection_ends_with_its_request() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let service = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
                socket.read_buf(&mut request).await.unwrap();
            }
            socket.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            timeout(PATIENCE, socket.read_to_end(&mut request)).await.expect("the connection ends")
        };
        let services = services(local());
        let (outcome, _) = tokio::join!(send(&services, endpoint), service);
        assert_eq!(outcome, Outcome::Taken);
        drop(services);
    }

    #[tokio::test]
    async fn what_can_not_be_reached_is_named() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let outcome = send(&services(local()), format!("http://{free}/secret")).await;
        let Outcome::Later(reason, None) = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains("refused") && !reason.contains("secret"), "{reason}");
    }

    #[test]
    fn the_status_says_whether_to_try_again_or_to_give_up() {
        let none = HeaderMap::new();
        let of = |status| outcome(StatusCode::from_u16(status).unwrap(), &none);
        assert_eq!([of(200), of(201), of(202)], [Outcome::Taken, Outcome::Taken, Outcome::Taken]);
        assert_eq!([of(404), of(410)], [Outcome::Gone, Outcome::Gone]);
        let answer = |status: u16| format!("the push service answers {status}");
        for later in [408, 429, 500, 502, 503] {
            assert_eq!(of(later), Outcome::Later(answer(later), None));
        }
        for refused in [301, 307, 400, 401, 403, 413] {
            assert_eq!(of(refused), Outcome::Refused(answer(refused)));
        }
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        let busy = outcome(StatusCode::TOO_MANY_REQUESTS, &headers);
        assert_eq!(busy, Outcome::Later(answer(429), Some(Duration::from_secs(7))));
        headers.insert(RETRY_AFTER, "Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap());
        assert_eq!(outcome(StatusCode::SERVICE_UNAVAILABLE, &headers), Outcome::Later(answer(503), None));
    }
}
